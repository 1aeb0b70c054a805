"""Conversion of training runs."""

from collections.abc import Sequence

from ketav.registry.v1 import training_pb2
from ketav_common.errors import InvalidInput
from ketav_registry.convert import common
from ketav_registry.convert.corrections import untrained_message
from ketav_registry.domain.corrections import UntrainedLine
from ketav_registry.domain.training import Claim, Progress, RunState, TrainingRun

_STATES = {
    state: training_pb2.TrainingRunState.Value(f"TRAINING_RUN_STATE_{state.name}") for state in RunState
}


def run_state(number: int) -> RunState:
    """Return a state. InvalidInput invalid-state: the number is none."""
    for state, value in _STATES.items():
        if value == number:
            return state
    raise InvalidInput(
        f"The state {number} is not a state of a training run. Send a value of this version of the API.",
        code="invalid-state",
    )


def run_message(run: TrainingRun, untrained: Sequence[UntrainedLine] = ()) -> training_pb2.TrainingRun:
    """Return the message of a run."""
    return training_pb2.TrainingRun(
        run_id=str(run.run_id),
        state=_STATES[run.state],
        script=common.SCRIPTS[run.script],
        revision=run.revision,
        epoch=run.epoch,
        epochs=run.epochs,
        loss=run.loss,
        cer_base=run.cer_base,
        cer_candidate=run.cer_candidate,
        verdict=run.verdict,
        model_version=run.model_version or "",
        training_lines=run.training_lines,
        holdout_lines=run.holdout_lines,
        cancel_requested=run.cancel_requested,
        attempts=run.attempts,
        create_time=common.timestamp(run.create_time),
        update_time=common.timestamp(run.update_time),
        hand=run.hand.name,
        new_base=run.new_base or "",
        untrained=map(untrained_message, untrained),
        remaining_seconds=None if run.remaining is None else round(run.remaining.total_seconds()),
    )


def claim_message(claim: Claim) -> training_pb2.ClaimTrainingRunResponse:
    """Return the message of a claimed run."""
    return training_pb2.ClaimTrainingRunResponse(
        run=run_message(claim.run),
        fence=claim.run.fence,
        user_id=str(claim.run.user_id),
        parent=common.model(claim.parent),
        base=common.model(claim.base),
        lease_seconds=int(claim.lease.total_seconds()),
        traceparent=claim.run.traceparent,
        serving=common.model(claim.serving),
        own=None if claim.own is None else common.model(claim.own),
    )


def progress(request: training_pb2.ReportTrainingProgressRequest) -> Progress:
    """Return a worker's report; an absent figure is None."""
    return Progress(
        state=run_state(request.state),
        epoch=request.epoch,
        epochs=request.epochs,
        loss=request.loss if request.HasField("loss") else None,
        cer_base=request.cer_base if request.HasField("cer_base") else None,
        cer_candidate=request.cer_candidate if request.HasField("cer_candidate") else None,
    )
