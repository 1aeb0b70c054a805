"""Model versions, and the version that serves each hand of a user."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from ketav_registry.database import Transaction
from ketav_registry.domain.models import Model, ModelKind, ModelState, ModelVersion, Script
from ketav_registry.domain.projects_hands import Hand
from ketav_registry.domain.requests import ListPosition
from ketav_registry.repository.projects_hands import HAND_NAME
from ketav_registry.tables import active_hand_model, active_model, hand, model_version

_version, _active, _active_of_hand = model_version.c, active_model.c, active_hand_model.c
_VERSIONS = sa.select(model_version, HAND_NAME).outerjoin_from(
    model_version, hand, hand.c.id == _version.hand_id
)
_BASES_LOCK = 0x6B65746162
"""Key of the advisory lock that imports of base models take; any number that no other lock has."""
_MAX_LINEAGE = 64
"""Ancestors that a lineage lists, so that the recursive query is bounded."""


def model_of(row: Any) -> Model:  # noqa: ANN401 - a row of model_version
    """Return the model of a row."""
    kind = ModelKind.BASE if row.user_id is None else ModelKind.USER
    alphabet = None if row.alphabet is None else frozenset(row.alphabet)
    return Model(row.version, kind, row.sha256, row.size_bytes, alphabet)


def _version_of(row: Any) -> ModelVersion:  # noqa: ANN401 - a row of _VERSIONS
    """Return the version of a row."""
    return ModelVersion(
        model=model_of(row),
        script=row.script,
        state=row.state,
        create_time=row.created_at,
        user_id=row.user_id,
        hand_id=row.hand_id,
        hand_name=row.hand_name,
        parent_version=row.parent_version,
        base_version=row.base_version,
        run_id=row.run_id,
        cer_before=row.cer_before,
        cer_after=row.cer_after,
        training_lines=row.training_lines,
        model_card=row.model_card,
    )


def _visible(user_id: UUID) -> sa.ColumnElement[bool]:
    """Return whether a version is visible to a user: the base models and the user's own versions."""
    return sa.or_(_version.user_id.is_(None), _version.user_id == user_id)


async def base_model(transaction: Transaction, script: Script) -> Model | None:
    """Return the newest base of a script, or else the newest base for every script."""
    query = (
        model_version.select()
        .where(_version.user_id.is_(None), sa.or_(_version.script == script, _version.script.is_(None)))
        .where(_version.state == ModelState.AVAILABLE)
        .order_by(_version.script.is_(None), _version.created_at.desc())
        .limit(1)
    )
    row = (await transaction.execute(query)).first()
    return None if row is None else model_of(row)


async def serving_model(transaction: Transaction, user_id: UUID, owner: Hand) -> Model | None:
    """Return the active model of a user's hand, or else the script's base."""
    active = await active_version(transaction, user_id, owner)
    return await base_model(transaction, owner.script) if active is None else active.model


async def active_version(transaction: Transaction, user_id: UUID, owner: Hand) -> ModelVersion | None:
    """Return the active version of a user's hand, which may be a base; None when none was activated."""
    query = _VERSIONS.where(_visible(user_id), _version.state == ModelState.AVAILABLE)
    if owner.hand_id is None:
        query = query.join(active_model, _active.version == _version.version)
        query = query.where(_active.user_id == user_id, _active.script == owner.script)
    else:
        query = query.join(active_hand_model, _active_of_hand.version == _version.version)
        query = query.where(_active_of_hand.user_id == user_id, _active_of_hand.hand_id == owner.hand_id)
    row = (await transaction.execute(query)).first()
    return None if row is None else _version_of(row)


async def find_version(transaction: Transaction, user_id: UUID, version: str) -> ModelVersion | None:
    """Return a version that is visible to the user."""
    query = _VERSIONS.where(_version.version == version, _visible(user_id))
    row = (await transaction.execute(query)).first()
    return None if row is None else _version_of(row)


async def lineage(transaction: Transaction, user_id: UUID, version: str) -> list[ModelVersion]:
    """Return the ancestors of a version, its parent first, at most 64 of them."""
    start = sa.select(_version.parent_version.label("parent"), sa.literal(1).label("depth")).where(
        _version.version == version, _visible(user_id)
    )
    tree = start.cte("tree", recursive=True)
    tree = tree.union_all(
        sa.select(_version.parent_version, tree.c.depth + 1)
        .join(tree, _version.version == tree.c.parent)
        .where(_visible(user_id), tree.c.depth < _MAX_LINEAGE)
    )
    query = (
        _VERSIONS.join(tree, _version.version == tree.c.parent)
        .where(_visible(user_id))
        .order_by(tree.c.depth)
    )
    return [_version_of(row) for row in await transaction.execute(query)]


async def find_file(transaction: Transaction, user_id: UUID, sha256: bytes) -> ModelVersion | None:
    """Return a version with this file that is visible to the user."""
    query = _VERSIONS.where(_version.sha256 == sha256, _version.state != ModelState.TAINTED)
    query = query.where(_visible(user_id)).order_by(_version.user_id.nulls_first()).limit(1)
    row = (await transaction.execute(query)).first()
    return None if row is None else _version_of(row)


async def list_versions(
    transaction: Transaction, user_id: UUID, after: ListPosition[str] | None, limit: int
) -> list[ModelVersion]:
    """Return the versions that are visible to a user, newest first."""
    query = _VERSIONS.where(_visible(user_id))
    if after is not None:
        query = query.where(sa.tuple_(_version.created_at, _version.version) < after)
    query = query.order_by(_version.created_at.desc(), _version.version.desc()).limit(limit)
    return [_version_of(row) for row in await transaction.execute(query)]


