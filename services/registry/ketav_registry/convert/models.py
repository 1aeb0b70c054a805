"""Conversion of model versions."""

import json
from collections.abc import Sequence

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import models_pb2
from ketav_registry.convert import common
from ketav_registry.domain.models import ModelState, ModelVersion
from ketav_registry.domain.models_card import public_card
from ketav_registry.domain.models_publish import Publication

_STATES = {state: models_pb2.ModelState.Value(f"MODEL_STATE_{state.name}") for state in ModelState}


def version_message(version: ModelVersion, *, card: bool = False) -> models_pb2.ModelVersion:
    """Return the message of a version, with the public part of its model card if `card`."""
    return models_pb2.ModelVersion(
        model=common.model(version.model),
        script=common.SCRIPTS[version.script] if version.script else page_pb2.SCRIPT_UNSPECIFIED,
        state=_STATES[version.state],
        parent_version=version.parent_version or "",
        run_id=str(version.run_id or ""),
        cer_before=version.cer_before,
        cer_after=version.cer_after,
        training_lines=version.training_lines,
        create_time=common.timestamp(version.create_time),
        hand=version.hand_name,
        base_version=version.base_version or "",
        card_json=_card_json(version) if card and version.model_card else "",
    )


def _card_json(version: ModelVersion) -> str:
    """Return the public part of a version's model card as JSON."""
    card = public_card(version.model_card)
    if version.hand_name:
        card["hand"] = version.hand_name
    return json.dumps(card, ensure_ascii=False)


def lineage_message(version: ModelVersion, lineage: Sequence[ModelVersion]) -> models_pb2.GetModelResponse:
    """Return the message of a version with its ancestors."""
    return models_pb2.GetModelResponse(
        version=version_message(version, card=True),
        lineage=[version_message(ancestor) for ancestor in lineage],
    )


def publication(header: models_pb2.PublishModelHeader) -> Publication:
    """Return the header of a published model."""
    return Publication(
        run_id=common.uuid(header.run_id, "run_id"),
        fence=header.fence,
        size_bytes=header.size_bytes,
        sha256=common.digest(header.sha256),
        cer_before=header.cer_before,
        cer_after=header.cer_after,
        promote=header.promote,
        verdict=header.verdict,
        training_lines=header.training_lines,
        model_card=header.model_card,
        serving_version=header.serving_version,
        completed=header.completed,
    )
