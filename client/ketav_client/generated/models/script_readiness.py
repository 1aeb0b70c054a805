from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.script_readiness_script import ScriptReadinessScript, check_script_readiness_script
from ..models.script_readiness_waits_for_type_0 import (
    ScriptReadinessWaitsForType0,
    check_script_readiness_waits_for_type_0,
)

if TYPE_CHECKING:
    from ..models.expected_gain import ExpectedGain


T = TypeVar("T", bound="ScriptReadiness")


@_attrs_define
class ScriptReadiness:
    """Number of lines of a hand, and the time of its next run."""

    script: ScriptReadinessScript
    """ The script whose model a run would train. """
    hand: None | str
    """ The hand whose model a run would train; null: your own. """
    verified_lines: int
    """ Corrected lines that a run would use now: all but the quarantined ones. """
    holdout_lines: int
    """ Those of these lines that a run would hold out. """
    quarantined_lines: int
    """ Corrected lines that look wrong: no run uses them until you confirm them. """
    last_run_lines: int
    """ Corrected lines of the last run; 0 when there was none. """
    next_run_lines: int
    """ Corrected lines at which the next automatic run is due. """
    missing_lines: int
    """ Lines missing until then; 0 when none are missing. """
    not_before: datetime.datetime | None
    """ Earliest time of an automatic run without further lines; null: none would start. """
    waits_for: None | ScriptReadinessWaitsForType0
    """ Why no automatic run starts now; null: one starts within a minute. """
    reason: str
    """ The same, in sentences. """
    expected_gain: ExpectedGain
    """ The estimated gain of the next run. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        script: str = self.script

        hand: None | str
        hand = self.hand

        verified_lines = self.verified_lines

        holdout_lines = self.holdout_lines

        quarantined_lines = self.quarantined_lines

        last_run_lines = self.last_run_lines

        next_run_lines = self.next_run_lines

        missing_lines = self.missing_lines

        not_before: None | str
        if isinstance(self.not_before, datetime.datetime):
            not_before = self.not_before.isoformat()
        else:
            not_before = self.not_before

        waits_for: None | str
        if isinstance(self.waits_for, str):
            waits_for = self.waits_for
        else:
            waits_for = self.waits_for

        reason = self.reason

        expected_gain = self.expected_gain.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "script": script,
                "hand": hand,
                "verified_lines": verified_lines,
                "holdout_lines": holdout_lines,
                "quarantined_lines": quarantined_lines,
                "last_run_lines": last_run_lines,
                "next_run_lines": next_run_lines,
                "missing_lines": missing_lines,
                "not_before": not_before,
                "waits_for": waits_for,
                "reason": reason,
                "expected_gain": expected_gain,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.expected_gain import ExpectedGain  # noqa: PLC0415

        d = dict(src_dict)
        script = check_script_readiness_script(d.pop("script"))

        def _parse_hand(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        hand = _parse_hand(d.pop("hand"))

        verified_lines = d.pop("verified_lines")

        holdout_lines = d.pop("holdout_lines")

        quarantined_lines = d.pop("quarantined_lines")

        last_run_lines = d.pop("last_run_lines")

        next_run_lines = d.pop("next_run_lines")

        missing_lines = d.pop("missing_lines")

        def _parse_not_before(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                not_before_type_0 = datetime.datetime.fromisoformat(data)

                return not_before_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        not_before = _parse_not_before(d.pop("not_before"))

        def _parse_waits_for(data: object) -> None | ScriptReadinessWaitsForType0:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                waits_for_type_0 = check_script_readiness_waits_for_type_0(data)

                return waits_for_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | ScriptReadinessWaitsForType0, data)

        waits_for = _parse_waits_for(d.pop("waits_for"))

        reason = d.pop("reason")

        expected_gain = ExpectedGain.from_dict(d.pop("expected_gain"))

        script_readiness = cls(
            script=script,
            hand=hand,
            verified_lines=verified_lines,
            holdout_lines=holdout_lines,
            quarantined_lines=quarantined_lines,
            last_run_lines=last_run_lines,
            next_run_lines=next_run_lines,
            missing_lines=missing_lines,
            not_before=not_before,
            waits_for=waits_for,
            reason=reason,
            expected_gain=expected_gain,
        )

        script_readiness.additional_properties = d
        return script_readiness

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
