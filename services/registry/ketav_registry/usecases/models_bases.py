"""Model versions as operators see them: those of all users, and the base that serves a script."""

from uuid import UUID

from ketav_common.errors import NotFound, Precondition
from ketav_registry.database import Transaction
from ketav_registry.domain.models import ModelState, ModelVersion, Script, with_active_state
from ketav_registry.repository import models
from ketav_registry.stores import Stores


async def list_all_models(user_id: UUID | None, *, stores: Stores) -> list[ModelVersion]:
    """Return the bases and the versions of a user, None: of all users, oldest first.

    A version that serves its user, and a base that serves users without a version of their own, is ACTIVE.
    """
    async with stores.database.system() as transaction:
        serving = await models.active_versions(transaction) | await _serving_bases(transaction)
        versions = await models.list_all(transaction, user_id)
    return [with_active_state(version, serving) for version in versions]


async def _serving_bases(transaction: Transaction) -> set[str]:
    """Return the bases that serve a script."""
    bases = [await models.base_model(transaction, script) for script in Script]
    return {base.version for base in bases if base is not None}


async def activate_base(version: str, *, stores: Stores) -> ModelVersion:
    """Make a base serve its script again: the newer bases of the script are retired.

    Users with an active version of their own keep it. A retired base becomes available; it was retired by an
    activation, because no gate judges a base. NotFound: there is no such version. Precondition: the version
    belongs to a user.
    """
    async with stores.database.system() as transaction:
        await models.lock_bases(transaction)
        base = next(
            (base for base in await models.list_all(transaction) if base.model.version == version), None
        )
        if base is None:
            raise NotFound(
                f"There is no base model named {version!r}. List the models with `ketav admin models list`."
            )
        if base.user_id is not None:
            raise Precondition(
                f"The version {version!r} belongs to a user. Pass the option --user with the user's name."
            )
        await models.retire_newer_bases(transaction, base)
        await models.set_state(transaction, version, ModelState.AVAILABLE)
        serving = await _serving_bases(transaction)
        return with_active_state(base, serving)
