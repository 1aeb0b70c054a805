"""Model versions from protobuf to JSON."""

import json
from typing import Any

from ketav.registry.v1 import models_pb2
from ketav_gateway.convert import enum_name, model, script_name, timestamp
from ketav_gateway.models import schemas

_CER_DIGITS = 5


def model_version(message: models_pb2.ModelVersion) -> schemas.ModelVersion:
    """Return the metadata of a version, without digest and length of its file."""
    return schemas.ModelVersion(
        **model(message.model).model_dump(),
        script=script_name(message.script) if message.script else None,
        hand=message.hand or None,
        state=enum_name(models_pb2.ModelState, message.state, "MODEL_STATE_"),
        parent_version=message.parent_version or None,
        base_version=message.base_version or None,
        run_id=message.run_id or None,
        cer_before=message.cer_before if message.HasField("cer_before") else None,
        cer_after=message.cer_after if message.HasField("cer_after") else None,
        training_lines=message.training_lines,
        created_at=timestamp(message.create_time),
    )


def model_record(message: models_pb2.GetModelResponse) -> schemas.ModelRecord:
    """Return a version with its lineage and its model card."""
    return schemas.ModelRecord(
        **model_version(message.version).model_dump(),
        lineage=[model_version(version) for version in message.lineage],
        card=json.loads(message.version.card_json or "{}"),
    )


def _errors(message: models_pb2.ReadingErrors) -> dict[str, Any]:
    """Return the fields of ReadingErrors."""
    cer = round(message.edits / message.length, _CER_DIGITS) if message.length else None
    return {"lines": message.lines, "edits": message.edits, "length": message.length, "cer": cer}


def _page_progress(message: models_pb2.PageProgress) -> schemas.PageProgress:
    """Return the errors of the first reading of a page."""
    return schemas.PageProgress(
        image_id=message.page_id,
        project_id=message.project_id,
        script=script_name(message.script),
        hand=message.hand or None,
        model=model(message.model),
        read_at=timestamp(message.read_time),
        **_errors(message.errors),
    )


def _version_progress(message: models_pb2.VersionProgress) -> schemas.VersionProgress:
    """Return the errors of a version."""
    return schemas.VersionProgress(
        model=model(message.model),
        script=script_name(message.script),
        hand=message.hand or None,
        pages=message.pages,
        first_read_at=timestamp(message.first_read_time),
        last_read_at=timestamp(message.last_read_time),
        **_errors(message.errors),
    )


def model_progress(
    message: models_pb2.ListModelProgressResponse, *, with_versions: bool
) -> schemas.ModelProgress:
    """Return the errors of first readings; the totals by version only `with_versions`."""
    return schemas.ModelProgress(
        images=[_page_progress(page) for page in message.pages],
        next_cursor=message.next_cursor or None,
        versions=[_version_progress(version) for version in message.versions] if with_versions else None,
        versions_complete=message.versions_complete if with_versions else None,
    )