async def find_run_version(transaction: Transaction, run_id: UUID) -> ModelVersion | None:
    """Return the version that a run has published."""
    row = (await transaction.execute(_VERSIONS.where(_version.run_id == run_id))).first()
    return None if row is None else _version_of(row)


async def insert_version(transaction: Transaction, values: Mapping[str, Any]) -> ModelVersion:
    """Insert a version and return it."""
    await transaction.execute(model_version.insert().values(**values))
    query = _VERSIONS.where(_version.version == values["version"])
    return _version_of((await transaction.execute(query)).one())


async def set_alphabet(transaction: Transaction, version: str, alphabet: str | None) -> None:
    """Set the alphabet of a version that was stored before migration 0003 and has none."""
    query = model_version.update().where(_version.version == version, _version.alphabet.is_(None))
    await transaction.execute(query.values(alphabet=alphabet))


async def lock_bases(transaction: Transaction) -> None:
    """Block other imports of base models until the transaction ends: they number the versions."""
    await transaction.execute(sa.select(sa.func.pg_advisory_xact_lock(_BASES_LOCK)))


async def list_bases(transaction: Transaction, name: str) -> list[ModelVersion]:
    """Return all versions of a base model, oldest first."""
    query = _VERSIONS.where(_version.user_id.is_(None), _version.name == name)
    return [_version_of(row) for row in await transaction.execute(query.order_by(_version.created_at))]


async def activate(transaction: Transaction, user_id: UUID, owner: Hand, version: str | None) -> None:
    """Make a version (None: the base) the active one of a user's hand, and increment the generation."""
    if owner.hand_id is None:
        table, keys = active_model, {"user_id": user_id, "script": owner.script}
        index = [_active.user_id, _active.script]
    else:
        table, keys = active_hand_model, {"user_id": user_id, "hand_id": owner.hand_id}
        index = [_active_of_hand.hand_id]
    upsert = pg.insert(table).values(**keys, version=version, generation=1)
    query = upsert.on_conflict_do_update(
        index_elements=index,
        set_={
            "version": version,
            "generation": table.c.generation + 1,
            "updated_at": sa.func.clock_timestamp(),
        },
    )
    await transaction.execute(query)


async def own_hands(transaction: Transaction, user_id: UUID) -> list[Hand]:
    """Return the user's own hands, one a script, that have ever had an active version."""
    scripts = await transaction.scalars(sa.select(_active.script).where(_active.user_id == user_id))
    return [Hand(script) for script in scripts]


async def hand_versions(transaction: Transaction, user_id: UUID) -> set[str]:
    """Return the versions that serve the user's hands other than their own."""
    query = (
        sa.select(_version.version)
        .join(active_hand_model, _active_of_hand.version == _version.version)
        .where(_active_of_hand.user_id == user_id, _version.state == ModelState.AVAILABLE)
    )
    return set(await transaction.scalars(query))


async def scripts_of_unserved_hands(transaction: Transaction, user_id: UUID) -> list[Script]:
    """Return the scripts of the user's hands other than their own that the base serves."""
    served = (
        sa.exists()
        .where(_active_of_hand.hand_id == hand.c.id, _version.version == _active_of_hand.version)
        .where(_version.state == ModelState.AVAILABLE)
    )
    query = sa.select(hand.c.script).where(hand.c.user_id == user_id, ~served).distinct()
    return list(await transaction.scalars(query))


async def usable(transaction: Transaction, digests: Sequence[bytes]) -> set[bytes]:
    """Return the digests that belong to a version which is not tainted."""
    query = sa.select(_version.sha256).where(
        _version.sha256.in_(digests), _version.state != ModelState.TAINTED
    )
    return set(await transaction.scalars(query))


async def list_all(transaction: Transaction, user_id: UUID | None = None) -> list[ModelVersion]:
    """Return the bases and the versions of a user, None: of all users, oldest first."""
    query = _VERSIONS.order_by(_version.created_at, _version.version)
    if user_id is not None:
        query = query.where(_visible(user_id))
    return [_version_of(row) for row in await transaction.execute(query)]


async def active_versions(transaction: Transaction) -> set[str]:
    """Return the versions that serve a user, over all users."""
    active = sa.union(sa.select(_active.version), sa.select(_active_of_hand.version)).subquery()
    query = sa.select(_version.version).join(active, active.c.version == _version.version)
    return set(await transaction.scalars(query.where(_version.state == ModelState.AVAILABLE)))


async def retire_newer_bases(transaction: Transaction, base: ModelVersion) -> None:
    """Retire the bases of the same script that are newer than this one."""
    newer = sa.and_(_version.user_id.is_(None), _version.created_at > base.create_time)
    same_script = _version.script.is_not_distinct_from(base.script)
    query = model_version.update().where(newer, same_script).values(state=ModelState.RETIRED)
    await transaction.execute(query)


async def set_state(transaction: Transaction, version: str, state: ModelState) -> None:
    """Set the state of a version."""
    await transaction.execute(model_version.update().where(_version.version == version).values(state=state))


async def find_alphabet(transaction: Transaction, version: str) -> frozenset[str] | None:
    """Return the characters that a version can write; None when they are unknown."""
    alphabet = await transaction.scalar(sa.select(_version.alphabet).where(_version.version == version))
    return None if alphabet is None else frozenset(alphabet)
