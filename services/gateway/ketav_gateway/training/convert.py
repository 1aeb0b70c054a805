"""Training runs, policy and readiness between protobuf and JSON."""

from google.protobuf.message import Message

from ketav.registry.v1 import training_pb2
from ketav_gateway.convert import enum_name, script_name, timestamp
from ketav_gateway.training import schemas
from ketav_gateway.transcriptions.schemas import UntrainedLine

_CER_DIGITS = 5


def training_run(message: training_pb2.TrainingRun) -> schemas.TrainingRun:
    """Return a training run."""
    return schemas.TrainingRun(
        run_id=message.run_id,
        state=enum_name(training_pb2.TrainingRunState, message.state, "TRAINING_RUN_STATE_"),
        script=script_name(message.script),
        hand=message.hand or None,
        new_base=message.new_base or None,
        revision=message.revision,
        epoch=message.epoch,
        epochs=message.epochs or None,
        loss=message.loss if message.HasField("loss") else None,
        cer_base=message.cer_base if message.HasField("cer_base") else None,
        cer_candidate=message.cer_candidate if message.HasField("cer_candidate") else None,
        verdict=message.verdict or None,
        model_version=message.model_version or None,
        training_lines=message.training_lines,
        holdout_lines=message.holdout_lines,
        untrained=[UntrainedLine(line_id=line.line_id, reason=line.reason) for line in message.untrained],
        cancel_requested=message.cancel_requested,
        attempts=message.attempts,
        remaining_seconds=message.remaining_seconds if message.HasField("remaining_seconds") else None,
        created_at=timestamp(message.create_time),
        updated_at=timestamp(message.update_time),
    )


def training_policy(message: training_pb2.TrainingPolicy) -> schemas.TrainingPolicy:
    """Return a policy."""
    return schemas.TrainingPolicy(
        automatic=message.automatic, minimum_gap_seconds=message.minimum_gap_seconds
    )


def training_policy_to_proto(body: schemas.SetTrainingPolicyRequest) -> training_pb2.TrainingPolicy:
    """Return the policy of a request."""
    return training_pb2.TrainingPolicy(automatic=body.automatic, minimum_gap_seconds=body.minimum_gap_seconds)


def readiness(message: training_pb2.GetReadinessResponse) -> schemas.Readiness:
    """Return when the next runs are due."""
    return schemas.Readiness(
        policy=training_policy(message.policy),
        policy_text=message.policy_text,
        active_run_id=message.active_run_id or None,
        scripts=[_script_readiness(script) for script in message.scripts],
    )


def _script_readiness(message: training_pb2.Readiness) -> schemas.ScriptReadiness:
    """Return when the next run of a script is due."""
    wait_reason = enum_name(training_pb2.WaitReason, message.wait_reason, "WAIT_REASON_")
    return schemas.ScriptReadiness(
        script=script_name(message.script),
        hand=message.hand or None,
        verified_lines=message.verified_lines,
        holdout_lines=message.holdout_lines,
        quarantined_lines=message.quarantined_lines,
        last_run_lines=message.last_run_lines,
        next_run_lines=message.next_run_lines,
        missing_lines=message.missing_lines,
        not_before=timestamp(message.not_before) if message.HasField("not_before") else None,
        waits_for=wait_reason if message.wait_reason else None,
        reason=message.reason,
        expected_gain=_expected_gain(message.expected_gain),
    )


def _expected_gain(message: training_pb2.ExpectedGain) -> schemas.ExpectedGain:
    """Return an estimate."""
    return schemas.ExpectedGain(
        relative_gain=round(message.relative_gain, _CER_DIGITS),
        cer_now=_cer(message, "cer_now"),
        cer_expected=_cer(message, "cer_expected"),
        basis=enum_name(training_pb2.GainBasis, message.basis, "GAIN_BASIS_"),
        own_runs=message.own_runs,
        source=message.source,
    )


def _cer(message: Message, field: str) -> float | None:
    """Return an optional CER, rounded; None when it is absent."""
    return round(getattr(message, field), _CER_DIGITS) if message.HasField(field) else None
