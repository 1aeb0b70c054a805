"""Publication of the model of a training run, and its promotion: at most once, under the run's fence."""

import json
from dataclasses import dataclass
from math import isfinite
from typing import Any
from uuid import uuid5

from ketav_common import faults, text
from ketav_common.errors import InvalidInput, Stale
from ketav_common.limits import MAX_MODEL_BYTES, MAX_MODEL_CARD_CODE_POINTS, MAX_VERDICT_CODE_POINTS
from ketav_registry import blobs as objects
from ketav_registry.blobs import Chunks
from ketav_registry.database import Transaction, block_deletion, restrict_to_user
from ketav_registry.domain.models import ModelState, ModelVersion, user_model_key, with_active_state
from ketav_registry.domain.models_files import is_safetensors, read_alphabet
from ketav_registry.domain.models_publish import Publication
from ketav_registry.domain.training import LEASED_STATES, FencedRun, RunState, TrainingRun
from ketav_registry.repository import ground_truth, models, object_removal, training
from ketav_registry.stores import Stores
from ketav_registry.usecases.training import count_end, stale_fence

_CARD_CODE = "invalid-model-card"


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A published model whose object is stored, with the run that has trained it."""

    run: TrainingRun
    publication: Publication
    version: str
    verdict: str
    card: dict[str, Any]
    alphabet: str | None

    @property
    def key(self) -> str:
        """Key of the model's object."""
        return user_model_key(self.run.user_id, self.version)


async def publish_model(file: Chunks, publication: Publication, *, stores: Stores) -> ModelVersion:
    """Store a run's model: first the object; then version, promotion and end of the run in one transaction.

    Stale stale-fence: the fence is stale. Stale run-ended: the run has ended. Stale run-cancelled: the user
    has cancelled the run. A repeated call gets the first response. InvalidInput: header or file are invalid,
    or do not match.
    """
    verdict = text.clean(publication.verdict, max_length=MAX_VERDICT_CODE_POINTS)
    card = _checked_card(publication)
    async with stores.database.system() as transaction:
        run = await training.find_run(transaction, publication.run_id)
        published = await _find_published(transaction, run, publication)
    if published is not None:
        return published
    if run is None or run.fence != publication.fence or run.state not in LEASED_STATES:
        raise stale_fence(run)
    # Each claim has its own name: a worker with a stale fence cannot overwrite the object of the next one.
    version = str(uuid5(run.run_id, str(run.fence)))
    alphabet = await _store_file(file, publication, user_model_key(run.user_id, version), stores)
    return await _finish_run(_Candidate(run, publication, version, verdict, card, alphabet), stores)


def _checked_card(publication: Publication) -> dict[str, Any]:
    """Return the model card of a publication, parsed. InvalidInput: the card or a CER is invalid."""
    if not all(isfinite(cer) and cer >= 0 for cer in (publication.cer_before, publication.cer_after)):
        raise InvalidInput(
            "A CER of the model is negative or not finite. Publish the CERs that the gate has compared.",
            code="invalid-cer",
        )
    length = len(publication.model_card)
    if length > MAX_MODEL_CARD_CODE_POINTS:
        raise InvalidInput(
            f"The model card has {length:,} code points. Publish at most {MAX_MODEL_CARD_CODE_POINTS:,}.",
            code=_CARD_CODE,
        )
    try:
        card = json.loads(publication.model_card or "{}")
    except (ValueError, RecursionError) as error:
        raise InvalidInput("The model card is not JSON. Publish a JSON object.", code=_CARD_CODE) from error
    if not isinstance(card, dict):
        raise InvalidInput("The model card is not a JSON object. Publish a JSON object.", code=_CARD_CODE)
    return card


async def _find_published(
    transaction: Transaction, run: TrainingRun | None, publication: Publication
) -> ModelVersion | None:
    """Return the version that the same call has published, if its response was lost."""
    if run is None or run.fence != publication.fence:
        return None
    version = await models.find_run_version(transaction, run.run_id)
    if version is None or version.model.sha256 != publication.sha256:
        return None
    serving = await models.serving_model(transaction, run.user_id, run.hand)
    return with_active_state(version, {serving.version} if serving else set())


