from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="TrainingPolicy")


@_attrs_define
class TrainingPolicy:
    """The policy for automatic runs.

    Example:
        {'automatic': True, 'minimum_gap_seconds': 300}

    """

    automatic: bool
    """ Whether runs are queued automatically. """
    minimum_gap_seconds: int
    """ Minimum number of seconds between the starts of two automatic runs. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        automatic = self.automatic

        minimum_gap_seconds = self.minimum_gap_seconds

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "automatic": automatic,
                "minimum_gap_seconds": minimum_gap_seconds,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        automatic = d.pop("automatic")

        minimum_gap_seconds = d.pop("minimum_gap_seconds")

        training_policy = cls(
            automatic=automatic,
            minimum_gap_seconds=minimum_gap_seconds,
        )

        training_policy.additional_properties = d
        return training_policy

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
