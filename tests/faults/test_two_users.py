"""Two users train and have pages read at once: each has what is theirs (R4, R9)."""

import asyncio

import pytest

from ketav_common.errors import NotFound
from ketav_engine.images import decode
from ketav_testing import tiny
from tests.faults.conftest import Tally, count
from tests.parts import history
from tests.parts.learners import BASE, LINES, Learner, learner
from tests.parts.pages import LETTERS, draw_page, random_lines
from tests.parts.world import World

pytestmark = pytest.mark.asyncio(loop_scope="session")
HANDS = [dict(zip(LETTERS, meant, strict=True)) for meant in ("כלמנס", "עפצקר")]
"""What two users mean by the five letters that can be drawn: no letter in common."""
PAGE = 9


async def test_two_users_at_once_never_touch_each_other_s_models(
    system: World, reader: Learner, tally: Tally
) -> None:
    """Versions, digests, active models and readings: each user's are their own, before, during and after."""
    users = [await learner(system, "one of two", hand=hand) for hand in HANDS]
    for _ in range(count("PAIRS", 1)):
        await asyncio.gather(*(live(user, tally) for user in users))
    models = [await user.model() for user in users]
    assert len({model.sha256 for model in models} | {(await reader.model()).sha256}) == 3
    for user, theirs in zip(users, reversed(models), strict=True):
        with pytest.raises(NotFound):
            await user.file(theirs)
        tally.add("downloads of the other's model refused")
    owners = {
        change.fields["version"]: change.fields["user_id"]
        for change in await system.happened()
        if change.name == "model_version"
    }
    served = [change.fields for change in await system.happened() if change.name == "active_model"]
    # A version without a user is a base.
    assert all(owners[row["version"]] in {None, row["user_id"]} for row in served)
    assert history.violations(await system.happened()) == []


async def live(user: Learner, tally: Tally) -> None:
    """Train once from the base; have pages read meanwhile and afterwards, and look at what was read."""
    await user.forget()
    run_id = await user.train()
    training = asyncio.create_task(user.world.ended(run_id))
    while not training.done():
        await read_own(user)
        tally.add("pages read while two users trained, as one's own model or the base reads them")
    assert training.result()["state"] == "succeeded"
    assert await read_own(user) == (await user.model()).version != BASE
    tally.add("trainings of two users at once, the next page read by one's own model")


async def read_own(user: Learner) -> str:
    """Read a page; it must be what the user's own model, or the base, makes of it. Return which it was."""
    before = await user.model()
    version, lines = await user.read(PAGE)
    after = await user.model()
    model = next(each for each in (before, after) if each.version == version)
    engine = tiny.TinyEngine()
    table = engine.load_model(await user.file(model), model.sha256.hex())
    page = engine.read_page(decode(draw_page(random_lines(LINES, seed=PAGE))), "page", table)
    assert lines == [line.text for line in page.lines]
    return version
