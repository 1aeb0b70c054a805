from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="SearchMatch")


@_attrs_define
class SearchMatch:
    """A part of a line that matches a word of the query."""

    start: int
    """ Index of its first code point in the text of the line. """
    end: int
    """ Index after its last code point in the text of the line. """
    boundary: list[list[int]]
    """ Polygon around the part. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        start = self.start

        end = self.end

        boundary = []
        for boundary_item_data in self.boundary:
            boundary_item = []
            for boundary_item_item_data in boundary_item_data:
                boundary_item_item: int
                boundary_item_item = boundary_item_item_data
                boundary_item.append(boundary_item_item)

            boundary.append(boundary_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "start": start,
                "end": end,
                "boundary": boundary,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        start = d.pop("start")

        end = d.pop("end")

        boundary = []
        _boundary = d.pop("boundary")
        for boundary_item_data in _boundary:
            boundary_item = []
            _boundary_item = boundary_item_data
            for boundary_item_item_data in _boundary_item:

                def _parse_boundary_item_item(data: object) -> int:
                    return cast(int, data)

                boundary_item_item = _parse_boundary_item_item(boundary_item_item_data)

                boundary_item.append(boundary_item_item)

            boundary.append(boundary_item)

        search_match = cls(
            start=start,
            end=end,
            boundary=boundary,
        )

        search_match.additional_properties = d
        return search_match

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
