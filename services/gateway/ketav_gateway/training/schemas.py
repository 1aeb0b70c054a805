"""JSON of training runs, of the policy for automatic runs, and of readiness."""

import json
from datetime import datetime
from typing import Any, Literal

from pydantic import ConfigDict, Field

from ketav_common.limits import MAX_TRAINING_GAP_SECONDS
from ketav_gateway import examples
from ketav_gateway.schemas import HandName, RequestBody, ResponseBody, Script
from ketav_gateway.transcriptions.schemas import UntrainedLine

TrainingState = Literal["queued", "running", "evaluating", "succeeded", "rejected", "failed", "cancelled"]

_AUTOMATIC = "Whether runs are queued automatically."
_GAP = "Minimum number of seconds between the starts of two automatic runs."
_POLICY_EXAMPLE: dict[str, Any] = {"automatic": True, "minimum_gap_seconds": 300}
_RUN_EXAMPLE: dict[str, Any] = {
    "run_id": examples.RUN_ID,
    "state": "running",
    "script": "modern_cursive",
    "hand": None,
    "new_base": None,
    "revision": 7,
    "epoch": 3,
    "epochs": 12,
    "loss": 0.42,
    "cer_base": 0.12,
    "cer_candidate": 0.094,
    "verdict": None,
    "model_version": None,
    "training_lines": 52,
    "holdout_lines": 12,
    "untrained": [],
    "cancel_requested": False,
    "attempts": 1,
    "remaining_seconds": 240,
    "created_at": examples.CREATED_AT,
    "updated_at": "2026-11-23T09:32:10Z",
}
EVENT_EXAMPLE = f"id: 7\nevent: running\ndata: {json.dumps(_RUN_EXAMPLE)}\n\n"
_READINESS_EXAMPLE: dict[str, Any] = {
    "policy": _POLICY_EXAMPLE,
    "policy_text": "A run starts automatically at 16 corrected lines, then at 32, 64, 128, 256, then every "
    "128 lines, or a week after the last run if lines were added. Automatic runs start at least 5 minutes "
    "apart.",
    "active_run_id": None,
    "scripts": [
        {
            "script": "modern_cursive",
            "hand": None,
            "verified_lines": 21,
            "holdout_lines": 5,
            "quarantined_lines": 1,
            "last_run_lines": 16,
            "next_run_lines": 32,
            "missing_lines": 11,
            "not_before": "2026-11-30T09:30:00Z",
            "waits_for": "too_few_new_lines",
            "reason": "The next run needs 11 more corrected lines. Without them it starts at 2026-11-30 "
            "09:30 UTC.",
            "expected_gain": {
                "estimate": True,
                "relative_gain": 0.11,
                "cer_now": 0.09,
                "cer_expected": 0.08,
                "basis": "own_runs",
                "own_runs": 1,
                "source": "The estimate is from a published curve. It is scaled by 1.20, the measured gain "
                "of your 1 run.",
            },
        }
    ],
}


class StartTrainingRequest(RequestBody):
    """The hand to train."""

    model_config = ConfigDict(json_schema_extra={"example": {"hand": "Grandmother"}})

    hand: HandName | None = Field(
        None,
        description="Name of the hand to train; null: your own, in the script with most new lines. Without "
        "this field, the hand with most new lines.",
    )


class StartTrainingResponse(ResponseBody):
    """A queued training run."""

    model_config = ConfigDict(json_schema_extra={"example": {"run_id": examples.RUN_ID, "state": "queued"}})

    run_id: str = Field(description="UUID of the run.")
    state: TrainingState = Field(description="State of the run: queued for a new one.")


