from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.next_line import NextLine


T = TypeVar("T", bound="NextLineList")


@_attrs_define
class NextLineList:
    """The uncorrected lines whose correction improves your model most.

    Example:
        {'lines': [{'line_id': '5c4b3a29-1807-4f6e-9d5c-4b3a29180744', 'image_id':
            'f2b1c0de-97d3-4a0e-8a53-0b6d1a2f4c22', 'order': 0, 'text': 'שלום עולם', 'uncertainty': 0.31, 'novelty': 0.62,
            'reason': 'The mean confidence of its characters is 69%. Most of its letter sequences are new.'}], 'candidates':
            40}

    """

    lines: list[NextLine]
    """ Lines, best first. """
    candidates: int
    """ Number of uncorrected lines of the project. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        lines = []
        for lines_item_data in self.lines:
            lines_item = lines_item_data.to_dict()
            lines.append(lines_item)

        candidates = self.candidates

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "lines": lines,
                "candidates": candidates,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.next_line import NextLine  # noqa: PLC0415

        d = dict(src_dict)
        lines = []
        _lines = d.pop("lines")
        for lines_item_data in _lines:
            lines_item = NextLine.from_dict(lines_item_data)

            lines.append(lines_item)

        candidates = d.pop("candidates")

        next_line_list = cls(
            lines=lines,
            candidates=candidates,
        )

        next_line_list.additional_properties = d
        return next_line_list

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
