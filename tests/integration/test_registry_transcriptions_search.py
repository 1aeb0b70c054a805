"""Lines are searched in PostgreSQL, each user's own."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest

from ketav.registry.v1 import pages_pb2, transcriptions_pb2
from ketav_common import rpc
from ketav_common.errors import InvalidInput, NotFound
from ketav_registry.database import Database, connect
from ketav_registry.database_logins import Logins
from ketav_registry.domain.transcriptions_search import query_words
from ketav_registry.repository import transcriptions_search
from tests.parts.postgres import PostgresServer
from tests.parts.registry import Registry, acting, create, read_and_correct, record, registry_server


@pytest.fixture(scope="module")
def database(postgres: PostgresServer) -> str:
    """Return a migrated database for this module."""
    return postgres.migrated_database()


@pytest.fixture
async def registry(postgres: PostgresServer, database: str, tmp_path: Path) -> AsyncIterator[Registry]:
    """Run a registry."""
    async with registry_server(postgres, tmp_path, database) as running:
        yield running


async def search(
    registry: Registry, user_id: UUID, query: str, **fields: str | int
) -> transcriptions_pb2.SearchLinesResponse:
    """Search as a user."""
    request = transcriptions_pb2.SearchLinesRequest(query=query, **fields)  # type: ignore[arg-type]
    with acting(user_id), rpc.raise_ketav_errors():
        return await registry.transcriptions.SearchLines(request)


async def read(registry: Registry, lines: list[str]) -> pages_pb2.Page:
    """Store a page in a project of its own, with a reading; return it."""
    page = (await create(registry)).page
    await record(registry, page, *lines)
    return page


def texts(response: transcriptions_pb2.SearchLinesResponse) -> list[str]:
    """Return the texts of the hits as they were searched."""
    return [
        hit.line.verified_text if hit.line.HasField("verified_text") else hit.line.text
        for hit in response.hits
    ]


LINES = ["שלום לכולם", "ראיתי את הבית הגדול", "שָׁלוֹס רב", "יום אחר"]


async def test_a_search_finds_readings_and_verified_texts_best_first(registry: Registry) -> None:
    """A reading that was corrected counts no more, and errors, niqqud and prefixes are tolerated."""
    user_id = await registry.new_user()
    with acting(user_id):
        page = await read_and_correct(registry, LINES, {3: "שלום ותודה"})
    assert texts(await search(registry, user_id, "שלום")) == ["שלום לכולם", "שלום ותודה", "שָׁלוֹס רב"]
    assert texts(await search(registry, user_id, "בית")) == ["ראיתי את הבית הגדול"]
    assert texts(await search(registry, user_id, "אחר")) == []
    [hit] = (await search(registry, user_id, "תודה")).hits
    assert (hit.project_id, hit.page_id, hit.line.order) == (page.project_id, page.page_id, 3)
    assert [(match.start, match.end) for match in hit.matches] == [(5, 10)]
    assert hit.line.boundary


async def test_a_search_sees_the_latest_transcription_alone(registry: Registry) -> None:
    """Readings before it are history."""
    user_id = await registry.new_user()
    with acting(user_id):
        page = await read(registry, ["ירושלים", "חיפה"])
        await record(registry, page, "טבריה", "חיפה")
    assert texts(await search(registry, user_id, "ירושלים")) == []
    assert texts(await search(registry, user_id, "טבריה")) == ["טבריה"]


async def test_a_search_sees_one_user_and_one_project(registry: Registry) -> None:
    """A project of another user is not found."""
    first, second = await registry.new_user(), await registry.new_user()
    with acting(first):
        page = await read(registry, ["מכתב מאמא"])
        other = await read(registry, ["מכתב מאבא"])
    assert len((await search(registry, first, "מכתב")).hits) == 2
    assert texts(await search(registry, first, "מכתב", project_id=other.project_id)) == ["מכתב מאבא"]
    assert texts(await search(registry, second, "מכתב")) == []
    with pytest.raises(NotFound):
        await search(registry, second, "מכתב", project_id=page.project_id)


async def test_hits_are_listed_in_parts(registry: Registry) -> None:
    """Each hit once; a cursor belongs to its query."""
    user_id = await registry.new_user()
    with acting(user_id):
        await read(registry, [f"שורה {number} של היומן" for number in range(10, 15)])
    first = await search(registry, user_id, "יומן", limit=3)
    rest = await search(registry, user_id, "יומן", limit=3, cursor=first.next_cursor)
    positions = [hit.line.order for hit in (*first.hits, *rest.hits)]
    assert positions == [0, 1, 2, 3, 4]
    assert rest.next_cursor == ""
    with pytest.raises(InvalidInput) as refused:
        await search(registry, user_id, "שורה", cursor=first.next_cursor)
    assert refused.value.code == "invalid-cursor"


@pytest.mark.parametrize("query", ["a' OR 1=1 --", "[א-", "א*", "(א|כל)"])
async def test_no_query_is_an_expression(registry: Registry, query: str) -> None:
    """Signs of regular expressions and of SQL are those signs."""
    user_id = await registry.new_user()
    with acting(user_id):
        await read(registry, ["כל דבר אחר"])
    assert texts(await search(registry, user_id, query)) == []


@pytest.mark.parametrize("query", ["", "...", "%", "\\", "("])
async def test_a_query_without_a_word_is_refused(registry: Registry, query: str) -> None:
    """It would match every line."""
    with pytest.raises(InvalidInput) as refused:
        await search(registry, await registry.new_user(), query)
    assert refused.value.code == "empty-query"


async def test_a_search_reads_the_lines_of_its_user_by_an_index(
    registry: Registry, postgres: PostgresServer, database: str
) -> None:
    """Among the lines of others, which the plan does not visit: no table of lines is read from end to end."""
    user_id = await registry.new_user()
    with acting(user_id):
        await read(registry, ["מכתב"])
    for _ in range(2):
        other = await registry.new_user()
        with acting(other):
            for _ in range(4):
                await read(registry, ["שורה אחרת"] * 300)
    postgres.execute("ANALYZE", database)
    engine = connect(postgres.url(database), pool_size=1, statement_timeout_s=10)
    query = transcriptions_search.candidates_query(user_id, None, query_words("מכתב"), 10)
    try:
        async with Database(Logins(engine, engine)).user(user_id) as transaction:
            compiled = str(query.compile(dialect=engine.dialect, compile_kwargs={"literal_binds": True}))
            plan = "\n".join(row[0] for row in await transaction.exec_driver_sql(f"EXPLAIN {compiled}"))
    finally:
        await engine.dispose()
    assert "Seq Scan on line" not in plan
    assert "Index" in plan
    assert len((await search(registry, user_id, "מכתב")).hits) == 1
