"""Storing the model of a training run with the gate's verdict, and promoting it: once, under the fence."""

import json
from math import isfinite
from typing import Any
from uuid import uuid5

from ketav_common import faults, text
from ketav_common.errors import InvalidInput, Stale
from ketav_common.limits import MAX_MODEL_BYTES, MAX_MODEL_CARD_CODE_POINTS, MAX_VERDICT_CODE_POINTS
from ketav_registry import blobs as objects
from ketav_registry.blobs import BlobStore, Chunks
from ketav_registry.database import Database, Transaction, hold, narrow
from ketav_registry.domain.models import (
    ModelState,
    ModelVersion,
    alphabet_of,
    as_served,
    is_safetensors,
    user_model_key,
)
from ketav_registry.domain.models_publish import Publication
from ketav_registry.domain.training import HELD, RunState, TrainingRun
from ketav_registry.repository import erasure, models, training


async def publish_model(
    file: Chunks, publication: Publication, *, database: Database, blobs: BlobStore
) -> ModelVersion:
    """Store a run's model: object first, then version, promotion and the run's end in one transaction.

    Stale: the fence is not held any more (stale-fence), or the user has cancelled the run (run-cancelled).
    A repeated call gives the first answer. InvalidInput: not the announced bytes, or not safetensors.
    """
    card = _checked(publication)
    async with database.system() as transaction:
        run = await training.find_run(transaction, publication.run_id)
        done = await _published(transaction, run, publication)
    if done is not None:
        return done
    if run is None or run.fence != publication.fence or run.state not in HELD:
        raise Stale("the training run is held under another fence", code="stale-fence")
    # One name an attempt: a worker that has lost the run cannot overwrite its successor's object.
    version = str(uuid5(run.run_id, str(run.fence)))
    alphabet = await _store(file, publication, user_model_key(run.user_id, version), blobs)
    facts = {"version": version, "model_card": card, "alphabet": alphabet}
    return await _conclude(run, publication, facts, database)


def _checked(publication: Publication) -> dict[str, Any]:
    """Check what is said of a model; return its card."""
    if not all(isfinite(cer) and cer >= 0 for cer in (publication.cer_before, publication.cer_after)):
        raise InvalidInput("a CER is a number from 0", code="invalid-cer")
    text.clean(publication.verdict, max_length=MAX_VERDICT_CODE_POINTS)
    if len(publication.model_card) > MAX_MODEL_CARD_CODE_POINTS:
        raise InvalidInput("a model card has at most 64 Ki code points", code="invalid-model-card")
    try:
        card = json.loads(publication.model_card or "{}")
    except (ValueError, RecursionError) as error:
        raise InvalidInput("a model card is a JSON object", code="invalid-model-card") from error
    if not isinstance(card, dict):
        raise InvalidInput("a model card is a JSON object", code="invalid-model-card")
    return card


async def _published(
    transaction: Transaction, run: TrainingRun | None, publication: Publication
) -> ModelVersion | None:
    """Return what the same call was answered before its answer was lost."""
    if run is None or run.fence != publication.fence:
        return None
    version = await models.find_run_version(transaction, run.run_id)
    if version is None or version.model.sha256 != publication.sha256:
        return None
    serving = await models.serving_model(transaction, run.user_id, run.script)
    return as_served(version, {serving.version} if serving else set())


async def _store(file: Chunks, publication: Publication, key: str, blobs: BlobStore) -> str | None:
    """Store the file under its key, if it is what was announced; return what its model can write."""
    alphabet: str | None = None

    def name(digest: bytes) -> str:
        """Return the key, for the announced digest only."""
        if digest != publication.sha256:
            raise InvalidInput("the file has another SHA-256 than announced", code="digest-mismatch")
        return key

    def accept(head: bytes, size_bytes: int) -> bool:
        """Take safetensors only, and note the alphabet."""
        nonlocal alphabet
        alphabet = alphabet_of(head)
        return is_safetensors(head, size_bytes)

    size = publication.size_bytes
    await objects.store(blobs, file, name, max_bytes=MAX_MODEL_BYTES, size_bytes=size, accept=accept)
    return alphabet


async def _conclude(
    run: TrainingRun, publication: Publication, facts: dict[str, Any], database: Database
) -> ModelVersion:
    """End the run, store the version and promote it, in one transaction under the fence."""
    state = RunState.SUCCEEDED if publication.promote else RunState.REJECTED
    outcome = {"cer_base": publication.cer_before, "cer_candidate": publication.cer_after}
    verdict = text.clean(publication.verdict, max_length=MAX_VERDICT_CODE_POINTS)
    faults.reached("before-promotion", str(run.run_id))
    async with database.system() as transaction:
        await hold(transaction, run.user_id)
        fence = (run.run_id, run.fence)
        won = await training.finish(transaction, *fence, {**outcome, "state": state, "verdict": verdict})
        if won:
            await narrow(transaction, run.user_id)
            stored = await _insert(transaction, run, publication, facts)
            faults.reached("in-promotion", str(run.run_id))
        else:
            cancelled = await training.give_up(transaction, *fence, RunState.CANCELLED, verdict)
            await erasure.queue_object(
                transaction, run.user_id, user_model_key(run.user_id, facts["version"])
            )
    if won:
        faults.reached("after-promotion", str(run.run_id))
        return stored
    if cancelled:
        raise Stale("the user has cancelled the training run", code="run-cancelled")
    raise Stale("the training run is held under another fence", code="stale-fence")


async def _insert(
    transaction: Transaction, run: TrainingRun, publication: Publication, facts: dict[str, Any]
) -> ModelVersion:
    """Store the version of a run; make it the active one when the gate says so."""
    version = facts["version"]
    values = {
        **facts,
        "user_id": run.user_id,
        "script": run.script,
        "name": "user",
        "sha256": publication.sha256,
        "size_bytes": publication.size_bytes,
        "state": ModelState.AVAILABLE if publication.promote else ModelState.RETIRED,
        "parent_version": await training.parent_of(transaction, run.run_id),
        "run_id": run.run_id,
        "cer_before": publication.cer_before,
        "cer_after": publication.cer_after,
        "training_lines": publication.training_lines,
    }
    stored = await models.insert_version(transaction, values)
    if publication.promote:
        await models.activate(transaction, run.user_id, run.script, version)
    return as_served(stored, {version} if publication.promote else set())
