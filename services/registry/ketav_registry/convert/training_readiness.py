"""Conversion of the readiness for the next training runs."""

from ketav.registry.v1 import training_pb2
from ketav_registry.convert import common
from ketav_registry.convert.training_policy import policy_message
from ketav_registry.domain.training_policy import policy_text
from ketav_registry.domain.training_readiness import (
    ExpectedGain,
    GainBasis,
    Readiness,
    UserReadiness,
    WaitReason,
)

_REASONS: dict[WaitReason | None, training_pb2.WaitReason.ValueType] = {
    None: training_pb2.WAIT_REASON_UNSPECIFIED,
    **{reason: training_pb2.WaitReason.Value(f"WAIT_REASON_{reason.name}") for reason in WaitReason},
}
_BASES = {basis: training_pb2.GainBasis.Value(f"GAIN_BASIS_{basis.name}") for basis in GainBasis}


def readiness_message(readiness: UserReadiness) -> training_pb2.GetReadinessResponse:
    """Return the message of the readiness of a user's hands."""
    user = readiness.user
    return training_pb2.GetReadinessResponse(
        scripts=[_hand_message(hand) for hand in readiness.hands],
        policy=policy_message(user.policy),
        policy_text=policy_text(user.policy),
        active_run_id=str(user.active_run or ""),
    )


def _hand_message(readiness: Readiness) -> training_pb2.Readiness:
    """Return the message of the readiness of a hand."""
    status = readiness.status
    return training_pb2.Readiness(
        script=common.SCRIPTS[status.hand.script],
        hand=status.hand.name,
        verified_lines=status.counts.verified,
        holdout_lines=status.counts.holdout,
        quarantined_lines=status.counts.quarantined,
        last_run_lines=status.last_run_lines,
        next_run_lines=readiness.next_run_lines,
        missing_lines=readiness.missing_lines,
        not_before=common.timestamp(readiness.not_before) if readiness.not_before else None,
        wait_reason=_REASONS[readiness.wait_reason],
        reason=readiness.reason,
        expected_gain=_gain_message(readiness.gain),
    )


def _gain_message(gain: ExpectedGain) -> training_pb2.ExpectedGain:
    """Return the message of an estimated gain."""
    return training_pb2.ExpectedGain(
        relative_gain=gain.relative_gain,
        cer_now=gain.cer_now,
        cer_expected=gain.cer_expected,
        basis=_BASES[gain.basis],
        own_runs=gain.own_runs,
        source=gain.source,
    )
