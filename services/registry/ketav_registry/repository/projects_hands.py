"""The hands of users."""

from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from ketav_registry.database import Transaction
from ketav_registry.domain.models import Script
from ketav_registry.domain.projects_hands import Hand
from ketav_registry.tables import hand, project

_hand, _project = hand.c, project.c
HAND_NAME = sa.func.coalesce(_hand.name, "").label("hand_name")
"""Name of the hand of a row that is outer-joined with `hand`; empty: the user's own."""


def hand_of(row: Any) -> Hand:  # noqa: ANN401 - a row with script, hand_id and hand_name
    """Return the hand of a row."""
    return Hand(row.script, row.hand_id, row.hand_name)


def is_same(column: sa.ColumnElement[UUID], hand_id: UUID | sa.ColumnElement[UUID] | None) -> Any:  # noqa: ANN401 - an SQL condition
    """Return the condition that a column has this hand; None is the user's own hand."""
    return column.is_not_distinct_from(hand_id)


async def find_hand(transaction: Transaction, user_id: UUID, name: str) -> Hand | None:
    """Return the user's hand with this name; None when there is no such hand."""
    row = (
        await transaction.execute(hand.select().where(_hand.user_id == user_id, _hand.name == name))
    ).first()
    return None if row is None else Hand(row.script, row.id, row.name)


async def insert_hand(transaction: Transaction, user_id: UUID, name: str, script: Script) -> None:
    """Insert a hand, unless the user has one with this name."""
    values = {"id": uuid4(), "user_id": user_id, "name": name, "script": script}
    await transaction.execute(pg.insert(hand).values(**values).on_conflict_do_nothing())


async def rename(transaction: Transaction, user_id: UUID, name: str, new_name: str) -> bool:
    """Rename the hand of a user; False when no project has a hand with this name."""
    used = sa.exists().where(_project.user_id == user_id, _project.hand_id == _hand.id)
    query = hand.update().where(_hand.user_id == user_id, _hand.name == name, used)
    return (await transaction.execute(query.values(name=new_name))).rowcount == 1


async def rename_unused(transaction: Transaction, user_id: UUID, hand_id: UUID) -> None:
    """Replace the name of a hand that no project has any more by a part of its id, which says nothing."""
    used = sa.exists().where(_project.user_id == user_id, _project.hand_id == hand_id)
    query = hand.update().where(_hand.id == hand_id, _hand.user_id == user_id, ~used)
    await transaction.execute(query.values(name=f"deleted-{hand_id.hex}"))
