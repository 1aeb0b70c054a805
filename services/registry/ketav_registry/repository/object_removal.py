"""Objects that are to go, and which objects a row still names."""

import re
from collections.abc import Sequence

import sqlalchemy as sa

from ketav_registry.database import Transaction
from ketav_registry.domain.models import ModelState, owner_of_key, user_model_key
from ketav_registry.domain.pages import digest_key
from ketav_registry.tables import model_version, object_removal, page

_o, _m, _pa = object_removal.c, model_version.c, page.c
_SHARED = re.compile(r"images/[0-9a-f]{2}/([0-9a-f]{64})")


async def due(transaction: Transaction, limit: int) -> list[str]:
    """Return keys of objects that are to go: those first that were tried least and wait longest."""
    query = sa.select(_o.object_key).order_by(_o.attempts, _o.created_at).limit(limit)
    return list(await transaction.scalars(query))


async def done(transaction: Transaction, keys: Sequence[str]) -> None:
    """Forget objects that are gone."""
    await transaction.execute(object_removal.delete().where(_o.object_key.in_(keys)))


async def failed(transaction: Transaction, key: str) -> None:
    """Let an object that could not be removed wait behind the others."""
    await transaction.execute(
        object_removal.update().where(_o.object_key == key).values(attempts=_o.attempts + 1)
    )


async def named(transaction: Transaction, keys: Sequence[str]) -> set[str]:
    """Return those of the objects' keys that a row names: they must stay. In a system transaction."""
    found = set(await transaction.scalars(sa.select(_pa.object_key).where(_pa.object_key.in_(keys))))
    digests = [bytes.fromhex(match[1]) for key in keys if (match := _SHARED.fullmatch(key))]
    shared = sa.select(_pa.sha256).where(_pa.sha256.in_(digests), _pa.object_key.is_(None))
    found |= {digest_key(digest) for digest in await transaction.scalars(shared)}
    versions = [owner[1] for key in keys if (owner := owner_of_key(key))]
    query = sa.select(_m.user_id, _m.version).where(
        _m.version.in_(versions), _m.user_id.is_not(None), _m.state != ModelState.TAINTED
    )
    return found | {user_model_key(row.user_id, row.version) for row in await transaction.execute(query)}