async def _store_file(file: Chunks, publication: Publication, key: str, stores: Stores) -> str | None:
    """Store a publication's file and return its alphabet, None without one.

    InvalidInput: the file is not safetensors, or has another digest or length than the publication.
    """
    alphabet: str | None = None

    def key_of(digest: bytes) -> str:
        """Return the key; InvalidInput for a digest that is not the one of the header."""
        if digest != publication.sha256:
            raise InvalidInput(
                "The SHA-256 of the file is not the one in the header. Send the file again.",
                code="digest-mismatch",
            )
        return key

    def accept(head: bytes, size_bytes: int) -> bool:
        """Return whether the file is safetensors, and read its alphabet."""
        nonlocal alphabet
        alphabet = read_alphabet(head)
        return is_safetensors(head, size_bytes)

    size_bytes = publication.size_bytes
    await objects.store(
        stores.blobs, file, key_of, max_bytes=MAX_MODEL_BYTES, size_bytes=size_bytes, accept=accept
    )
    return alphabet


async def _finish_run(candidate: _Candidate, stores: Stores) -> ModelVersion:
    """End the run, insert the version and promote it, in one transaction under the run's fence."""
    run, publication = candidate.run, candidate.publication
    claimed = FencedRun(run.run_id, run.fence)
    outcome = {
        "state": RunState.SUCCEEDED if publication.promote else RunState.REJECTED,
        "verdict": candidate.verdict,
        "cer_base": publication.cer_before,
        "cer_candidate": publication.cer_after,
    }
    if publication.serving_version:
        outcome["serving_version"] = publication.serving_version
    faults.reached("before-promotion", str(run.run_id))
    cancelled = False
    async with stores.database.system() as transaction:
        await block_deletion(transaction, run.user_id)
        finished = await training.finish(transaction, claimed, outcome)
        if finished:
            await restrict_to_user(transaction, run.user_id)
            version = await _insert_version(transaction, candidate)
            faults.reached("in-promotion", str(run.run_id))
        else:
            cancelled = await training.release(transaction, claimed, RunState.CANCELLED, candidate.verdict)
            await object_removal.enqueue(transaction, run.user_id, [candidate.key])
        latest = await training.find_run(transaction, run.run_id)
    if latest is not None and (finished or cancelled):
        count_end(latest)
    if finished:
        faults.reached("after-promotion", str(run.run_id))
        return version
    if cancelled:
        raise Stale(
            "The user has cancelled the training run. Stop working on this run.", code="run-cancelled"
        )
    raise stale_fence(latest)


async def _insert_version(transaction: Transaction, candidate: _Candidate) -> ModelVersion:
    """Insert the version of a run; make it the active one if the gate accepted it."""
    run, publication = candidate.run, candidate.publication
    values = {
        "version": candidate.version,
        "user_id": run.user_id,
        "script": run.script,
        "hand_id": run.hand.hand_id,
        "name": "user",
        "sha256": publication.sha256,
        "size_bytes": publication.size_bytes,
        "state": ModelState.AVAILABLE if publication.promote else ModelState.RETIRED,
        "parent_version": await training.parent_of(transaction, run.run_id),
        "run_id": run.run_id,
        "cer_before": publication.cer_before,
        "cer_after": publication.cer_after,
        "training_lines": publication.training_lines,
        "alphabet": candidate.alphabet,
        "model_card": candidate.card,
    }
    version = await models.insert_version(transaction, values)
    if publication.completed:
        await ground_truth.mark_completed(transaction, run.run_id)
    if publication.promote:
        await models.activate(transaction, run.user_id, run.hand, candidate.version)
    elif run.hand.hand_id is not None:
        await _serve_by_compared(transaction, run, publication.serving_version)
    return with_active_state(version, {candidate.version} if publication.promote else set())


async def _serve_by_compared(transaction: Transaction, run: TrainingRun, compared: str) -> None:
    """Make the version that a rejected model was compared with serve a hand without a version of its own.

    It is the base, or the version of the user's own hand that read the hand's lines better than the base.
    """
    active = await models.active_version(transaction, run.user_id, run.hand)
    other = await models.find_version(transaction, run.user_id, compared)
    if (active is not None and active.hand_id is not None) or other is None or other.hand_id is not None:
        return
    version = None if other.user_id is None else compared
    if other.state is ModelState.AVAILABLE and version != (active and active.model.version):
        await models.activate(transaction, run.user_id, run.hand, version)
