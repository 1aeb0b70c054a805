"""The shapes of what a user sees of the learning."""

from datetime import datetime
from typing import Literal

from pydantic import ConfigDict, Field

from ketav_gateway import examples
from ketav_gateway.schemas import Answer, Request, Script

_GAP = "Least seconds between the starts of two automatic runs."


class PolicyRequest(Request):
    """When training runs may start by themselves; replaces what was set before."""

    model_config = ConfigDict(json_schema_extra={"example": examples.POLICY})

    automatic: bool = Field(description="Whether runs start by themselves at all.")
    minimum_gap_seconds: int = Field(300, description=_GAP, ge=0, le=604_800)


class PolicyAnswer(Answer):
    """When training runs start by themselves."""

    model_config = ConfigDict(json_schema_extra={"example": examples.POLICY})

    automatic: bool = Field(description="Whether runs start by themselves at all.")
    minimum_gap_seconds: int = Field(description=_GAP)


class ExpectedGain(Answer):
    """What the next run may gain: an estimate, never a promise."""

    estimate: Literal[True] = Field(True, description="Always: nobody has measured a run that was not made.")
    relative_gain: float = Field(description="Share of the CER that the next run may take away, 0 to 1.")
    cer_now: float | None = Field(
        description="CER of the model that serves now, on the held-out lines of your last run."
    )
    cer_expected: float | None = Field(description="CER that the next run may reach.")
    basis: Literal["published_curve", "own_runs"] = Field(description="What the estimate rests on.")
    own_runs: int = Field(description="Runs of yours that it rests on.")
    source: str = Field(description="Where it comes from, in words.")


class ScriptReadiness(Answer):
    """How near a script is to its next training run."""

    script: Script
    verified_lines: int = Field(description="Corrected lines that a run would use now.")
    holdout_lines: int = Field(description="Of these, how many would be held out to measure.")
    quarantined_lines: int = Field(
        description="Corrected lines that look wrong: no run uses them until you confirm them."
    )
    last_run_lines: int = Field(description="Verified lines of the last run; 0: there was none.")
    next_run_lines: int = Field(description="Verified lines at which the next automatic run is due.")
    missing_lines: int = Field(description="Lines missing until then.")
    not_before: datetime | None = Field(
        description="Earliest time of an automatic run if no more lines come; null: none would come."
    )
    waits_for: (
        Literal["run_active", "automatic_off", "too_few_lines", "too_few_new_lines", "minimum_gap"] | None
    ) = Field(description="Why no run starts by itself now; null: one does, within a minute.")
    reason: str = Field(description="The same in words.")
    expected_gain: ExpectedGain


class ReadinessAnswer(Answer):
    """How near your next training runs are."""

    model_config = ConfigDict(json_schema_extra={"example": examples.READINESS})

    policy: PolicyAnswer
    policy_text: str = Field(description="When runs start by themselves, in words.")
    active_run_id: str | None = Field(description="Your run that has not ended; null: none.")
    scripts: list[ScriptReadiness] = Field(description="Most verified lines first.")
