from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="WithdrawCorrectionResponse")


@_attrs_define
class WithdrawCorrectionResponse:
    """The consequences of a withdrawal.

    Example:
        {'line_id': '5c4b3a29-1807-4f6e-9d5c-4b3a29180744', 'ground_truth_lines': 41, 'tainted_versions':
            ['b9a0c1d2-5f64-5a3e-8b7c-6d5e4f3a2b1c'], 'cancelled_run_id': None, 'retraining': True}

    """

    line_id: str
    """ UUID of the line, which counts as uncorrected now. """
    ground_truth_lines: int
    """ Number of your lines that would train now. """
    tainted_versions: list[str]
    """ Your model versions that were trained on the line: they never serve again. None was where the line is held
    out. """
    cancelled_run_id: None | str
    """ UUID of the training run that was cancelled because it trains on the line; null: none. """
    retraining: bool
    """ Whether a training run without the line will be queued. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        line_id = self.line_id

        ground_truth_lines = self.ground_truth_lines

        tainted_versions = self.tainted_versions

        cancelled_run_id: None | str
        cancelled_run_id = self.cancelled_run_id

        retraining = self.retraining

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "line_id": line_id,
                "ground_truth_lines": ground_truth_lines,
                "tainted_versions": tainted_versions,
                "cancelled_run_id": cancelled_run_id,
                "retraining": retraining,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        line_id = d.pop("line_id")

        ground_truth_lines = d.pop("ground_truth_lines")

        tainted_versions = cast(list[str], d.pop("tainted_versions"))

        def _parse_cancelled_run_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        cancelled_run_id = _parse_cancelled_run_id(d.pop("cancelled_run_id"))

        retraining = d.pop("retraining")

        withdraw_correction_response = cls(
            line_id=line_id,
            ground_truth_lines=ground_truth_lines,
            tainted_versions=tainted_versions,
            cancelled_run_id=cancelled_run_id,
            retraining=retraining,
        )

        withdraw_correction_response.additional_properties = d
        return withdraw_correction_response

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
