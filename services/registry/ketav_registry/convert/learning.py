"""What a user sees of the learning, on the wire."""

from collections.abc import Sequence
from datetime import timedelta

from ketav.registry.v1 import learning_pb2 as pb
from ketav_registry.convert import common
from ketav_registry.domain.policy import TrainingPolicy, in_words
from ketav_registry.domain.readiness import Calendar, ExpectedGain, GainBasis, Readiness, WaitReason

_REASONS = {reason: pb.WaitReason.Value(f"WAIT_REASON_{reason.name}") for reason in WaitReason}
_BASES = {basis: pb.GainBasis.Value(f"GAIN_BASIS_{basis.name}") for basis in GainBasis}


def policy(found: TrainingPolicy) -> pb.TrainingPolicy:
    """Write a policy."""
    return pb.TrainingPolicy(
        automatic=found.automatic, minimum_gap_seconds=int(found.minimum_gap.total_seconds())
    )


def wanted_policy(sent: pb.TrainingPolicy) -> TrainingPolicy:
    """Read a policy."""
    return TrainingPolicy(sent.automatic, timedelta(seconds=sent.minimum_gap_seconds))


def readiness(found: Sequence[Readiness], calendar: Calendar) -> pb.GetReadinessResponse:
    """Write how near the scripts are to their next runs."""
    return pb.GetReadinessResponse(
        scripts=[_script(each) for each in found],
        policy=policy(calendar.policy),
        policy_text=in_words(calendar.policy),
        active_run_id=str(calendar.active_run or ""),
    )


def _script(found: Readiness) -> pb.Readiness:
    """Write how near a script is."""
    standing = found.standing
    return pb.Readiness(
        script=common.SCRIPTS[standing.script],
        verified_lines=standing.counts.verified,
        holdout_lines=standing.counts.held_out,
        quarantined_lines=standing.counts.quarantined,
        last_run_lines=standing.last_run_lines,
        next_run_lines=found.next_run_lines,
        missing_lines=found.missing_lines,
        not_before=common.timestamp(found.not_before) if found.not_before else None,
        wait_reason=_REASONS[found.wait_reason] if found.wait_reason else pb.WAIT_REASON_UNSPECIFIED,
        reason=found.reason,
        expected_gain=_gain(found.gain),
    )


def _gain(found: ExpectedGain) -> pb.ExpectedGain:
    """Write an estimate."""
    return pb.ExpectedGain(
        relative_gain=found.relative_gain,
        cer_now=found.cer_now,
        cer_expected=found.cer_expected,
        basis=_BASES[found.basis],
        own_runs=found.own_runs,
        source=found.source,
    )
