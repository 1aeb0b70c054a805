from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.training_run_script import TrainingRunScript, check_training_run_script
from ..models.training_run_state import TrainingRunState, check_training_run_state
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.untrained_line import UntrainedLine


T = TypeVar("T", bound="TrainingRun")


@_attrs_define
class TrainingRun:
    """A training run.

    Example:
        {'run_id': '1f0e9d8c-7b6a-4c5d-9e8f-7a6b5c4d3e2f', 'state': 'running', 'script': 'modern_cursive', 'hand': None,
            'new_base': None, 'revision': 7, 'epoch': 3, 'epochs': 12, 'loss': 0.42, 'cer_base': 0.12, 'cer_candidate':
            0.094, 'verdict': None, 'model_version': None, 'training_lines': 52, 'holdout_lines': 12, 'untrained': [],
            'cancel_requested': False, 'attempts': 1, 'remaining_seconds': 240, 'created_at': '2026-11-23T09:30:00Z',
            'updated_at': '2026-11-23T09:32:10Z'}

    """

    run_id: str
    """ UUID of the run. """
    state: TrainingRunState
    """ `queued`, `running` and `evaluating` are active. `succeeded`: the new model is active; `rejected`: the gate
    found it not better; `failed` and `cancelled`: the run made no model. """
    script: TrainingRunScript
    """ The script whose model it trains. """
    hand: None | str
    """ The hand whose model it trains; null: your own. """
    new_base: None | str
    """ The base model that it trains from, because the hand's model descends from an older one; null: it fine-tunes
    the hand's model. """
    revision: int
    """ Incremented by each change; the id of the change's event. """
    epoch: int
    """ Completed epochs. """
    epochs: int | None
    """ Planned epochs; null while unknown. """
    loss: float | None
    """ Training loss of the last epoch: mean CTC loss in nats per character. """
    cer_base: float | None
    """ CER of the model that served when the run began, 0 to 1: on the held-out lines while the run is active, and
    on all lines of the verdict, held-out and cross-validated, when it has ended. """
    cer_candidate: float | None
    """ CER of the candidate on the same lines, 0 to 1. """
    verdict: None | str
    """ The gate's verdict, or why the run ended, in sentences; null: none yet. """
    model_version: None | str
    """ The version that it made; null: none. """
    training_lines: int
    """ Lines that train. """
    holdout_lines: int
    """ Lines that are held out to measure the CER. """
    cancel_requested: bool
    """ Whether you have cancelled the run. """
    attempts: int
    """ How often a worker has claimed the run. """
    remaining_seconds: int | None
    """ Estimated seconds until the planned epochs are completed; evaluation takes additional time. null: unknown,
    or the run does not train now. """
    created_at: datetime.datetime
    """ When it was queued. """
    updated_at: datetime.datetime
    """ When it last changed. """
    untrained: list[UntrainedLine] | Unset = UNSET
    """ The first 100 lines that do not train because the model cannot write their signs, listed for a single run.
    """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        run_id = self.run_id

        state: str = self.state

        script: str = self.script

        hand: None | str
        hand = self.hand

        new_base: None | str
        new_base = self.new_base

        revision = self.revision

        epoch = self.epoch

        epochs: int | None
        epochs = self.epochs

        loss: float | None
        loss = self.loss

        cer_base: float | None
        cer_base = self.cer_base

        cer_candidate: float | None
        cer_candidate = self.cer_candidate

        verdict: None | str
        verdict = self.verdict

        model_version: None | str
        model_version = self.model_version

        training_lines = self.training_lines

        holdout_lines = self.holdout_lines

        cancel_requested = self.cancel_requested

        attempts = self.attempts

        remaining_seconds: int | None
        remaining_seconds = self.remaining_seconds

        created_at = self.created_at.isoformat()

        updated_at = self.updated_at.isoformat()

        untrained: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.untrained, Unset):
            untrained = []
            for untrained_item_data in self.untrained:
                untrained_item = untrained_item_data.to_dict()
                untrained.append(untrained_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "run_id": run_id,
                "state": state,
                "script": script,
                "hand": hand,
                "new_base": new_base,
                "revision": revision,
                "epoch": epoch,
                "epochs": epochs,
                "loss": loss,
                "cer_base": cer_base,
                "cer_candidate": cer_candidate,
                "verdict": verdict,
                "model_version": model_version,
                "training_lines": training_lines,
                "holdout_lines": holdout_lines,
                "cancel_requested": cancel_requested,
                "attempts": attempts,
                "remaining_seconds": remaining_seconds,
                "created_at": created_at,
                "updated_at": updated_at,
            }
        )
        if untrained is not UNSET:
            field_dict["untrained"] = untrained

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.untrained_line import UntrainedLine  # noqa: PLC0415

        d = dict(src_dict)
        run_id = d.pop("run_id")

        state = check_training_run_state(d.pop("state"))

        script = check_training_run_script(d.pop("script"))

        def _parse_hand(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        hand = _parse_hand(d.pop("hand"))

        def _parse_new_base(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        new_base = _parse_new_base(d.pop("new_base"))

        revision = d.pop("revision")

        epoch = d.pop("epoch")

        def _parse_epochs(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        epochs = _parse_epochs(d.pop("epochs"))

        def _parse_loss(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        loss = _parse_loss(d.pop("loss"))

        def _parse_cer_base(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        cer_base = _parse_cer_base(d.pop("cer_base"))

        def _parse_cer_candidate(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        cer_candidate = _parse_cer_candidate(d.pop("cer_candidate"))

        def _parse_verdict(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        verdict = _parse_verdict(d.pop("verdict"))

        def _parse_model_version(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        model_version = _parse_model_version(d.pop("model_version"))

        training_lines = d.pop("training_lines")

        holdout_lines = d.pop("holdout_lines")

        cancel_requested = d.pop("cancel_requested")

        attempts = d.pop("attempts")

        def _parse_remaining_seconds(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        remaining_seconds = _parse_remaining_seconds(d.pop("remaining_seconds"))

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        updated_at = datetime.datetime.fromisoformat(d.pop("updated_at"))

        _untrained = d.pop("untrained", UNSET)
        untrained: list[UntrainedLine] | Unset = UNSET
        if _untrained is not UNSET:
            untrained = []
            for untrained_item_data in _untrained:
                untrained_item = UntrainedLine.from_dict(untrained_item_data)

                untrained.append(untrained_item)

        training_run = cls(
            run_id=run_id,
            state=state,
            script=script,
            hand=hand,
            new_base=new_base,
            revision=revision,
            epoch=epoch,
            epochs=epochs,
            loss=loss,
            cer_base=cer_base,
            cer_candidate=cer_candidate,
            verdict=verdict,
            model_version=model_version,
            training_lines=training_lines,
            holdout_lines=holdout_lines,
            cancel_requested=cancel_requested,
            attempts=attempts,
            remaining_seconds=remaining_seconds,
            created_at=created_at,
            updated_at=updated_at,
            untrained=untrained,
        )

        training_run.additional_properties = d
        return training_run

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
