from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.script_readiness import ScriptReadiness
    from ..models.training_policy import TrainingPolicy


T = TypeVar("T", bound="Readiness")


@_attrs_define
class Readiness:
    """Due times of the caller's next training runs.

    Example:
        {'policy': {'automatic': True, 'minimum_gap_seconds': 300}, 'policy_text': 'A run starts automatically at 16
            corrected lines, then at 32, 64, 128, 256, then every 128 lines, or a week after the last run if lines were
            added. Automatic runs start at least 5 minutes apart.', 'active_run_id': None, 'scripts': [{'script':
            'modern_cursive', 'hand': None, 'verified_lines': 21, 'holdout_lines': 5, 'quarantined_lines': 1,
            'last_run_lines': 16, 'next_run_lines': 32, 'missing_lines': 11, 'not_before': '2026-11-30T09:30:00Z',
            'waits_for': 'too_few_new_lines', 'reason': 'The next run needs 11 more corrected lines. Without them it starts
            at 2026-11-30 09:30 UTC.', 'expected_gain': {'estimate': True, 'relative_gain': 0.11, 'cer_now': 0.09,
            'cer_expected': 0.08, 'basis': 'own_runs', 'own_runs': 1, 'source': 'The estimate is from a published curve. It
            is scaled by 1.20, the measured gain of your 1 run.'}}]}

    """

    policy: TrainingPolicy
    """ The policy for automatic runs. """
    policy_text: str
    """ The policy, in sentences. """
    active_run_id: None | str
    """ UUID of your active run; null: none. """
    scripts: list[ScriptReadiness]
    """ One element a hand and script, most corrected lines first. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        policy = self.policy.to_dict()

        policy_text = self.policy_text

        active_run_id: None | str
        active_run_id = self.active_run_id

        scripts = []
        for scripts_item_data in self.scripts:
            scripts_item = scripts_item_data.to_dict()
            scripts.append(scripts_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "policy": policy,
                "policy_text": policy_text,
                "active_run_id": active_run_id,
                "scripts": scripts,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.script_readiness import ScriptReadiness  # noqa: PLC0415
        from ..models.training_policy import TrainingPolicy  # noqa: PLC0415

        d = dict(src_dict)
        policy = TrainingPolicy.from_dict(d.pop("policy"))

        policy_text = d.pop("policy_text")

        def _parse_active_run_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        active_run_id = _parse_active_run_id(d.pop("active_run_id"))

        scripts = []
        _scripts = d.pop("scripts")
        for scripts_item_data in _scripts:
            scripts_item = ScriptReadiness.from_dict(scripts_item_data)

            scripts.append(scripts_item)

        readiness = cls(
            policy=policy,
            policy_text=policy_text,
            active_run_id=active_run_id,
            scripts=scripts,
        )

        readiness.additional_properties = d
        return readiness

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
