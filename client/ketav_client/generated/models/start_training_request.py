from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="StartTrainingRequest")


@_attrs_define
class StartTrainingRequest:
    """The hand to train.

    Example:
        {'hand': 'Grandmother'}

    """

    hand: None | str | Unset = UNSET
    """ Name of the hand to train; null: your own, in the script with most new lines. Without this field, the hand
    with most new lines. """

    def to_dict(self) -> dict[str, Any]:
        hand: None | str | Unset
        if isinstance(self.hand, Unset):
            hand = UNSET
        else:
            hand = self.hand

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if hand is not UNSET:
            field_dict["hand"] = hand

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)

        def _parse_hand(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        hand = _parse_hand(d.pop("hand", UNSET))

        start_training_request = cls(
            hand=hand,
        )

        return start_training_request
