"""Runs that train a hand from a new base model, because its own model descends from an older one."""

from dataclasses import dataclass
from uuid import UUID

from ketav_registry.domain.projects_hands import Hand

MAX_RUNS = 1
"""Such runs of all users that may be unfinished at the same time: a run that a user has started waits for
at most one of them."""
MAX_CANDIDATES = 20
"""Hands that a sweep considers, in random order: one of them gets a run."""
REPEAT_FACTOR = 2
"""Growth of a hand's dataset after which a run from the same base is repeated: with twice as many lines the
new base can win where the gate has refused it, as a run is due at each doubling."""
MIN_NEW_LINES = 8
"""Lines that have trained no version of the hand, before a run from a new base is worth its time: the model
that serves knows the others, so only new ones can show which model reads better."""
REPLACED = (
    "You started a run of your own, which goes first. The run from the new base model is repeated later by "
    "itself."
)


@dataclass(frozen=True, slots=True)
class OutdatedHand:
    """A hand whose active version does not descend from `base`, the present base of its script."""

    user_id: UUID
    hand: Hand
    base: str
