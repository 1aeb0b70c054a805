from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.search_hit import SearchHit


T = TypeVar("T", bound="SearchResult")


@_attrs_define
class SearchResult:
    """A part of the hits of a search.

    Example:
        {'hits': [{'project_id': '8a7c1f0e-3a3b-4a55-9d56-0f6c7b0c9b11', 'image_id':
            'f2b1c0de-97d3-4a0e-8a53-0b6d1a2f4c22', 'line_id': '5c4b3a29-1807-4f6e-9d5c-4b3a29180744', 'order': 0, 'text':
            'שלום לכולם', 'score': 0.95, 'boundary': [[630, 120], [1110, 116], [1112, 190], [632, 196]], 'matches':
            [{'start': 5, 'end': 10, 'boundary': [[630, 120], [860, 118], [862, 193], [632, 196]]}]}], 'next_cursor': None}

    """

    hits: list[SearchHit]
    """ Best first; equal ones in the order of the pages and their lines. """
    next_cursor: None | str
    """ Cursor of the next hits; null at the end. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        hits = []
        for hits_item_data in self.hits:
            hits_item = hits_item_data.to_dict()
            hits.append(hits_item)

        next_cursor: None | str
        next_cursor = self.next_cursor

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "hits": hits,
                "next_cursor": next_cursor,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.search_hit import SearchHit  # noqa: PLC0415

        d = dict(src_dict)
        hits = []
        _hits = d.pop("hits")
        for hits_item_data in _hits:
            hits_item = SearchHit.from_dict(hits_item_data)

            hits.append(hits_item)

        def _parse_next_cursor(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        next_cursor = _parse_next_cursor(d.pop("next_cursor"))

        search_result = cls(
            hits=hits,
            next_cursor=next_cursor,
        )

        search_result.additional_properties = d
        return search_result

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
