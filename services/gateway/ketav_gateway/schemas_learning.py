"""The shapes of what a user sees of the learning."""

from datetime import datetime
from typing import Literal

from pydantic import ConfigDict, Field

from ketav_common.limits import MAX_TRAINING_GAP_SECONDS
from ketav_gateway import examples
from ketav_gateway.schemas import Answer, ModelName, Request, Script

_GAP = "Least seconds between the starts of two automatic runs."


class PolicyRequest(Request):
    """When training runs may start by themselves; replaces what was set before."""

    model_config = ConfigDict(json_schema_extra={"example": examples.POLICY})

    automatic: bool = Field(description="Whether runs start by themselves at all.")
    minimum_gap_seconds: int = Field(300, description=_GAP, ge=0, le=MAX_TRAINING_GAP_SECONDS)


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


class Errors(Answer):
    """First readings against verified texts: edits by length, over all lines together."""

    lines: int = Field(description="Lines compared: those of the first reading that have a verified text.")
    edits: int = Field(description="Insertions, deletions and substitutions of code points.")
    length: int = Field(description="Code points of the verified texts.")
    cer: float | None = Field(description="Edits divided by length; null when nothing could be compared.")


class PageProgress(Errors):
    """How well a page was read at first."""

    image_id: str = Field(description="UUID.")
    project_id: str = Field(description="UUID.")
    script: Script
    model: ModelName
    read_at: datetime = Field(description="When it was read first.")


class VersionProgress(Errors):
    """How well a version read the pages that it was the first to read."""

    model: ModelName
    script: Script
    pages: int = Field(description="Pages compared.")
    first_read_at: datetime
    last_read_at: datetime


class ProgressAnswer(Answer):
    """How far what was read at first lay from what you finally wrote."""

    model_config = ConfigDict(json_schema_extra={"example": examples.PROGRESS})

    images: list[PageProgress] = Field(
        description="Newest first; fewer than asked for when they hold much text."
    )
    next_cursor: str | None = Field(description="Cursor of the following pages; null after the last.")
    versions: list[VersionProgress] | None = Field(
        description="All pages by version and script, the version that read first at the beginning; "
        "only in the answer without a cursor."
    )
    versions_complete: bool | None = Field(
        description="Whether every verified line was compared; false: the newest ones, up to a bound."
    )


class NextLine(Answer):
    """A line worth correcting."""

    line_id: str = Field(description="UUID.")
    image_id: str = Field(description="UUID.")
    order: int = Field(description="Place in the page's reading order, from 0.")
    text: str = Field(description="As it was read.")
    uncertainty: float = Field(
        description="Mean of 1 - confidence over its characters, 0 to 1; a short line's is drawn to the "
        "project's mean."
    )
    novelty: float = Field(description="How much of it is unlike the lines before it, 0 to 1.")
    reason: str = Field(description="Why it is listed, in words.")


class NextLinesAnswer(Answer):
    """The uncorrected lines whose correction would teach most."""

    model_config = ConfigDict(json_schema_extra={"example": examples.NEXT_LINES})

    lines: list[NextLine] = Field(description="Best first.")
    candidates: int = Field(description="Uncorrected lines of the project altogether.")
