"""Projects are created and changed; lists of projects and of their pages."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import projects_pb2, training_pb2
from ketav_common import rpc
from ketav_common.errors import Conflict, InvalidInput
from tests.parts.postgres import PostgresServer
from tests.parts.registry import (
    DIGEST,
    IMAGE,
    Registry,
    acting,
    create,
    get_project,
    list_projects,
    read_and_correct,
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


async def create_project(registry: Registry, name: str, **fields: Any) -> projects_pb2.Project:
    """Create a project as the current user."""
    request = projects_pb2.CreateProjectRequest(name=name, **fields)
    with rpc.raise_ketav_errors():
        return (await registry.projects.CreateProject(request)).project


async def update_project(registry: Registry, project_id: str, **fields: Any) -> projects_pb2.Project:
    """Change a project of the current user."""
    request = projects_pb2.UpdateProjectRequest(project_id=project_id, **fields)
    with rpc.raise_ketav_errors():
        return (await registry.projects.UpdateProject(request)).project


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "invalid-input"),
        (" \u00a0 ", "invalid-input"),
        ("א" * 201, "text-too-long"),
        ("a\u202eb", "bidi-override"),
        ("a\0b", "control-character"),
        ("א" + "\u05b8" * 17, "too-many-marks"),
    ],
)
async def test_a_name_that_breaks_a_rule_is_refused_with_its_pointer(
    registry: Registry, name: str, code: str
) -> None:
    """In a new project and in a change of one."""
    with acting(await registry.new_user()):
        project = await create_project(registry, " יומן ")
        assert project.name == "יומן"
        for refused in (
            create_project(registry, name),
            update_project(registry, project.project_id, name=name),
        ):
            with pytest.raises(InvalidInput) as caught:
                await refused
            assert (caught.value.code, caught.value.details["pointer"]) == (code, "/name")
        assert (await list_projects(registry)).projects[:] == [project]


async def test_of_concurrent_requests_for_one_name_one_creates_a_project(registry: Registry) -> None:
    """The errors of the others have its id; projects that uploads create may share a name."""
    with acting(await registry.new_user()):
        uploaded = [(await create(registry, project_name="ספר")).page.project_id for _ in range(2)]
        with pytest.raises(Conflict) as caught:
            await create_project(registry, "ספר")
        assert caught.value.details["project_id"] == uploaded[0]
        results = await asyncio.gather(
            *(create_project(registry, "יומן") for _ in range(8)), return_exceptions=True
        )
        created = [result for result in results if isinstance(result, projects_pb2.Project)]
        assert len(created) == 1
        for result in results:
            if result is not created[0]:
                assert isinstance(result, Conflict)
                assert result.details["project_id"] == created[0].project_id


async def test_concurrent_requests_with_one_key_create_one_project(registry: Registry) -> None:
    """Equal ones get the same project; a different one is a conflict."""
    with acting(await registry.new_user()):
        key = {"request_id": "key", "request_sha256": DIGEST}
        same = await asyncio.gather(*(create_project(registry, "יומן", **key) for _ in range(8)))
        assert len({project.project_id for project in same}) == 1
        other = {"request_id": "other"}
        results = await asyncio.gather(
            *(
                create_project(registry, f"ספר {number}", request_sha256=bytes([number]) * 32, **other)
                for number in range(6)
            ),
            return_exceptions=True,
        )
        conflicts = [result.code for result in results if isinstance(result, Conflict)]
        assert conflicts == ["idempotency-key-reused"] * 5


async def test_concurrent_changes_of_different_fields_are_all_stored(registry: Registry) -> None:
    """A field that a request leaves out is not written back with its former value."""
    with acting(await registry.new_user()):
        for number in range(8):
            project = await create_project(registry, f"ישן {number}")
            await asyncio.gather(
                update_project(registry, project.project_id, name=f"חדש {number}"),
                update_project(registry, project.project_id, script=page_pb2.SCRIPT_RASHI),
            )
            [changed] = [
                item
                for item in (await list_projects(registry)).projects
                if item.project_id == project.project_id
            ]
            assert (changed.name, changed.script) == (f"חדש {number}", page_pb2.SCRIPT_RASHI)


async def test_a_hand_that_a_project_leaves_while_another_gets_it_keeps_its_name(registry: Registry) -> None:
    """A hand without projects loses its name, so the two changes wait for each other."""
    with acting(await registry.new_user()):
        for number in range(8):
            hand = f"דודה {number}"
            leaving = await create_project(registry, f"ספר {number}", hand=hand)
            coming = await create_project(registry, f"יומן {number}")
            await asyncio.gather(
                update_project(registry, leaving.project_id, hand=""),
                update_project(registry, coming.project_id, hand=hand),
            )
            hands = {item.project_id: item.hand for item in (await list_projects(registry)).projects}
            assert (hands[leaving.project_id], hands[coming.project_id]) == ("", hand)


async def test_the_corrections_of_a_project_count_for_its_new_script(registry: Registry) -> None:
    """Readiness of the old script has none of them afterwards."""
    user_id = await registry.new_user()
    with acting(user_id):
        page = await read_and_correct(registry, ["שלום"], {0: "שלום לך"})
        await update_project(registry, page.project_id, script=page_pb2.SCRIPT_SQUARE)
        request = training_pb2.GetReadinessRequest()
        [square] = (await registry.training.GetReadiness(request)).scripts
    assert (square.script, square.verified_lines) == (page_pb2.SCRIPT_SQUARE, 1)


async def test_a_cursor_of_another_list_or_user_is_refused(registry: Registry) -> None:
    """Of the projects, of another project's pages, and of another user's projects."""
    with acting(await registry.new_user()):
        for _ in range(2):
            await create(registry)
        others = (await list_projects(registry, limit=1)).next_cursor
    with acting(await registry.new_user()):
        projects = [(await create(registry)).page.project_id for _ in range(2)]
        for project_id in projects:
            await create(registry, IMAGE[:90], project_id=project_id)
        own = (await list_projects(registry, limit=1)).next_cursor
        [_, _, end] = await get_project(registry, projects[0], limit=1)
        for refused in (
            get_project(registry, projects[0], cursor=own),
            get_project(registry, projects[1], cursor=end.next_cursor),
            list_projects(registry, cursor=end.next_cursor),
            list_projects(registry, cursor=others),
        ):
            with pytest.raises(InvalidInput) as caught:
                await refused
            assert caught.value.code == "invalid-cursor"
        assert (await list_projects(registry, cursor=own)).projects
        assert (await get_project(registry, projects[0], cursor=end.next_cursor))[1:]
