from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

T = TypeVar("T", bound="MergedLines")


@_attrs_define
class MergedLines:
    """Lines to merge.

    Example:
        {'line_ids': ['5c4b3a29-1807-4f6e-9d5c-4b3a29180744', '5e4d3c2b-1a09-4f8e-9d7c-6b5a4f3e2d1d']}

    """

    line_ids: list[str]
    """ UUIDs of the lines in the order of their texts. """

    def to_dict(self) -> dict[str, Any]:
        line_ids = self.line_ids

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "line_ids": line_ids,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        line_ids = cast(list[str], d.pop("line_ids"))

        merged_lines = cls(
            line_ids=line_ids,
        )

        return merged_lines
