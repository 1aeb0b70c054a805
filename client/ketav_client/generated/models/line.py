from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.line_region import LineRegion, check_line_region
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.word import Word


T = TypeVar("T", bound="Line")


@_attrs_define
class Line:
    """A line of a page as the model read it."""

    line_id: str
    """ UUID. """
    order: int
    """ Position in the reading order, from 0. """
    text: str
    """ Text in logical order, Unicode NFC. """
    confidence: float
    """ Mean confidence of the characters, 0 to 1. """
    baseline: list[list[int]]
    """ Polyline from which the letters hang. """
    boundary: list[list[int]]
    """ Polygon around the ink. """
    words: list[Word]
    """ Words in logical order. """
    region: LineRegion | Unset = UNSET
    """ What the line is on its page, in the words of PAGE XML; imported lines are paragraphs. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        line_id = self.line_id

        order = self.order

        text = self.text

        confidence = self.confidence

        baseline = []
        for baseline_item_data in self.baseline:
            baseline_item = []
            for baseline_item_item_data in baseline_item_data:
                baseline_item_item: int
                baseline_item_item = baseline_item_item_data
                baseline_item.append(baseline_item_item)

            baseline.append(baseline_item)

        boundary = []
        for boundary_item_data in self.boundary:
            boundary_item = []
            for boundary_item_item_data in boundary_item_data:
                boundary_item_item: int
                boundary_item_item = boundary_item_item_data
                boundary_item.append(boundary_item_item)

            boundary.append(boundary_item)

        words = []
        for words_item_data in self.words:
            words_item = words_item_data.to_dict()
            words.append(words_item)

        region: str | Unset = UNSET
        if not isinstance(self.region, Unset):
            region = self.region

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "line_id": line_id,
                "order": order,
                "text": text,
                "confidence": confidence,
                "baseline": baseline,
                "boundary": boundary,
                "words": words,
            }
        )
        if region is not UNSET:
            field_dict["region"] = region

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.word import Word  # noqa: PLC0415

        d = dict(src_dict)
        line_id = d.pop("line_id")

        order = d.pop("order")

        text = d.pop("text")

        confidence = d.pop("confidence")

        baseline = []
        _baseline = d.pop("baseline")
        for baseline_item_data in _baseline:
            baseline_item = []
            _baseline_item = baseline_item_data
            for baseline_item_item_data in _baseline_item:

                def _parse_baseline_item_item(data: object) -> int:
                    return cast(int, data)

                baseline_item_item = _parse_baseline_item_item(baseline_item_item_data)

                baseline_item.append(baseline_item_item)

            baseline.append(baseline_item)

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

        words = []
        _words = d.pop("words")
        for words_item_data in _words:
            words_item = Word.from_dict(words_item_data)

            words.append(words_item)

        _region = d.pop("region", UNSET)
        region: LineRegion | Unset
        if isinstance(_region, Unset):
            region = UNSET
        else:
            region = check_line_region(_region)

        line = cls(
            line_id=line_id,
            order=order,
            text=text,
            confidence=confidence,
            baseline=baseline,
            boundary=boundary,
            words=words,
            region=region,
        )

        line.additional_properties = d
        return line

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
