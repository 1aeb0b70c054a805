from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="NewCorrection")


@_attrs_define
class NewCorrection:
    """The correction of one line.

    Example:
        {'confirm': False, 'text': 'שלום לכולם'}

    """

    text: str
    """ The text of the line in logical order; empty: the line has no text. """
    confirm: bool | Unset = UNSET
    """ You confirm a text that looks wrong: it trains instead of being quarantined. """

    def to_dict(self) -> dict[str, Any]:
        text = self.text

        confirm = self.confirm

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "text": text,
            }
        )
        if confirm is not UNSET:
            field_dict["confirm"] = confirm

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        text = d.pop("text")

        confirm = d.pop("confirm", UNSET)

        new_correction = cls(
            text=text,
            confirm=confirm,
        )

        return new_correction
