from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="SetTrainingPolicyRequest")


@_attrs_define
class SetTrainingPolicyRequest:
    """The policy for automatic runs; replaces the earlier one.

    Example:
        {'automatic': True, 'minimum_gap_seconds': 300}

    """

    automatic: bool
    """ Whether runs are queued automatically. """
    minimum_gap_seconds: int | Unset = UNSET
    """ Minimum number of seconds between the starts of two automatic runs. """

    def to_dict(self) -> dict[str, Any]:
        automatic = self.automatic

        minimum_gap_seconds = self.minimum_gap_seconds

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "automatic": automatic,
            }
        )
        if minimum_gap_seconds is not UNSET:
            field_dict["minimum_gap_seconds"] = minimum_gap_seconds

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        automatic = d.pop("automatic")

        minimum_gap_seconds = d.pop("minimum_gap_seconds", UNSET)

        set_training_policy_request = cls(
            automatic=automatic,
            minimum_gap_seconds=minimum_gap_seconds,
        )

        return set_training_policy_request
