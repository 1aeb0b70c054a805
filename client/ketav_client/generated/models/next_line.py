from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="NextLine")


@_attrs_define
class NextLine:
    """An uncorrected line with the reasons for its rank."""

    line_id: str
    """ UUID of the line. """
    image_id: str
    """ UUID of its image. """
    order: int
    """ Position in the reading order of its page, from 0. """
    text: str
    """ The reading. """
    uncertainty: float
    """ Mean of 1 - confidence over its characters, 0 to 1; for a short line it is shrunk to the mean of the ranked
    lines. """
    novelty: float
    """ Mean of 1 / (1 + n) over its distinct sequences of 1 to 3 characters, 0 to 1: n is the number of corrected
    lines of the project and of better ranked lines that contain the sequence. """
    reason: str
    """ Why the line is listed, in sentences. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        line_id = self.line_id

        image_id = self.image_id

        order = self.order

        text = self.text

        uncertainty = self.uncertainty

        novelty = self.novelty

        reason = self.reason

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "line_id": line_id,
                "image_id": image_id,
                "order": order,
                "text": text,
                "uncertainty": uncertainty,
                "novelty": novelty,
                "reason": reason,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        line_id = d.pop("line_id")

        image_id = d.pop("image_id")

        order = d.pop("order")

        text = d.pop("text")

        uncertainty = d.pop("uncertainty")

        novelty = d.pop("novelty")

        reason = d.pop("reason")

        next_line = cls(
            line_id=line_id,
            image_id=image_id,
            order=order,
            text=text,
            uncertainty=uncertainty,
            novelty=novelty,
            reason=reason,
        )

        next_line.additional_properties = d
        return next_line

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
