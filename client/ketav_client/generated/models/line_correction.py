from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="LineCorrection")


@_attrs_define
class LineCorrection:
    """The correction of a line."""

    line_id: str
    """ UUID of a line of the page's latest transcription. """
    text: str
    """ The text of the line in logical order; empty: the line has no text. One of more than 4,000 code points is
    refused alone, as any text that may not be stored. """
    confirm: bool | Unset = UNSET
    """ You confirm a text that looks wrong: it trains instead of being quarantined. """

    def to_dict(self) -> dict[str, Any]:
        line_id = self.line_id

        text = self.text

        confirm = self.confirm

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "line_id": line_id,
                "text": text,
            }
        )
        if confirm is not UNSET:
            field_dict["confirm"] = confirm

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        line_id = d.pop("line_id")

        text = d.pop("text")

        confirm = d.pop("confirm", UNSET)

        line_correction = cls(
            line_id=line_id,
            text=text,
            confirm=confirm,
        )

        return line_correction
