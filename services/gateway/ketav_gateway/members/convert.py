"""Members of projects from protobuf to JSON."""

from ketav.registry.v1 import members_pb2
from ketav_gateway.convert import enum_name, timestamp
from ketav_gateway.members import schemas


def role_name(value: members_pb2.Role.ValueType) -> str:
    """Return a role as JSON writes it."""
    name: str = enum_name(members_pb2.Role, value, "ROLE_")
    return name


def role_to_proto(role: schemas.MemberRole) -> members_pb2.Role.ValueType:
    """Return the role of a request."""
    return members_pb2.Role.Value(f"ROLE_{role.upper()}")


def member(message: members_pb2.Member) -> schemas.Member:
    """Return a member."""
    return schemas.Member.model_validate(
        {
            "name": message.name,
            "role": role_name(message.role),
            "created_at": timestamp(message.create_time),
        }
    )
