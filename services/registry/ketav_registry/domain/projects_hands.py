"""Hands: the handwriting of one person in one script, with training runs and models of its own."""

from dataclasses import dataclass, field
from uuid import UUID

from ketav_registry.domain.models import Script


@dataclass(frozen=True, slots=True)
class Hand:
    """A person's handwriting in one script; without an id and a name, the user's own.

    Hands with the same script and id are equal.
    """

    script: Script
    hand_id: UUID | None = None
    name: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class HandFilter:
    """The hands that a request is about: those in a script, None for all; with a name, None for all.

    An empty name is that of the user's own hand.
    """

    script: Script | None = None
    name: str | None = None

    def matches(self, hand: Hand) -> bool:
        """Return whether the request is about a hand."""
        return self.script in {None, hand.script} and self.name in {None, hand.name}
