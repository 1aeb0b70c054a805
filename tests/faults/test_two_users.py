"""Two users train and read pages at the same time: each is served their own model or the base."""

import asyncio

import pytest

from ketav_common.errors import NotFound
from ketav_engine.images import decode
from ketav_testing import tiny
from tests.faults.conftest import Tally, count
from tests.parts import history
from tests.parts.pages import LETTERS, draw_page, random_lines
from tests.parts.system_users import BASE, LINES, SystemUser, corrected_user
from tests.parts.world import World

pytestmark = pytest.mark.asyncio(loop_scope="session")
ALPHABETS = [dict(zip(LETTERS, letters, strict=True)) for letters in ("כלמנס", "עפצקר")]
"""The letters that two users write for the five drawn letters: none in common."""
PAGE = 9


async def test_two_users_at_once_never_touch_each_other_s_models(
    system: World, reader: SystemUser, tally: Tally
) -> None:
    """Versions, digests, active models and transcriptions are each user's own, during and after the runs."""
    users = [await corrected_user(system, "one of two", letters=letters) for letters in ALPHABETS]
    for _ in range(count("PAIRS", 1)):
        await asyncio.gather(*(train_and_read(user, tally) for user in users))
    models = [await user.model() for user in users]
    assert len({model.sha256 for model in models} | {(await reader.model()).sha256}) == 3
    for user, model in zip(users, reversed(models), strict=True):
        with pytest.raises(NotFound):
            await user.file(model)
        tally.add("downloads of the other's model refused")
    owners = {
        change.fields["version"]: change.fields["user_id"]
        for change in await system.changes()
        if change.name == "model_version"
    }
    served = [change.fields for change in await system.changes() if change.name == "active_model"]
    # A version without a user is a base.
    assert all(owners[row["version"]] in {None, row["user_id"]} for row in served)
    assert history.violations(await system.changes()) == []


async def train_and_read(user: SystemUser, tally: Tally) -> None:
    """Train once from the base; read pages meanwhile and afterwards, and check which model read them."""
    await user.activate_base()
    run_id = await user.train()
    training = asyncio.create_task(user.world.ended(run_id))
    while not training.done():
        await read_own(user)
        tally.add("pages read while two users trained, as one's own model or the base reads them")
    assert training.result()["state"] == "succeeded"
    assert await read_own(user) == (await user.model()).version != BASE
    tally.add("trainings of two users at once, the next page read by one's own model")


async def read_own(user: SystemUser) -> str:
    """Read a page, check that the user's own model or the base reads it so, and return that version."""
    before = await user.model()
    version, lines = await user.read(PAGE)
    after = await user.model()
    model = next(candidate for candidate in (before, after) if candidate.version == version)
    engine = tiny.TinyEngine()
    table = engine.load_model(await user.file(model), model.sha256.hex())
    page = engine.read_page(decode(draw_page(random_lines(LINES, seed=PAGE))), "page", table)
    assert lines == [line.text for line in page.lines]
    return version
