"""Training runs on the wire."""

from ketav.registry.v1 import ground_truth_pb2, training_pb2
from ketav_common.errors import InvalidInput
from ketav_registry.convert import common
from ketav_registry.convert.pages import image_message, line_message
from ketav_registry.domain.training import (
    GroundTruthPage,
    Lease,
    Progress,
    RunState,
    Split,
    TrainingRun,
)

_STATES = {
    state: training_pb2.TrainingRunState.Value(f"TRAINING_RUN_STATE_{state.name}") for state in RunState
}
_SPLITS = {split: ground_truth_pb2.Split.Value(f"SPLIT_{split.name}") for split in Split}


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


def ground_truth_part(part: GroundTruthPage | bytes) -> ground_truth_pb2.ExportGroundTruthResponse:
    """Write a part of the ground truth."""
    if isinstance(part, bytes):
        return ground_truth_pb2.ExportGroundTruthResponse(chunk=part)
    lines = [
        ground_truth_pb2.GroundTruthLine(
            line=line_message(each.line), text=each.text, split=_SPLITS[each.split]
        )
        for each in part.lines
    ]
    return ground_truth_pb2.ExportGroundTruthResponse(
        page=ground_truth_pb2.GroundTruthPage(
            page_id=str(part.page_id),
            image=image_message(part.image),
            layout=common.LAYOUTS[part.layout],
            lines=lines,
        )
    )
