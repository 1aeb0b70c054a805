from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.expected_gain_basis import ExpectedGainBasis, check_expected_gain_basis
from ..types import UNSET, Unset

T = TypeVar("T", bound="ExpectedGain")


@_attrs_define
class ExpectedGain:
    """The estimated gain of the next run."""

    relative_gain: float
    """ Estimated relative reduction of the CER, 0 to 1. """
    cer_now: float | None
    """ CER of the active model on the lines of your last run's verdict; null: not measured. """
    cer_expected: float | None
    """ Estimated CER after the next run; null without cer_now. """
    basis: ExpectedGainBasis
    """ Basis of the estimate: a published curve, or that curve scaled by the gains of your runs. """
    own_runs: int
    """ Number of your runs that the estimate uses. """
    source: str
    """ The source of the estimate, in sentences. """
    estimate: bool | Unset = UNSET
    """ Always true: the gain was not measured. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        relative_gain = self.relative_gain

        cer_now: float | None
        cer_now = self.cer_now

        cer_expected: float | None
        cer_expected = self.cer_expected

        basis: str = self.basis

        own_runs = self.own_runs

        source = self.source

        estimate = self.estimate

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "relative_gain": relative_gain,
                "cer_now": cer_now,
                "cer_expected": cer_expected,
                "basis": basis,
                "own_runs": own_runs,
                "source": source,
            }
        )
        if estimate is not UNSET:
            field_dict["estimate"] = estimate

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        relative_gain = d.pop("relative_gain")

        def _parse_cer_now(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        cer_now = _parse_cer_now(d.pop("cer_now"))

        def _parse_cer_expected(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        cer_expected = _parse_cer_expected(d.pop("cer_expected"))

        basis = check_expected_gain_basis(d.pop("basis"))

        own_runs = d.pop("own_runs")

        source = d.pop("source")

        estimate = d.pop("estimate", UNSET)

        expected_gain = cls(
            relative_gain=relative_gain,
            cer_now=cer_now,
            cer_expected=cer_expected,
            basis=basis,
            own_runs=own_runs,
            source=source,
            estimate=estimate,
        )

        expected_gain.additional_properties = d
        return expected_gain

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
