"""What a user sees of the learning, on the wire."""

from collections.abc import Sequence
from datetime import timedelta

from ketav.registry.v1 import models_pb2, next_lines_pb2, training_pb2
from ketav_registry.convert import common
from ketav_registry.domain.policy import TrainingPolicy, in_words
from ketav_registry.domain.progress import PageProgress, ReadingErrors, VersionProgress
from ketav_registry.domain.readiness import Calendar, ExpectedGain, GainBasis, Readiness, WaitReason
from ketav_registry.domain.teaching import NextLine

_REASONS = {reason: training_pb2.WaitReason.Value(f"WAIT_REASON_{reason.name}") for reason in WaitReason}
_BASES = {basis: training_pb2.GainBasis.Value(f"GAIN_BASIS_{basis.name}") for basis in GainBasis}


def policy(found: TrainingPolicy) -> training_pb2.TrainingPolicy:
    """Write a policy."""
    return training_pb2.TrainingPolicy(
        automatic=found.automatic, minimum_gap_seconds=int(found.minimum_gap.total_seconds())
    )


def wanted_policy(sent: training_pb2.TrainingPolicy) -> TrainingPolicy:
    """Read a policy."""
    return TrainingPolicy(sent.automatic, timedelta(seconds=sent.minimum_gap_seconds))


def readiness(found: Sequence[Readiness], calendar: Calendar) -> training_pb2.GetReadinessResponse:
    """Write how near the scripts are to their next runs."""
    return training_pb2.GetReadinessResponse(
        scripts=[_script(each) for each in found],
        policy=policy(calendar.policy),
        policy_text=in_words(calendar.policy),
        active_run_id=str(calendar.active_run or ""),
    )


def _script(found: Readiness) -> training_pb2.Readiness:
    """Write how near a script is."""
    standing = found.standing
    return training_pb2.Readiness(
        script=common.SCRIPTS[standing.script],
        verified_lines=standing.counts.verified,
        holdout_lines=standing.counts.held_out,
        quarantined_lines=standing.counts.quarantined,
        last_run_lines=standing.last_run_lines,
        next_run_lines=found.next_run_lines,
        missing_lines=found.missing_lines,
        not_before=common.timestamp(found.not_before) if found.not_before else None,
        wait_reason=_REASONS[found.wait_reason]
        if found.wait_reason
        else training_pb2.WAIT_REASON_UNSPECIFIED,
        reason=found.reason,
        expected_gain=_gain(found.gain),
    )


def _gain(found: ExpectedGain) -> training_pb2.ExpectedGain:
    """Write an estimate."""
    return training_pb2.ExpectedGain(
        relative_gain=found.relative_gain,
        cer_now=found.cer_now,
        cer_expected=found.cer_expected,
        basis=_BASES[found.basis],
        own_runs=found.own_runs,
        source=found.source,
    )


def progress(
    pages: Sequence[PageProgress],
    next_cursor: str,
    versions: Sequence[VersionProgress] = (),
    *,
    complete: bool = False,
) -> models_pb2.ListModelProgressResponse:
    """Write what was misread on pages, and by versions."""
    return models_pb2.ListModelProgressResponse(
        pages=[_page(each) for each in pages],
        next_cursor=next_cursor,
        versions=[_version(each) for each in versions],
        versions_complete=complete,
    )


def _errors(found: ReadingErrors) -> models_pb2.ReadingErrors:
    """Write counted errors."""
    return models_pb2.ReadingErrors(lines=found.lines, edits=found.rate.edits, length=found.rate.length)


def _page(found: PageProgress) -> models_pb2.PageProgress:
    """Write what was misread on a page."""
    page = found.page
    return models_pb2.PageProgress(
        page_id=str(page.page_id),
        project_id=str(page.project_id),
        script=common.SCRIPTS[page.script],
        model=common.model(page.model),
        read_time=common.timestamp(page.read_time),
        errors=_errors(found.errors),
    )


def _version(found: VersionProgress) -> models_pb2.VersionProgress:
    """Write what a version misread."""
    return models_pb2.VersionProgress(
        model=common.model(found.model),
        script=common.SCRIPTS[found.script],
        pages=found.pages,
        errors=_errors(found.errors),
        first_read_time=common.timestamp(found.first_read_time),
        last_read_time=common.timestamp(found.last_read_time),
    )


def next_lines(found: Sequence[NextLine], candidates: int) -> next_lines_pb2.ListNextLinesResponse:
    """Write the lines worth correcting."""
    return next_lines_pb2.ListNextLinesResponse(
        lines=[_next_line(each) for each in found], candidates=candidates
    )


def _next_line(found: NextLine) -> next_lines_pb2.NextLine:
    """Write a line worth correcting."""
    return next_lines_pb2.NextLine(
        line_id=str(found.line.line_id),
        page_id=str(found.line.page_id),
        order=found.line.order,
        text=found.line.text,
        uncertainty=found.uncertainty,
        novelty=found.novelty,
        reason=found.reason,
    )
