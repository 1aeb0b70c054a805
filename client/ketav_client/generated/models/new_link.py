from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="NewLink")


@_attrs_define
class NewLink:
    """The time of a new link.

    Example:
        {'lifetime_s': 86400}

    """

    lifetime_s: int | Unset = UNSET
    """ Seconds until the link ends: a day by default. """

    def to_dict(self) -> dict[str, Any]:
        lifetime_s = self.lifetime_s

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if lifetime_s is not UNSET:
            field_dict["lifetime_s"] = lifetime_s

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        lifetime_s = d.pop("lifetime_s", UNSET)

        new_link = cls(
            lifetime_s=lifetime_s,
        )

        return new_link
