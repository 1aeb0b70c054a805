from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.start_training_response_state import (
    StartTrainingResponseState,
    check_start_training_response_state,
)

T = TypeVar("T", bound="StartTrainingResponse")


@_attrs_define
class StartTrainingResponse:
    """A queued training run.

    Example:
        {'run_id': '1f0e9d8c-7b6a-4c5d-9e8f-7a6b5c4d3e2f', 'state': 'queued'}

    """

    run_id: str
    """ UUID of the run. """
    state: StartTrainingResponseState
    """ State of the run: queued for a new one. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        run_id = self.run_id

        state: str = self.state

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "run_id": run_id,
                "state": state,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        run_id = d.pop("run_id")

        state = check_start_training_response_state(d.pop("state"))

        start_training_response = cls(
            run_id=run_id,
            state=state,
        )

        start_training_response.additional_properties = d
        return start_training_response

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
