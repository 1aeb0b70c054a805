"""The ranking of uncorrected lines, on a real PostgreSQL."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from ketav.registry.v1 import next_lines_pb2
from ketav_common import rpc
from ketav_common.errors import InvalidInput, NotFound
from tests.parts.postgres import PostgresServer
from tests.parts.registry import (
    Registry,
    acting,
    correct_lines,
    create,
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


async def next_lines(
    registry: Registry, user_id: UUID, project_id: str, limit: int = 0
) -> next_lines_pb2.ListNextLinesResponse:
    """Return the lines of a project that a user should correct next."""
    request = next_lines_pb2.ListNextLinesRequest(project_id=project_id, limit=limit)
    with acting(user_id), rpc.raise_ketav_errors():
        return await registry.next_lines.ListNextLines(request)


async def test_the_ranked_lines_are_uncorrected_lines_of_the_latest_transcriptions(
    registry: Registry,
) -> None:
    """No corrected lines, no lines without text, no earlier transcriptions; the order is deterministic."""
    user_id = await registry.new_user()
    with acting(user_id):
        page = await read_and_correct(registry, ["אבגד", "", "הוזח", "טיכל"], {0: "אבגד"})
        await record(registry, page, "אבגד", "", "הוזחט", "טיכל")
    answer = await next_lines(registry, user_id, page.project_id)
    assert {line.text for line in answer.lines} == {"הוזחט", "טיכל"}
    assert answer.candidates == 2
    assert all(line.reason and line.page_id == page.page_id for line in answer.lines)
    assert {line.order for line in answer.lines} == {2, 3}
    assert await next_lines(registry, user_id, page.project_id) == answer
    best = await next_lines(registry, user_id, page.project_id, limit=1)
    assert (best.lines[0], best.candidates) == (answer.lines[0], 2)
    with acting(user_id):
        await correct_lines(registry, page, {answer.lines[0].line_id: "אחר"})
    assert (await next_lines(registry, user_id, page.project_id)).candidates == 1


@pytest.mark.parametrize("limit", [-1, 101])
async def test_a_limit_out_of_bounds_is_refused(registry: Registry, limit: int) -> None:
    """The limit is 1 to 100."""
    user_id = await registry.new_user()
    with acting(user_id):
        project_id = (await create(registry)).page.project_id
    with pytest.raises(InvalidInput):
        await next_lines(registry, user_id, project_id, limit)


async def test_another_users_project_is_not_found_exactly_like_an_unknown_one(registry: Registry) -> None:
    """With the same code and detail."""
    user_id, stranger = await registry.new_user(), await registry.new_user()
    with acting(user_id):
        page = await read_and_correct(registry, ["אבגד", "הוזח"], {0: "אבגד"})
    responses = []
    for project_id in (page.project_id, str(uuid4())):
        with pytest.raises(NotFound) as caught:
            await next_lines(registry, stranger, project_id)
        responses.append((caught.value.code, caught.value.detail))
    assert responses[0] == responses[1]
