from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.stored_correction import StoredCorrection


T = TypeVar("T", bound="ListCorrectionsResponse")


@_attrs_define
class ListCorrectionsResponse:
    """The history of a line.

    Example:
        {'corrections': [{'text': 'שלום לכולם', 'origin': 'user', 'confirmed': False, 'withdrawn': False, 'quarantine':
            None, 'created_at': '2026-11-23T09:30:00Z', 'author': 'Noa', 'restored_by': None}]}

    """

    corrections: list[StoredCorrection]
    """ Newest first, at most 100. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        corrections = []
        for corrections_item_data in self.corrections:
            corrections_item = corrections_item_data.to_dict()
            corrections.append(corrections_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "corrections": corrections,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.stored_correction import StoredCorrection  # noqa: PLC0415

        d = dict(src_dict)
        corrections = []
        _corrections = d.pop("corrections")
        for corrections_item_data in _corrections:
            corrections_item = StoredCorrection.from_dict(corrections_item_data)

            corrections.append(corrections_item)

        list_corrections_response = cls(
            corrections=corrections,
        )

        list_corrections_response.additional_properties = d
        return list_corrections_response

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
