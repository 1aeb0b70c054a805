from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

T = TypeVar("T", bound="HandChange")


@_attrs_define
class HandChange:
    """A change of a hand: the person who wrote the pages of projects.

    Example:
        {'name': 'Grandmother Rachel'}

    """

    name: str
    """ Name that none of your other hands has. """

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "name": name,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        name = d.pop("name")

        hand_change = cls(
            name=name,
        )

        return hand_change
