"""Readiness for the next training run on the wire."""

from collections.abc import Sequence

from ketav.registry.v1 import training_pb2
from ketav_registry.convert import common
from ketav_registry.convert.training_policy import policy
from ketav_registry.domain.training_policy import in_words
from ketav_registry.domain.training_readiness import Calendar, ExpectedGain, GainBasis, Readiness, WaitReason

_REASONS = {reason: training_pb2.WaitReason.Value(f"WAIT_REASON_{reason.name}") for reason in WaitReason}
_BASES = {basis: training_pb2.GainBasis.Value(f"GAIN_BASIS_{basis.name}") for basis in GainBasis}


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
