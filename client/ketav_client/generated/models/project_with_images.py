from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.project_with_images_role import ProjectWithImagesRole, check_project_with_images_role
from ..models.project_with_images_script import ProjectWithImagesScript, check_project_with_images_script

if TYPE_CHECKING:
    from ..models.page import Page


T = TypeVar("T", bound="ProjectWithImages")


@_attrs_define
class ProjectWithImages:
    """A project with its images.

    Example:
        {'project_id': '8a7c1f0e-3a3b-4a55-9d56-0f6c7b0c9b11', 'name': 'Diary 1948', 'script': 'modern_cursive', 'hand':
            None, 'created_at': '2026-11-23T09:30:00Z', 'owner': 'Noa', 'role': 'owner', 'images': [{'image_id':
            'f2b1c0de-97d3-4a0e-8a53-0b6d1a2f4c22', 'project_id': '8a7c1f0e-3a3b-4a55-9d56-0f6c7b0c9b11', 'state': 'read',
            'layout': 'page', 'created_at': '2026-11-23T09:30:00Z', 'image': {'width': 1200, 'height': 1700, 'media_type':
            'image/jpeg', 'normalised': []}, 'transcription': {'transcription_id': '0d9e8c7b-6a5f-4e3d-8c1b-2a3f4e5d6c33',
            'model': {'version': 'hebrew_base-1', 'kind': 'base'}, 'created_at': '2026-11-23T09:30:00Z', 'text': 'שלום
            עולם', 'confidence': 0.93, 'lines': [{'line_id': '5c4b3a29-1807-4f6e-9d5c-4b3a29180744', 'order': 0, 'text':
            'שלום עולם', 'confidence': 0.93, 'baseline': [[1100, 140], [640, 146]], 'boundary': [[630, 120], [1110, 116],
            [1112, 190], [632, 196]], 'words': [{'text': 'שלום', 'confidence': 0.95, 'start': 0, 'end': 4, 'boundary':
            [[880, 118], [1110, 116], [1112, 190], [882, 193]]}, {'text': 'עולם', 'confidence': 0.91, 'start': 5, 'end': 9,
            'boundary': [[630, 120], [860, 118], [862, 193], [632, 196]]}], 'region': 'paragraph', 'corrected_text': 'שלום
            לכולם', 'verified_text': 'שלום לכולם', 'verified_words': [{'text': 'שלום', 'confidence': None, 'start': 0,
            'end': 4, 'boundary': [[880, 118], [1110, 116], [1112, 190], [882, 193]]}, {'text': 'לכולם', 'confidence': None,
            'start': 5, 'end': 10, 'boundary': [[630, 120], [860, 118], [862, 193], [632, 196]]}], 'quarantine': None,
            'correction_id': '7b6a5f4e-3d2c-4b1a-8f9e-8d7c6b5a4f3e', 'author': 'Noa'}]}}], 'next_cursor': None}

    """

    project_id: str
    """ UUID of the project. """
    name: str
    """ Name of the project. """
    script: ProjectWithImagesScript
    """ Script of its pages. """
    hand: None | str
    """ Name of the hand that wrote its pages; null: the owner's own hand. """
    created_at: datetime.datetime
    """ When it was created. """
    owner: str
    """ Name of the account that owns it. """
    role: ProjectWithImagesRole
    """ What you are in it: `owner`; `editor`, who adds and corrects images; or `viewer`, who reads, searches and
    exports. """
    images: list[Page]
    """ Images, oldest first. """
    next_cursor: None | str
    """ Cursor of the next images; null after the last one. """
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

        images = []
        for images_item_data in self.images:
            images_item = images_item_data.to_dict()
            images.append(images_item)

        next_cursor: None | str
        next_cursor = self.next_cursor

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
                "images": images,
                "next_cursor": next_cursor,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.page import Page  # noqa: PLC0415

        d = dict(src_dict)
        project_id = d.pop("project_id")

        name = d.pop("name")

        script = check_project_with_images_script(d.pop("script"))

        def _parse_hand(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        hand = _parse_hand(d.pop("hand"))

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        owner = d.pop("owner")

        role = check_project_with_images_role(d.pop("role"))

        images = []
        _images = d.pop("images")
        for images_item_data in _images:
            images_item = Page.from_dict(images_item_data)

            images.append(images_item)

        def _parse_next_cursor(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        next_cursor = _parse_next_cursor(d.pop("next_cursor"))

        project_with_images = cls(
            project_id=project_id,
            name=name,
            script=script,
            hand=hand,
            created_at=created_at,
            owner=owner,
            role=role,
            images=images,
            next_cursor=next_cursor,
        )

        project_with_images.additional_properties = d
        return project_with_images

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
