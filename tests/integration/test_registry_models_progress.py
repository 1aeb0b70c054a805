"""Progress: the errors of first transcriptions, by page and by version."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import models_pb2
from ketav_common import rpc
from ketav_common.errors import InvalidInput
from tests.parts.postgres import PostgresServer
from tests.parts.registry import (
    Registry,
    acting,
    claim,
    correct,
    correct_lines,
    create,
    publish,
    queued_run,
    read_and_correct,
    record,
    registry_server,
)


@pytest.fixture(scope="module")
def database(postgres: PostgresServer) -> str:
    """Return a migrated database for this module."""
    return postgres.migrated_database()


@pytest.fixture
async def registry(postgres: PostgresServer, database: str, tmp_path: Path) -> AsyncIterator[Registry]:
    """Run a registry."""
    async with registry_server(postgres, tmp_path, database) as running:
        yield running


async def progress(registry: Registry, user_id: UUID, **fields: Any) -> models_pb2.ListModelProgressResponse:
    """Return a user's progress."""
    with acting(user_id), rpc.raise_ketav_errors():
        return await registry.models.ListModelProgress(models_pb2.ListModelProgressRequest(**fields))


def counted(errors: models_pb2.ReadingErrors) -> tuple[int, int, int]:
    """Return lines, edits and length."""
    return errors.lines, errors.edits, errors.length


async def test_progress_compares_the_first_reading_with_the_last_correction(registry: Registry) -> None:
    """A later transcription changes nothing, a later correction does; uncorrected lines do not count."""
    user_id = await registry.new_user()
    with acting(user_id):
        page = await read_and_correct(registry, ["אבגד", "הוזח", "טיכל"], {0: "אבגר", 1: "הוזח"})
        again = (await record(registry, page, "שגוי", "שגוי", "שגוי")).lines
        await correct_lines(registry, page, {again[1].line_id: "הוזחט"})
    answer = await progress(registry, user_id)
    [first] = answer.pages
    assert (first.page_id, first.project_id) == (page.page_id, page.project_id)
    assert counted(first.errors) == (2, 2, 9)
    assert first.model.version == "hebrew_base-1"
    [version] = answer.versions
    assert (version.pages, counted(version.errors)) == (1, (2, 2, 9))
    assert answer.versions_complete


async def test_progress_is_added_up_by_version_and_script(registry: Registry) -> None:
    """Pages that the base was the first to read, and pages that the user's own model was."""
    user_id, run_id = await queued_run(registry)
    version = await publish(registry, run_id, (await claim(registry, run_id)).fence)
    own = version.model.version
    with acting(user_id):
        await read_and_correct(registry, ["אבגדה"], {0: "אבגדו"}, version=own)
        await read_and_correct(registry, ["שלום"], {0: "שלום"}, version=own, script=page_pb2.SCRIPT_RASHI)
    answer = await progress(registry, user_id)
    totals = [(total.model.version, total.script, counted(total.errors)[:2]) for total in answer.versions]
    assert totals == [
        ("hebrew_base-1", page_pb2.SCRIPT_MODERN_CURSIVE, (16, 0)),
        (own, page_pb2.SCRIPT_MODERN_CURSIVE, (1, 1)),
        (own, page_pb2.SCRIPT_RASHI, (1, 0)),
    ]
    rashi = await progress(registry, user_id, script=page_pb2.SCRIPT_RASHI)
    assert [counted(page.errors) for page in rashi.pages] == [(1, 0, 4)]
    assert len(rashi.versions) == 1


async def test_progress_comes_in_parts_newest_first(registry: Registry) -> None:
    """Each page once; totals by version in the first part only; a forged cursor is refused."""
    user_id = await registry.new_user()
    with acting(user_id):
        page_ids = await correct(registry, 2, pages=5)
        await create(registry)
    listed, cursor, parts = [], "", 0
    while parts == 0 or cursor:
        answer = await progress(registry, user_id, limit=2, cursor=cursor)
        listed += [page.page_id for page in answer.pages]
        assert bool(answer.versions) is (parts == 0)
        cursor, parts = answer.next_cursor, parts + 1
    assert listed == page_ids[::-1]
    assert parts == 3
    with pytest.raises(InvalidInput):
        await progress(registry, user_id, cursor="forged")


async def test_quarantined_lines_are_not_compared(registry: Registry) -> None:
    """A page without a verified line is not listed; a quarantined text leaves a verified one in force."""
    user_id = await registry.new_user()
    with acting(user_id):
        await read_and_correct(registry, ["אבגד"], {0: ""})
        page = await read_and_correct(registry, ["הוזח"], {0: "הוזח"})
        assert len((await progress(registry, user_id)).pages) == 1
        again = (await record(registry, page, "הוזח")).lines
        await correct_lines(registry, page, {again[0].line_id: ""})
    answer = await progress(registry, user_id)
    assert [item.page_id for item in answer.pages] == [page.page_id]
    assert [item.errors.lines for item in answer.versions] == [1]


@pytest.mark.parametrize("limit", [-1, 101])
async def test_a_limit_out_of_bounds_is_refused(registry: Registry, limit: int) -> None:
    """The limit is 1 to 100."""
    user_id = await registry.new_user()
    with pytest.raises(InvalidInput):
        await progress(registry, user_id, limit=limit)


async def test_another_users_pages_are_not_listed(registry: Registry) -> None:
    """Nor are they in the totals."""
    user_id, stranger = await registry.new_user(), await registry.new_user()
    with acting(user_id):
        await read_and_correct(registry, ["אבגד", "הוזח"], {0: "אבגד"})
    seen = await progress(registry, stranger)
    assert (list(seen.pages), list(seen.versions)) == ([], [])