class TrainingRun(ResponseBody):
    """A training run."""

    model_config = ConfigDict(json_schema_extra={"example": _RUN_EXAMPLE})

    run_id: str = Field(description="UUID of the run.")
    state: TrainingState = Field(
        description="`queued`, `running` and `evaluating` are active. `succeeded`: the new model is active; "
        "`rejected`: the gate found it not better; `failed` and `cancelled`: the run made no model."
    )
    script: Script = Field(description="The script whose model it trains.")
    hand: str | None = Field(description="The hand whose model it trains; null: your own.")
    new_base: str | None = Field(
        description="The base model that it trains from, because the hand's model descends from an older "
        "one; null: it fine-tunes the hand's model."
    )
    revision: int = Field(description="Incremented by each change; the id of the change's event.")
    epoch: int = Field(description="Completed epochs.")
    epochs: int | None = Field(description="Planned epochs; null while unknown.")
    loss: float | None = Field(
        description="Training loss of the last epoch: mean CTC loss in nats per character."
    )
    cer_base: float | None = Field(
        description="CER of the model that served when the run began, 0 to 1: on the held-out lines while "
        "the run is active, and on all lines of the verdict, held-out and cross-validated, when it has ended."
    )
    cer_candidate: float | None = Field(description="CER of the candidate on the same lines, 0 to 1.")
    verdict: str | None = Field(
        description="The gate's verdict, or why the run ended, in sentences; null: none yet."
    )
    model_version: str | None = Field(description="The version that it made; null: none.")
    training_lines: int = Field(description="Lines that train.")
    holdout_lines: int = Field(description="Lines that are held out to measure the CER.")
    untrained: list[UntrainedLine] = Field(
        [],
        description="The first 100 lines that do not train because the model cannot write their signs, "
        "listed for a single run.",
    )
    cancel_requested: bool = Field(description="Whether you have cancelled the run.")
    attempts: int = Field(description="How often a worker has claimed the run.")
    remaining_seconds: int | None = Field(
        description="Estimated seconds until the planned epochs are completed; evaluation takes additional "
        "time. null: unknown, or the run does not train now."
    )
    created_at: datetime = Field(description="When it was queued.")
    updated_at: datetime = Field(description="When it last changed.")


class SetTrainingPolicyRequest(RequestBody):
    """The policy for automatic runs; replaces the earlier one."""

    model_config = ConfigDict(json_schema_extra={"example": _POLICY_EXAMPLE})

    automatic: bool = Field(description=_AUTOMATIC)
    minimum_gap_seconds: int = Field(300, description=_GAP, ge=0, le=MAX_TRAINING_GAP_SECONDS)


class TrainingPolicy(ResponseBody):
    """The policy for automatic runs."""

    model_config = ConfigDict(json_schema_extra={"example": _POLICY_EXAMPLE})

    automatic: bool = Field(description=_AUTOMATIC)
    minimum_gap_seconds: int = Field(description=_GAP)


class ExpectedGain(ResponseBody):
    """The estimated gain of the next run."""

    estimate: Literal[True] = Field(True, description="Always true: the gain was not measured.")
    relative_gain: float = Field(description="Estimated relative reduction of the CER, 0 to 1.")
    cer_now: float | None = Field(
        description="CER of the active model on the lines of your last run's verdict; null: not measured."
    )
    cer_expected: float | None = Field(description="Estimated CER after the next run; null without cer_now.")
    basis: Literal["published_curve", "own_runs"] = Field(
        description="Basis of the estimate: a published curve, or that curve scaled by the gains of your "
        "runs."
    )
    own_runs: int = Field(description="Number of your runs that the estimate uses.")
    source: str = Field(description="The source of the estimate, in sentences.")


class ScriptReadiness(ResponseBody):
    """Number of lines of a hand, and the time of its next run."""

    script: Script = Field(description="The script whose model a run would train.")
    hand: str | None = Field(description="The hand whose model a run would train; null: your own.")
    verified_lines: int = Field(
        description="Corrected lines that a run would use now: all but the quarantined ones."
    )
    holdout_lines: int = Field(description="Those of these lines that a run would hold out.")
    quarantined_lines: int = Field(
        description="Corrected lines that look wrong: no run uses them until you confirm them."
    )
    last_run_lines: int = Field(description="Corrected lines of the last run; 0 when there was none.")
    next_run_lines: int = Field(description="Corrected lines at which the next automatic run is due.")
    missing_lines: int = Field(description="Lines missing until then; 0 when none are missing.")
    not_before: datetime | None = Field(
        description="Earliest time of an automatic run without further lines; null: none would start."
    )
    waits_for: (
        Literal["run_active", "automatic_off", "too_few_lines", "too_few_new_lines", "minimum_gap"] | None
    ) = Field(description="Why no automatic run starts now; null: one starts within a minute.")
    reason: str = Field(description="The same, in sentences.")
    expected_gain: ExpectedGain = Field(description="Estimated gain of the next run.")


class Readiness(ResponseBody):
    """Due times of the caller's next training runs."""

    model_config = ConfigDict(json_schema_extra={"example": _READINESS_EXAMPLE})

    policy: TrainingPolicy = Field(description="Your policy for automatic runs.")
    policy_text: str = Field(description="The policy, in sentences.")
    active_run_id: str | None = Field(description="UUID of your active run; null: none.")
    scripts: list[ScriptReadiness] = Field(
        description="One element a hand and script, most corrected lines first."
    )


class TrainingRunList(ResponseBody):
    """The caller's training runs."""

    model_config = ConfigDict(json_schema_extra={"example": {"runs": [_RUN_EXAMPLE], "next_cursor": None}})

    runs: list[TrainingRun] = Field(description="Runs, newest first.")
    next_cursor: str | None = Field(description="Cursor of the next runs; null after the last one.")
