"""GET /search returns lines with the polygons of the words that match."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.parts.gateway import Gateway, in_process_gateway, upload
from tests.parts.in_memory.recognizer import TEXT


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    """Run a gateway."""
    async with in_process_gateway(tmp_path) as running:
        yield running


async def test_a_hit_has_its_line_and_the_polygon_of_the_matching_word(gateway: Gateway) -> None:
    """With project and image, so that a client can show it."""
    read = (await upload(gateway.client)).json()
    response = await gateway.client.get("/search", params={"q": "עולם"})
    assert response.status_code == 200, response.text
    [hit] = response.json()["hits"]
    line = read["lines"][0]
    assert (hit["project_id"], hit["image_id"], hit["line_id"]) == (
        read["project_id"],
        read["image_id"],
        line["line_id"],
    )
    assert (hit["text"], hit["order"], hit["score"]) == (TEXT, 0, 1.0)
    assert hit["boundary"] == line["boundary"]
    assert hit["matches"] == [{"start": 5, "end": 9, "boundary": line["words"][1]["boundary"]}]
    assert response.json()["next_cursor"] is None


async def test_hits_come_in_parts(gateway: Gateway) -> None:
    """The cursor continues where the response ends."""
    for _ in range(3):
        await upload(gateway.client)
    first = (await gateway.client.get("/search", params={"q": "עולם", "limit": 2})).json()
    rest = await gateway.client.get(
        "/search", params={"q": "עולם", "limit": 2, "cursor": first["next_cursor"]}
    )
    lines = [hit["line_id"] for hit in (*first["hits"], *rest.json()["hits"])]
    assert len(set(lines)) == 3


async def test_a_search_stays_in_its_project_and_with_its_user(gateway: Gateway) -> None:
    """A project of another user is not found."""
    read = (await upload(gateway.client)).json()
    await upload(gateway.client)
    query = {"q": "עולם", "project_id": read["project_id"]}
    assert [
        hit["image_id"] for hit in (await gateway.client.get("/search", params=query)).json()["hits"]
    ] == [read["image_id"]]
    assert (await gateway.other.get("/search", params=query)).status_code == 404
    assert (await gateway.other.get("/search", params={"q": "עולם"})).json()["hits"] == []


@pytest.mark.parametrize(
    ("query", "code"),
    [({}, "invalid-input"), ({"q": "א" * 201}, "invalid-input"), ({"q": "…"}, "empty-query")],
    ids=["no query", "too long", "no word"],
)
async def test_a_query_that_is_not_valid_is_a_problem(
    gateway: Gateway, query: dict[str, str], code: str
) -> None:
    """With the parameter in its errors."""
    response = await gateway.client.get("/search", params=query)
    assert (response.status_code, response.json()["code"]) == (422, code)
    assert "q" in {error["field"] for error in response.json()["errors"]}
