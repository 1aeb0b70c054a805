"""The hand that a request names, and new names of hands."""

import unicodedata
from uuid import UUID

from ketav_common import text
from ketav_common.errors import Conflict, InvalidInput, NotFound
from ketav_common.limits import MAX_NAME_CODE_POINTS
from ketav_registry.database import Transaction
from ketav_registry.domain.models import Script
from ketav_registry.domain.projects import Project
from ketav_registry.domain.projects_hands import Hand
from ketav_registry.repository import projects_hands
from ketav_registry.stores import Stores
from ketav_registry.usecases.requests import clean_field

_FIELD = {"pointer": "/hand"}


def clean_name(name: str) -> str:
    """Return the name of a hand in stored form. InvalidInput: it is too long or has control characters."""
    return text.clean(name, max_length=MAX_NAME_CODE_POINTS, what="name of the hand").strip()


async def require_hand(transaction: Transaction, user_id: UUID, name: str) -> Hand:
    """Return the user's hand with a name that is not empty. InvalidInput unknown-hand: there is none."""
    stored = unicodedata.normalize("NFC", name).strip()
    hand = None if "\0" in stored else await projects_hands.find_hand(transaction, user_id, stored)
    if hand is None:
        raise InvalidInput(
            f"This account has no hand named {name!r}. The projects of GET /projects/ have the names of "
            "their hands.",
            code="unknown-hand",
            details=_FIELD,
        )
    return hand


async def project_hand(
    transaction: Transaction, user_id: UUID, name: str, script: Script | None, *, insert: bool
) -> Hand:
    """Return the hand of a project in a script; an empty name is the user's own hand.

    A new name makes a hand if `insert`; otherwise the own hand is returned for it, whose script it has.
    Without a script, the project has that of its hand, by default modern cursive. InvalidInput hand-script:
    the hand has another script.
    """
    name, new_script = clean_name(name), script or Script.MODERN_CURSIVE
    if name and insert:
        await projects_hands.insert_hand(transaction, user_id, name, new_script)
    hand = await projects_hands.find_hand(transaction, user_id, name) if name else None
    if hand is None:
        return Hand(new_script)
    if script is not None and hand.script is not script:
        raise InvalidInput(
            f"The hand {name!r} writes {hand.script}, and the project has the script {script}. A hand has "
            "one script: name another hand, or send the script of this one.",
            code="hand-script",
            details=_FIELD,
        )
    return hand


def check_hand(project: Project, name: str) -> None:
    """Raise InvalidInput hand-mismatch if a request names another hand than that of its project."""
    if (name := clean_name(name)) and name != project.hand.name:
        owner = f"the hand {project.hand.name!r}" if project.hand.name else "your own hand"
        raise InvalidInput(
            f"The project belongs to {owner}, not to {name!r}. Send the pages to a project of that hand, or "
            "leave the field out.",
            code="hand-mismatch",
            details=_FIELD,
        )


async def rename_hand(user_id: UUID, name: str, new_name: str, *, stores: Stores) -> str:
    """Rename a hand of the user in all projects, runs and models; return the stored name.

    NotFound: no project has a hand with this name. InvalidInput: the new name is empty or breaks a rule.
    Conflict hand-name-taken: another hand has the new name.
    """
    stored = clean_field(new_name, {"pointer": "/name"}, max_length=MAX_NAME_CODE_POINTS).strip()
    if not stored:
        raise InvalidInput(
            "The new name of the hand is empty. Send at least one character.", details={"pointer": "/name"}
        )
    async with stores.database.user(user_id, exclusive=True) as transaction:
        former = "" if "\0" in name else clean_name(name)
        if stored != former and await projects_hands.find_hand(transaction, user_id, stored) is not None:
            raise Conflict(
                f"Another hand has the name {stored!r}. Send another name, or give its projects this hand.",
                code="hand-name-taken",
                details={"pointer": "/name"},
            )
        if not former or not await projects_hands.rename(transaction, user_id, former, stored):
            raise NotFound("This account has no hand with this name. GET /projects/ shows the hands.")
    return stored
