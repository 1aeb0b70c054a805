"""Between the contracts and the REST shapes of the learning; beside `convert`, which has the rest."""

from google.protobuf.message import Message

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import learning_pb2
from ketav_gateway import schemas_learning as schemas
from ketav_gateway.convert import moment, word

_CER_DIGITS = 5


def _figure(found: Message, name: str) -> float | None:
    """Return a figure that may be missing, rounded."""
    return round(getattr(found, name), _CER_DIGITS) if found.HasField(name) else None


def policy(found: learning_pb2.TrainingPolicy) -> schemas.PolicyAnswer:
    """Return a policy."""
    return schemas.PolicyAnswer(automatic=found.automatic, minimum_gap_seconds=found.minimum_gap_seconds)


def wanted_policy(sent: schemas.PolicyRequest) -> learning_pb2.TrainingPolicy:
    """Return a policy as the registry takes it."""
    return learning_pb2.TrainingPolicy(automatic=sent.automatic, minimum_gap_seconds=sent.minimum_gap_seconds)


def readiness(found: learning_pb2.GetReadinessResponse) -> schemas.ReadinessAnswer:
    """Return how near the next runs are."""
    return schemas.ReadinessAnswer(
        policy=policy(found.policy),
        policy_text=found.policy_text,
        active_run_id=found.active_run_id or None,
        scripts=[_script(each) for each in found.scripts],
    )


def _script(found: learning_pb2.Readiness) -> schemas.ScriptReadiness:
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
        waits_for=word(learning_pb2.WaitReason, found.wait_reason, "WAIT_REASON_")
        if found.wait_reason
        else None,
        reason=found.reason,
        expected_gain=_gain(found.expected_gain),
    )


def _gain(found: learning_pb2.ExpectedGain) -> schemas.ExpectedGain:
    """Return an estimate."""
    return schemas.ExpectedGain(
        relative_gain=round(found.relative_gain, _CER_DIGITS),
        cer_now=_figure(found, "cer_now"),
        cer_expected=_figure(found, "cer_expected"),
        basis=word(learning_pb2.GainBasis, found.basis, "GAIN_BASIS_"),
        own_runs=found.own_runs,
        source=found.source,
    )
