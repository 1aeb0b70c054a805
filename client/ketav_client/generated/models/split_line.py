from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="SplitLine")


@_attrs_define
class SplitLine:
    """The parts of a line.

    Example:
        {'texts': ['שלום', 'עולם'], 'x': 870}

    """

    texts: list[str]
    """ Texts of the right and of the left part. """
    x: int | None | Unset = UNSET
    """ Column of the image at which the line is divided; without it by the texts' lengths. """

    def to_dict(self) -> dict[str, Any]:
        texts = self.texts

        x: int | None | Unset
        if isinstance(self.x, Unset):
            x = UNSET
        else:
            x = self.x

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "texts": texts,
            }
        )
        if x is not UNSET:
            field_dict["x"] = x

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        texts = cast(list[str], d.pop("texts"))

        def _parse_x(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        x = _parse_x(d.pop("x", UNSET))

        split_line = cls(
            texts=texts,
            x=x,
        )

        return split_line
