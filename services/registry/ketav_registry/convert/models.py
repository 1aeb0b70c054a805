"""Model versions on the wire."""

import json
from collections.abc import Sequence

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import models_pb2 as pb
from ketav_registry.convert import common
from ketav_registry.domain.models import ModelState, ModelVersion, public_card
from ketav_registry.domain.models_publish import Publication

_STATES = {state: pb.ModelState.Value(f"MODEL_STATE_{state.name}") for state in ModelState}


def version(found: ModelVersion, *, card: bool = False) -> pb.ModelVersion:
    """Write a version, with its model card if asked; the script of a base for every script is not said."""
    return pb.ModelVersion(
        model=common.model(found.model),
        script=common.SCRIPTS[found.script] if found.script else page_pb2.SCRIPT_UNSPECIFIED,
        state=_STATES[found.state],
        parent_version=found.parent_version or "",
        run_id=str(found.run_id or ""),
        cer_before=found.cer_before,
        cer_after=found.cer_after,
        training_lines=found.training_lines,
        create_time=common.timestamp(found.create_time),
        card_json=_card(found) if card and found.model_card else "",
    )


def _card(found: ModelVersion) -> str:
    """Write what a user may read of a version's model card."""
    return json.dumps(public_card(found.model_card), ensure_ascii=False)


def whole(found: ModelVersion, lineage: Sequence[ModelVersion]) -> pb.GetModelResponse:
    """Write a version with where it comes from."""
    return pb.GetModelResponse(version=version(found, card=True), lineage=[version(each) for each in lineage])


def publication(header: pb.PublishModelHeader) -> Publication:
    """Read what a worker says of a model."""
    return Publication(
        run_id=common.uuid(header.run_id, "training run"),
        fence=header.fence,
        size_bytes=header.size_bytes,
        sha256=common.digest(header.sha256),
        cer_before=header.cer_before,
        cer_after=header.cer_after,
        promote=header.promote,
        verdict=header.verdict,
        training_lines=header.training_lines,
        model_card=header.model_card,
    )
