from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.training_run import TrainingRun


T = TypeVar("T", bound="TrainingRunList")


@_attrs_define
class TrainingRunList:
    """The caller's training runs.

    Example:
        {'runs': [{'run_id': '1f0e9d8c-7b6a-4c5d-9e8f-7a6b5c4d3e2f', 'state': 'running', 'script': 'modern_cursive',
            'hand': None, 'new_base': None, 'revision': 7, 'epoch': 3, 'epochs': 12, 'loss': 0.42, 'cer_base': 0.12,
            'cer_candidate': 0.094, 'verdict': None, 'model_version': None, 'training_lines': 52, 'holdout_lines': 12,
            'untrained': [], 'cancel_requested': False, 'attempts': 1, 'remaining_seconds': 240, 'created_at':
            '2026-11-23T09:30:00Z', 'updated_at': '2026-11-23T09:32:10Z'}], 'next_cursor': None}

    """

    runs: list[TrainingRun]
    """ Runs, newest first. """
    next_cursor: None | str
    """ Cursor of the next runs; null after the last one. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        runs = []
        for runs_item_data in self.runs:
            runs_item = runs_item_data.to_dict()
            runs.append(runs_item)

        next_cursor: None | str
        next_cursor = self.next_cursor

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "runs": runs,
                "next_cursor": next_cursor,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.training_run import TrainingRun  # noqa: PLC0415

        d = dict(src_dict)
        runs = []
        _runs = d.pop("runs")
        for runs_item_data in _runs:
            runs_item = TrainingRun.from_dict(runs_item_data)

            runs.append(runs_item)

        def _parse_next_cursor(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        next_cursor = _parse_next_cursor(d.pop("next_cursor"))

        training_run_list = cls(
            runs=runs,
            next_cursor=next_cursor,
        )

        training_run_list.additional_properties = d
        return training_run_list

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
