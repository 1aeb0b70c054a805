"""Converts between protobuf messages and the trainer's own types."""

from collections.abc import Iterator
from typing import Final, Literal
from uuid import UUID

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import ground_truth_pb2, models_pb2, training_pb2
from ketav_common import faults
from ketav_common.chunks import chunks
from ketav_trainer.domain import Candidate, Claim, GroundTruthLine, GroundTruthPage, ModelRef, Progress, State

ENDED: Final = frozenset(
    {
        training_pb2.TRAINING_RUN_STATE_SUCCEEDED,
        training_pb2.TRAINING_RUN_STATE_REJECTED,
        training_pb2.TRAINING_RUN_STATE_FAILED,
        training_pb2.TRAINING_RUN_STATE_CANCELLED,
    }
)
"""States in which a run has ended."""


def to_claim(response: training_pb2.ClaimTrainingRunResponse) -> Claim:
    """Decode a claimed run."""
    return Claim(
        run_id=response.run.run_id,
        fence=response.fence,
        user_id=UUID(response.user_id),
        parent=_to_model(response.parent),
        serving=_to_model(response.serving if response.HasField("serving") else response.parent),
        base=_to_model(response.base),
        lease_s=float(response.lease_seconds),
        own=_to_model(response.own) if response.HasField("own") else None,
        from_new_base=bool(response.run.new_base),
        traceparent=response.traceparent,
    )


def from_progress(claim: Claim, progress: Progress) -> training_pb2.ReportTrainingProgressRequest:
    """Encode the progress of a run."""
    return training_pb2.ReportTrainingProgressRequest(
        run_id=claim.run_id,
        fence=claim.fence,
        state=_state(progress.state),
        epoch=progress.epoch,
        epochs=progress.epochs,
        loss=progress.loss,
        cer_base=progress.cer_base,
        cer_candidate=progress.cer_candidate,
    )


def from_end(claim: Claim, state: State, verdict: str) -> training_pb2.EndTrainingRunRequest:
    """Encode the end of an attempt."""
    return training_pb2.EndTrainingRunRequest(
        run_id=claim.run_id, fence=claim.fence, state=_state(state), verdict=verdict
    )


def from_candidate(claim: Claim, candidate: Candidate) -> Iterator[models_pb2.PublishModelRequest]:
    """Encode a candidate: the header, then the file in chunks of 1 MiB.

    The header has the digest of the file that was measured; the registry refuses any other file.
    """
    content = candidate.path.read_bytes()
    verdict = candidate.verdict
    header = models_pb2.PublishModelHeader(
        run_id=claim.run_id,
        fence=claim.fence,
        size_bytes=len(content),
        sha256=bytes.fromhex(candidate.sha256),
        cer_before=verdict.cer_before,
        cer_after=verdict.cer_after,
        promote=verdict.promote,
        verdict=verdict.sentence,
        training_lines=candidate.training_lines,
        model_card=candidate.card,
        serving_version=candidate.serving_version,
        completed=candidate.completed,
    )
    yield models_pb2.PublishModelRequest(header=header)
    faults.reached("during-upload", claim.run_id)
    for chunk in chunks(content):
        yield models_pb2.PublishModelRequest(chunk=chunk)


def to_page(page: ground_truth_pb2.GroundTruthPage, image: str) -> GroundTruthPage:
    """Decode a page of the ground truth whose image is stored in the file `image`."""
    layout: Literal["page", "line"] = "line" if page.layout == page_pb2.LAYOUT_LINE else "page"
    return GroundTruthPage(image, layout, tuple(_to_line(line) for line in page.lines))


def _to_line(line: ground_truth_pb2.GroundTruthLine) -> GroundTruthLine:
    """Decode a line of the ground truth."""
    return GroundTruthLine(
        baseline=tuple((point.x, point.y) for point in line.line.baseline),
        boundary=tuple((point.x, point.y) for point in line.line.boundary),
        text=line.text,
        holdout=line.split == ground_truth_pb2.SPLIT_HOLDOUT,
        trained=line.trained,
    )


def _to_model(model: page_pb2.Model) -> ModelRef:
    """Decode a model's version, digest and length."""
    return ModelRef(model.version, model.sha256.hex(), model.size_bytes)


def _state(state: State) -> "training_pb2.TrainingRunState.ValueType":
    """Encode a state."""
    return training_pb2.TrainingRunState.Value(f"TRAINING_RUN_STATE_{state}")
