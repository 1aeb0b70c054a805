"""Lines of a run that do not train, because their texts have signs that its model cannot write."""

import asyncio
from collections import Counter
from collections.abc import Collection, Sequence
from uuid import UUID

from ketav_common.text import MIN_LINES_OF_NEW_SIGN, listed, unwritable
from ketav_registry.domain.corrections import UntrainedLine
from ketav_registry.domain.training import TrainingRun
from ketav_registry.repository import ground_truth, models, training
from ketav_registry.stores import Stores

_MAX_LISTED = 100
"""Lines that a run lists."""


async def list_untrained(user_id: UUID, run: TrainingRun, *, stores: Stores) -> list[UntrainedLine]:
    """Return the first 100 training lines of a run that it leaves out, with the reason, in sentences.

    Empty while no worker has claimed the run, and where the alphabet of its parent is unknown.
    """
    async with stores.database.user(user_id) as transaction:
        parent = await training.parent_of(transaction, run.run_id)
        alphabet = None if parent is None else await models.find_alphabet(transaction, parent)
        if alphabet is None:
            return []
        lines = await ground_truth.training_texts(transaction, user_id, run.dataset_id)
    return await asyncio.to_thread(_left_out, lines, alphabet)


def _left_out(lines: Sequence[tuple[UUID, str]], alphabet: Collection[str]) -> list[UntrainedLine]:
    """Return the first 100 lines whose texts have signs that a model with this alphabet does not learn."""
    signs = {line_id: unwritable(text, alphabet) for line_id, text in lines}
    counts = Counter(sign for missing in signs.values() for sign in missing)
    rare = {
        line_id: "".join(sign for sign in missing if counts[sign] < MIN_LINES_OF_NEW_SIGN)
        for line_id, missing in signs.items()
    }
    few = f"fewer than {MIN_LINES_OF_NEW_SIGN} lines have it"
    return [
        UntrainedLine(line_id, f"The model cannot write {listed(missing)}, and {few}.")
        for line_id, missing in rare.items()
        if missing
    ][:_MAX_LISTED]
