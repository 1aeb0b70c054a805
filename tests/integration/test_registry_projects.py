"""Lists of projects and of their pages."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ketav_common.errors import (
    InvalidInput,
)
from tests.parts.postgres import PostgresServer
from tests.parts.registry import IMAGE, Registry, acting, create, get_project, list_projects, registry_server


@pytest.fixture(scope="module")
def database(postgres: PostgresServer) -> str:
    """Return a migrated database for this module."""
    return postgres.migrated_database()


@pytest.fixture
async def registry(postgres: PostgresServer, database: str, tmp_path: Path) -> AsyncIterator[Registry]:
    """Run a registry."""
    async with registry_server(postgres, tmp_path, database) as running:
        yield running


async def test_a_project_lists_its_pages_in_parts_oldest_first(registry: Registry) -> None:
    """The cursor continues behind the last page."""
    with acting(await registry.new_user()):
        first = (await create(registry)).page
        pages = [first.page_id]
        for i in range(4):
            created = await create(registry, IMAGE + bytes([i]), project_id=first.project_id)
            pages.append(created.page.page_id)
        page_ids, cursor = [], ""
        for _ in range(3):
            _, *parts = await get_project(registry, first.project_id, limit=2, cursor=cursor)
            page_ids += [part.page.page_id for part in parts if part.HasField("page")]
            cursor = parts[-1].next_cursor
        assert page_ids == pages
        assert cursor == ""


async def test_the_newest_project_is_listed_first(registry: Registry) -> None:
    """The cursor continues with the older ones; the last part has none."""
    with acting(await registry.new_user()):
        created = [(await create(registry)).page.project_id for _ in range(3)]
        listed = await list_projects(registry, limit=2)
        rest = await list_projects(registry, cursor=listed.next_cursor)
        assert [project.project_id for project in (*listed.projects, *rest.projects)] == created[::-1]
        assert rest.next_cursor == ""


@pytest.mark.parametrize("cursor", ["x", "Zm9v", "AAAA" * 30, "2024-01-01", "MjAyNC0wMS0wMSBub3QtYS11dWlk"])
async def test_a_forged_cursor_is_refused(registry: Registry, cursor: str) -> None:
    """Only cursors that the registry has returned are accepted."""
    with acting(await registry.new_user()), pytest.raises(InvalidInput):
        await list_projects(registry, cursor=cursor)
