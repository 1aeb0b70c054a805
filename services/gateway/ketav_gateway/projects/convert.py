"""Projects from protobuf to JSON."""

from ketav.registry.v1 import projects_pb2
from ketav_gateway.convert import script_name, timestamp
from ketav_gateway.projects import schemas


def project(message: projects_pb2.Project) -> schemas.Project:
    """Return a project without its images."""
    return schemas.Project(
        project_id=message.project_id,
        name=message.name,
        script=script_name(message.script),
        hand=message.hand or None,
        created_at=timestamp(message.create_time),
    )
