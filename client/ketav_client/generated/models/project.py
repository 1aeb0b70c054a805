from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.project_role import ProjectRole, check_project_role
from ..models.project_script import ProjectScript, check_project_script

T = TypeVar("T", bound="Project")


@_attrs_define
class Project:
    """A project without its images.

    Example:
        {'project_id': '8a7c1f0e-3a3b-4a55-9d56-0f6c7b0c9b11', 'name': 'Diary 1948', 'script': 'modern_cursive', 'hand':
            None, 'created_at': '2026-11-23T09:30:00Z', 'owner': 'Noa', 'role': 'owner'}

    """

    project_id: str
    """ UUID of the project. """
    name: str
    """ Name of the project. """
    script: ProjectScript
    """ Script of its pages. """
    hand: None | str
    """ Name of the hand that wrote its pages; null: the owner's own hand. """
    created_at: datetime.datetime
    """ When it was created. """
    owner: str
    """ Name of the account that owns it. """
    role: ProjectRole
    """ What you are in it: `owner`; `editor`, who adds and corrects images; or `viewer`, who reads, searches and
    exports. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        project_id = self.project_id

        name = self.name

        script: str = self.script

        hand: None | str
        hand = self.hand

        created_at = self.created_at.isoformat()

        owner = self.owner

        role: str = self.role

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "project_id": project_id,
                "name": name,
                "script": script,
                "hand": hand,
                "created_at": created_at,
                "owner": owner,
                "role": role,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        project_id = d.pop("project_id")

        name = d.pop("name")

        script = check_project_script(d.pop("script"))

        def _parse_hand(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        hand = _parse_hand(d.pop("hand"))

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        owner = d.pop("owner")

        role = check_project_role(d.pop("role"))

        project = cls(
            project_id=project_id,
            name=name,
            script=script,
            hand=hand,
            created_at=created_at,
            owner=owner,
            role=role,
        )

        project.additional_properties = d
        return project

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
