"""Training runs on the wire."""

from ketav.registry.v1 import training_pb2
from ketav_common.errors import InvalidInput
from ketav_registry.convert import common
from ketav_registry.domain.training import Lease, Progress, RunState, TrainingRun

_STATES = {
    state: training_pb2.TrainingRunState.Value(f"TRAINING_RUN_STATE_{state.name}") for state in RunState
}


def state(number: int) -> RunState:
    """Read a state (InvalidInput: none)."""
    for member, value in _STATES.items():
        if value == number:
            return member
    raise InvalidInput(f"{number} is no state of a training run", code="invalid-state")


def run(found: TrainingRun) -> training_pb2.TrainingRun:
    """Write a run."""
    return training_pb2.TrainingRun(
        run_id=str(found.run_id),
        state=_STATES[found.state],
        script=common.SCRIPTS[found.script],
        revision=found.revision,
        epoch=found.epoch,
        epochs=found.epochs,
        loss=found.loss,
        cer_base=found.cer_base,
        cer_candidate=found.cer_candidate,
        verdict=found.verdict,
        model_version=found.model_version or "",
        training_lines=found.training_lines,
        holdout_lines=found.holdout_lines,
        cancel_requested=found.cancel_requested,
        attempts=found.attempts,
        create_time=common.timestamp(found.create_time),
        update_time=common.timestamp(found.update_time),
        remaining_seconds=None if found.remaining is None else round(found.remaining.total_seconds()),
    )


def lease(found: Lease) -> training_pb2.ClaimTrainingRunResponse:
    """Write a claimed run."""
    return training_pb2.ClaimTrainingRunResponse(
        run=run(found.run),
        fence=found.run.fence,
        user_id=str(found.run.user_id),
        parent=common.model(found.parent),
        base=common.model(found.base),
        lease_seconds=int(found.length.total_seconds()),
    )


def progress(sent: training_pb2.ReportTrainingProgressRequest) -> Progress:
    """Read a worker's report."""
    return Progress(
        state=state(sent.state),
        epoch=sent.epoch,
        epochs=sent.epochs,
        loss=sent.loss if sent.HasField("loss") else None,
        cer_base=sent.cer_base if sent.HasField("cer_base") else None,
        cer_candidate=sent.cer_candidate if sent.HasField("cer_candidate") else None,
    )
