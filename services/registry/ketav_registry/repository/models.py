"""Model versions and which one serves."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from ketav_registry.database import Transaction
from ketav_registry.domain.models import Model, ModelKind, ModelState, ModelVersion, Script
from ketav_registry.tables import active_model, model_version

_m, _a = model_version.c, active_model.c
_BASES_LOCK = 0x6B65746162
_MAX_LINEAGE = 64


def model_of(row: Any) -> Model:  # noqa: ANN401 - a row of model_version
    """Read what names a model."""
    kind = ModelKind.BASE if row.user_id is None else ModelKind.USER
    alphabet = None if row.alphabet is None else frozenset(row.alphabet)
    return Model(row.version, kind, row.sha256, row.size_bytes, alphabet)


def version_of(row: Any, state: ModelState | None = None) -> ModelVersion:  # noqa: ANN401 - as above
    """Read a version; `state` overrides the stored one, as ACTIVE is never stored."""
    return ModelVersion(
        model=model_of(row),
        script=row.script,
        state=state or row.state,
        create_time=row.created_at,
        user_id=row.user_id,
        parent_version=row.parent_version,
        run_id=row.run_id,
        cer_before=row.cer_before,
        cer_after=row.cer_after,
        training_lines=row.training_lines,
        model_card=row.model_card,
    )


def visible(user_id: UUID | None) -> sa.ColumnElement[bool]:
    """Say which versions a user may name: the bases and their own."""
    return sa.or_(_m.user_id.is_(None), _m.user_id == user_id)


async def base_model(transaction: Transaction, script: Script) -> Model | None:
    """Return the newest base of a script, else the newest one for every script."""
    query = (
        model_version.select()
        .where(_m.user_id.is_(None), sa.or_(_m.script == script, _m.script.is_(None)))
        .where(_m.state == ModelState.AVAILABLE)
        .order_by(_m.script.is_(None), _m.created_at.desc())
        .limit(1)
    )
    row = (await transaction.execute(query)).first()
    return None if row is None else model_of(row)


async def serving_model(transaction: Transaction, user_id: UUID, script: Script) -> Model | None:
    """Return the user's active model of a script, else the script's base."""
    query = (
        sa.select(model_version)
        .join(active_model, _a.version == _m.version)
        .where(_a.user_id == user_id, _a.script == script, visible(user_id))
        .where(_m.state == ModelState.AVAILABLE)
    )
    row = (await transaction.execute(query)).first()
    return await base_model(transaction, script) if row is None else model_of(row)


async def find_version(transaction: Transaction, user_id: UUID, version: str) -> ModelVersion | None:
    """Return a version that the user may name."""
    row = (
        await transaction.execute(model_version.select().where(_m.version == version, visible(user_id)))
    ).first()
    return None if row is None else version_of(row)


async def lineage(transaction: Transaction, user_id: UUID, version: str) -> list[ModelVersion]:
    """Return the versions a version descends from, its parent first, at most 64 of them."""
    start = sa.select(_m.parent_version.label("parent"), sa.literal(1).label("depth")).where(
        _m.version == version, visible(user_id)
    )
    tree = start.cte("tree", recursive=True)
    tree = tree.union_all(
        sa.select(_m.parent_version, tree.c.depth + 1)
        .join(tree, _m.version == tree.c.parent)
        .where(visible(user_id), tree.c.depth < _MAX_LINEAGE)
    )
    query = (
        sa.select(model_version)
        .join(tree, _m.version == tree.c.parent)
        .where(visible(user_id))
        .order_by(tree.c.depth)
    )
    return [version_of(row) for row in await transaction.execute(query)]


async def find_file(transaction: Transaction, user_id: UUID | None, sha256: bytes) -> ModelVersion | None:
    """Return a version with this file that the user may have; None as the user: any version."""
    query = model_version.select().where(_m.sha256 == sha256, _m.state != ModelState.TAINTED)
    query = query.order_by(_m.user_id.nulls_first()).limit(1)
    if user_id is not None:
        query = query.where(visible(user_id))
    row = (await transaction.execute(query)).first()
    return None if row is None else version_of(row)


async def list_versions(
    transaction: Transaction, user_id: UUID, after: tuple[Any, str] | None, limit: int
) -> list[ModelVersion]:
    """Return the versions a user may name, newest first, from behind a (time, version)."""
    query = model_version.select().where(visible(user_id))
    if after is not None:
        query = query.where(sa.tuple_(_m.created_at, _m.version) < after)
    query = query.order_by(_m.created_at.desc(), _m.version.desc()).limit(limit)
    return [version_of(row) for row in await transaction.execute(query)]


async def find_run_version(transaction: Transaction, run_id: UUID) -> ModelVersion | None:
    """Return the version that a run made."""
    row = (await transaction.execute(model_version.select().where(_m.run_id == run_id))).first()
    return None if row is None else version_of(row)


async def insert_version(transaction: Transaction, values: Mapping[str, Any]) -> ModelVersion:
    """Store a version and return it as stored."""
    query = model_version.insert().values(**values).returning(model_version)
    return version_of((await transaction.execute(query)).one())


async def set_alphabet(transaction: Transaction, version: str, alphabet: str | None) -> None:
    """Note what a version can write, where that was not known when it was stored."""
    query = model_version.update().where(_m.version == version, _m.alphabet.is_(None))
    await transaction.execute(query.values(alphabet=alphabet))


async def lock_bases(transaction: Transaction) -> None:
    """Let one import at a time number the bases."""
    await transaction.execute(sa.select(sa.func.pg_advisory_xact_lock(_BASES_LOCK)))


async def latest_base(transaction: Transaction, name: str) -> tuple[ModelVersion, int] | None:
    """Return the newest base of a name and how many there are."""
    query = model_version.select().where(_m.user_id.is_(None), _m.name == name).order_by(_m.created_at)
    rows = list(await transaction.execute(query))
    return (version_of(rows[-1]), len(rows)) if rows else None


async def activate(transaction: Transaction, user_id: UUID, script: Script, version: str | None) -> int:
    """Make a version (None: whatever is the base) the active one of a script; return the new generation."""
    upsert = pg.insert(active_model).values(user_id=user_id, script=script, version=version, generation=1)
    query = upsert.on_conflict_do_update(
        index_elements=[_a.user_id, _a.script],
        set_={
            "version": version,
            "generation": _a.generation + 1,
            "updated_at": sa.func.clock_timestamp(),
        },
    ).returning(_a.generation)
    return int((await transaction.execute(query)).scalar_one())


async def active_scripts(transaction: Transaction, user_id: UUID) -> list[Script]:
    """Return the scripts for which the user has chosen a model."""
    return list(await transaction.scalars(sa.select(_a.script).where(_a.user_id == user_id)))


async def usable(transaction: Transaction, digests: Sequence[bytes]) -> set[bytes]:
    """Return those of the files' digests that belong to a version which is not tainted."""
    query = sa.select(_m.sha256).where(_m.sha256.in_(digests), _m.state != ModelState.TAINTED)
    return set(await transaction.scalars(query))
