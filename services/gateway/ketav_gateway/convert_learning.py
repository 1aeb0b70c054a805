"""Between the contracts and the REST shapes of the learning; beside `convert`, which has the rest."""

from typing import Any

from google.protobuf.message import Message

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import models_pb2, next_lines_pb2, training_pb2
from ketav_gateway import schemas_learning as schemas
from ketav_gateway.convert import model, moment, word

_CER_DIGITS = 5


def _figure(found: Message, name: str) -> float | None:
    """Return a figure that may be missing, rounded."""
    return round(getattr(found, name), _CER_DIGITS) if found.HasField(name) else None


def policy(found: training_pb2.TrainingPolicy) -> schemas.PolicyAnswer:
    """Return a policy."""
    return schemas.PolicyAnswer(automatic=found.automatic, minimum_gap_seconds=found.minimum_gap_seconds)


def wanted_policy(sent: schemas.PolicyRequest) -> training_pb2.TrainingPolicy:
    """Return a policy as the registry takes it."""
    return training_pb2.TrainingPolicy(automatic=sent.automatic, minimum_gap_seconds=sent.minimum_gap_seconds)


def readiness(found: training_pb2.GetReadinessResponse) -> schemas.ReadinessAnswer:
    """Return how near the next runs are."""
    return schemas.ReadinessAnswer(
        policy=policy(found.policy),
        policy_text=found.policy_text,
        active_run_id=found.active_run_id or None,
        scripts=[_script(each) for each in found.scripts],
    )


def _script(found: training_pb2.Readiness) -> schemas.ScriptReadiness:
    """Return how near a script is."""
    return schemas.ScriptReadiness(
        script=word(page_pb2.Script, found.script, "SCRIPT_"),
        verified_lines=found.verified_lines,
        holdout_lines=found.holdout_lines,
        quarantined_lines=found.quarantined_lines,
        last_run_lines=found.last_run_lines,
        next_run_lines=found.next_run_lines,
        missing_lines=found.missing_lines,
        not_before=moment(found.not_before) if found.HasField("not_before") else None,
        waits_for=word(training_pb2.WaitReason, found.wait_reason, "WAIT_REASON_")
        if found.wait_reason
        else None,
        reason=found.reason,
        expected_gain=_gain(found.expected_gain),
    )


def _gain(found: training_pb2.ExpectedGain) -> schemas.ExpectedGain:
    """Return an estimate."""
    return schemas.ExpectedGain(
        relative_gain=round(found.relative_gain, _CER_DIGITS),
        cer_now=_figure(found, "cer_now"),
        cer_expected=_figure(found, "cer_expected"),
        basis=word(training_pb2.GainBasis, found.basis, "GAIN_BASIS_"),
        own_runs=found.own_runs,
        source=found.source,
    )


def progress(found: models_pb2.ListModelProgressResponse, *, first: bool) -> schemas.ProgressAnswer:
    """Return what was misread on pages; the first answer has the versions, too."""
    return schemas.ProgressAnswer(
        images=[_page(each) for each in found.pages],
        next_cursor=found.next_cursor or None,
        versions=[_version(each) for each in found.versions] if first else None,
        versions_complete=found.versions_complete if first else None,
    )


def _errors(found: models_pb2.ReadingErrors) -> dict[str, Any]:
    """Return counted errors with their rate."""
    cer = round(found.edits / found.length, _CER_DIGITS) if found.length else None
    return {"lines": found.lines, "edits": found.edits, "length": found.length, "cer": cer}


def _page(found: models_pb2.PageProgress) -> schemas.PageProgress:
    """Return what was misread on a page."""
    return schemas.PageProgress(
        image_id=found.page_id,
        project_id=found.project_id,
        script=word(page_pb2.Script, found.script, "SCRIPT_"),
        model=model(found.model),
        read_at=moment(found.read_time),
        **_errors(found.errors),
    )


def _version(found: models_pb2.VersionProgress) -> schemas.VersionProgress:
    """Return what a version misread."""
    return schemas.VersionProgress(
        model=model(found.model),
        script=word(page_pb2.Script, found.script, "SCRIPT_"),
        pages=found.pages,
        first_read_at=moment(found.first_read_time),
        last_read_at=moment(found.last_read_time),
        **_errors(found.errors),
    )


def next_lines(found: next_lines_pb2.ListNextLinesResponse) -> schemas.NextLinesAnswer:
    """Return the lines worth correcting."""
    return schemas.NextLinesAnswer(
        lines=[
            schemas.NextLine(
                line_id=each.line_id,
                image_id=each.page_id,
                order=each.order,
                text=each.text,
                uncertainty=round(each.uncertainty, _CER_DIGITS),
                novelty=round(each.novelty, _CER_DIGITS),
                reason=each.reason,
            )
            for each in found.lines
        ],
        candidates=found.candidates,
    )
