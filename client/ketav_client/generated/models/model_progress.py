from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.page_progress import PageProgress
    from ..models.version_progress import VersionProgress


T = TypeVar("T", bound="ModelProgress")


@_attrs_define
class ModelProgress:
    """Errors of first readings, from page to page and from version to version.

    Example:
        {'images': [{'lines': 24, 'edits': 61, 'length': 812, 'cer': 0.07512, 'image_id':
            'f2b1c0de-97d3-4a0e-8a53-0b6d1a2f4c22', 'project_id': '8a7c1f0e-3a3b-4a55-9d56-0f6c7b0c9b11', 'script':
            'modern_cursive', 'hand': None, 'model': {'version': 'hebrew_base-1', 'kind': 'base'}, 'read_at':
            '2026-11-23T09:30:00Z'}], 'next_cursor': None, 'versions': [{'lines': 24, 'edits': 61, 'length': 812, 'cer':
            0.07512, 'model': {'version': 'hebrew_base-1', 'kind': 'base'}, 'script': 'modern_cursive', 'hand': None,
            'pages': 1, 'first_read_at': '2026-11-23T09:30:00Z', 'last_read_at': '2026-11-23T09:30:00Z'}],
            'versions_complete': True}

    """

    images: list[PageProgress]
    """ Images, newest first; fewer than `limit` if they have much text. """
    next_cursor: None | str
    """ Cursor of the next images; null after the last one. """
    versions: list[VersionProgress] | None
    """ Totals by version, script and hand, oldest version first; null in a response to a cursor. """
    versions_complete: bool | None
    """ Whether the totals cover all corrected lines; false: the newest ones, up to a limit. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        images = []
        for images_item_data in self.images:
            images_item = images_item_data.to_dict()
            images.append(images_item)

        next_cursor: None | str
        next_cursor = self.next_cursor

        versions: list[dict[str, Any]] | None
        if isinstance(self.versions, list):
            versions = []
            for versions_type_0_item_data in self.versions:
                versions_type_0_item = versions_type_0_item_data.to_dict()
                versions.append(versions_type_0_item)

        else:
            versions = self.versions

        versions_complete: bool | None
        versions_complete = self.versions_complete

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "images": images,
                "next_cursor": next_cursor,
                "versions": versions,
                "versions_complete": versions_complete,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.page_progress import PageProgress  # noqa: PLC0415
        from ..models.version_progress import VersionProgress  # noqa: PLC0415

        d = dict(src_dict)
        images = []
        _images = d.pop("images")
        for images_item_data in _images:
            images_item = PageProgress.from_dict(images_item_data)

            images.append(images_item)

        def _parse_next_cursor(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        next_cursor = _parse_next_cursor(d.pop("next_cursor"))

        def _parse_versions(data: object) -> list[VersionProgress] | None:
            if data is None:
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                versions_type_0 = []
                _versions_type_0 = data
                for versions_type_0_item_data in _versions_type_0:
                    versions_type_0_item = VersionProgress.from_dict(versions_type_0_item_data)

                    versions_type_0.append(versions_type_0_item)

                return versions_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[VersionProgress] | None, data)

        versions = _parse_versions(d.pop("versions"))

        def _parse_versions_complete(data: object) -> bool | None:
            if data is None:
                return data
            return cast(bool | None, data)

        versions_complete = _parse_versions_complete(d.pop("versions_complete"))

        model_progress = cls(
            images=images,
            next_cursor=next_cursor,
            versions=versions,
            versions_complete=versions_complete,
        )

        model_progress.additional_properties = d
        return model_progress

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
