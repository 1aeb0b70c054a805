"""Model versions of a user: listed, shown, and made active for a hand."""

from dataclasses import dataclass
from uuid import UUID

from ketav_common.errors import Precondition
from ketav_registry.database import Transaction
from ketav_registry.domain.models import ModelVersion, Script, with_active_state
from ketav_registry.domain.projects_hands import Hand
from ketav_registry.domain.requests import ListPosition, RequestKey
from ketav_registry.repository import models, requests
from ketav_registry.stores import Stores
from ketav_registry.usecases.models import require_usable, require_version
from ketav_registry.usecases.projects_hands import require_hand

_NO_REQUEST = RequestKey()


@dataclass(frozen=True, slots=True)
class ModelList:
    """A part of a list of versions, and the position at which the list continues, if it does."""

    versions: list[ModelVersion]
    next_position: ListPosition[str] | None


@dataclass(frozen=True, slots=True)
class ModelWithLineage:
    """A version and its ancestors, its parent first."""

    version: ModelVersion
    lineage: list[ModelVersion]


async def list_models(
    user_id: UUID, after: ListPosition[str] | None, limit: int, *, stores: Stores
) -> ModelList:
    """Return at most `limit` of the user's versions and the bases, newest first."""
    async with stores.database.user(user_id) as transaction:
        serving = await _serving_versions(transaction, user_id)
        rows = await models.list_versions(transaction, user_id, after, limit + 1)
    versions = [with_active_state(version, serving) for version in rows[:limit]]
    if len(rows) <= limit:
        return ModelList(versions, None)
    last = versions[-1]
    return ModelList(versions, ListPosition(last.create_time, last.model.version))


async def get_model(user_id: UUID, version: str, *, stores: Stores) -> ModelWithLineage:
    """Return a version with its ancestors. NotFound: there is no such version."""
    async with stores.database.user(user_id) as transaction:
        serving = await _serving_versions(transaction, user_id)
        model_version = await require_version(transaction, user_id, version)
        ancestors = await models.lineage(transaction, user_id, version)
    return ModelWithLineage(
        with_active_state(model_version, serving),
        [with_active_state(ancestor, serving) for ancestor in ancestors],
    )


async def activate_model(
    user_id: UUID,
    version: str,
    hand_name: str | None = None,
    *,
    request: RequestKey = _NO_REQUEST,
    stores: Stores,
) -> ModelVersion:
    """Make a version the active one of its hand, a base that of the hand with this name (empty: the own one).

    Without a name, a base becomes active for the user's own hands, and one without a script for those of them
    that have an active version. NotFound: no such version. InvalidInput unknown-hand: no such hand.
    Precondition hand-mismatch: the version is of another hand or script; model-retired, model-tainted: it
    never serves. A repeated request changes nothing; Conflict idempotency-key-reused.
    """
    async with stores.database.user(user_id) as transaction:
        model_version = await require_version(transaction, user_id, version)
        if await requests.insert_done(transaction, user_id, request):
            require_usable(model_version, Precondition)
            for hand in await _hands_to_serve(transaction, user_id, model_version, hand_name):
                await models.activate(transaction, user_id, hand, version)
        return with_active_state(model_version, await _serving_versions(transaction, user_id))


async def _hands_to_serve(
    transaction: Transaction, user_id: UUID, version: ModelVersion, hand_name: str | None
) -> list[Hand]:
    """Return the hands for which a version becomes active. Precondition hand-mismatch: for none."""
    script = version.script
    if hand_name:
        hand = await require_hand(transaction, user_id, hand_name)
        if script not in {None, hand.script} or (version.user_id and version.hand_id != hand.hand_id):
            raise Precondition(
                f"The version is not one of the hand {hand_name!r}, and no base of its script. Choose a "
                "version of this hand with GET /models/.",
                code="hand-mismatch",
            )
        return [hand]
    if script is None:
        return await models.own_hands(transaction, user_id)
    if hand_name is not None and version.hand_id is not None:
        raise Precondition(
            f"The version belongs to the hand {version.hand_name!r}, not to your own. Choose a version of "
            "your own hand with GET /models/.",
            code="hand-mismatch",
        )
    return [Hand(script, version.hand_id, version.hand_name)]


async def _serving_versions(transaction: Transaction, user_id: UUID) -> set[str]:
    """Return the versions that serve a user, over all hands."""
    serving = [await models.serving_model(transaction, user_id, Hand(script)) for script in Script]
    unserved = await models.scripts_of_unserved_hands(transaction, user_id)
    serving += [await models.base_model(transaction, script) for script in unserved]
    own = {model.version for model in serving if model is not None}
    return own | await models.hand_versions(transaction, user_id)
