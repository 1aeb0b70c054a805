from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..models.set_member_request_role import SetMemberRequestRole, check_set_member_request_role

T = TypeVar("T", bound="SetMemberRequest")


@_attrs_define
class SetMemberRequest:
    """The role of a member.

    Example:
        {'role': 'editor'}

    """

    role: SetMemberRequestRole
    """ `viewer`: reads, searches and exports; `editor`: also adds images, has them read, corrects them and edits
    their lines. """

    def to_dict(self) -> dict[str, Any]:
        role: str = self.role

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "role": role,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        role = check_set_member_request_role(d.pop("role"))

        set_member_request = cls(
            role=role,
        )

        return set_member_request
