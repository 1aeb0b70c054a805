"""Edited lines: deleted ones taint models, merged ones keep their side of the split."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import corrections_pb2, pages_pb2, projects_pb2, transcriptions_pb2
from ketav_common import rpc
from tests.parts.postgres import PostgresServer
from tests.parts.registry import (
    Registry,
    acting,
    claim,
    create,
    publish,
    queued_run,
    record,
    registry_server,
    serving,
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


async def pages_of(registry: Registry) -> list[pages_pb2.Page]:
    """Return the pages of all projects of the current user."""
    pages = []
    for project in (
        await registry.projects.ListProjects(projects_pb2.ListProjectsRequest(limit=100))
    ).projects:
        request = projects_pb2.GetProjectRequest(project_id=project.project_id, limit=100)
        pages += [
            m.page async for m in registry.projects.GetProject(request) if m.WhichOneof("part") == "page"
        ]
    return pages


async def edit(registry: Registry, page: pages_pb2.Page, *items: transcriptions_pb2.EditedLine) -> list[str]:
    """Edit the lines of a page; return the versions that are tainted by it."""
    request = transcriptions_pb2.EditLinesRequest(
        project_id=page.project_id,
        page_id=page.page_id,
        transcription_id=page.transcription.transcription_id,
        lines=items,
    )
    with rpc.raise_ketav_errors():
        return list((await registry.transcriptions.EditLines(request)).consequences.tainted_versions)


def stays(line: page_pb2.Line) -> transcriptions_pb2.EditedLine:
    """Return a line that stays as it is."""
    return transcriptions_pb2.EditedLine(line_id=line.line_id)


def around(lines: list[page_pb2.Line], text: str, top: int = 700) -> transcriptions_pb2.EditedLine:
    """Return a corrected line that replaces others."""
    corners = [page_pb2.Point(x=x, y=y) for x, y in ((10, top), (90, top), (90, top + 9), (10, top + 9))]
    return transcriptions_pb2.EditedLine(
        new_line=page_pb2.Line(baseline=corners[:2], boundary=corners, text=text),
        corrected_text=text,
        replaced_line_ids=[line.line_id for line in lines],
    )


async def submit(registry: Registry, page: pages_pb2.Page, line: page_pb2.Line, text: str) -> None:
    """Correct a line, without confirming the text."""
    lines = [corrections_pb2.LineCorrection(line_id=line.line_id, text=text)]
    request = corrections_pb2.SubmitCorrectionsRequest(
        project_id=page.project_id,
        page_id=page.page_id,
        lines=corrections_pb2.LineCorrections(lines=lines),
    )
    with rpc.raise_ketav_errors():
        await registry.corrections.SubmitCorrections(request)


async def trained(registry: Registry) -> tuple[Any, str]:
    """Train a model of a new user on two pages; return the user and the version that serves them."""
    user_id, run_id = await queued_run(registry)
    run = await claim(registry, run_id)
    await publish(registry, run_id, run.fence)
    return user_id, await serving(registry, user_id)


async def test_a_deleted_line_taints_the_versions_that_know_it(registry: Registry) -> None:
    """As the deletion of its page does; the text is not verified any more."""
    user_id, version = await trained(registry)
    with acting(user_id):
        page = (await pages_of(registry))[0]
        first, *others = page.transcription.lines
        assert await edit(registry, page, *map(stays, others)) == [version]
    assert await serving(registry, user_id) == "hebrew_base-1"
    with acting(user_id):
        left = (await pages_of(registry))[0].transcription.lines
        assert [line.text for line in left] == [line.text for line in others]
        assert first.text not in {line.text for line in left}


async def test_merged_moved_and_added_lines_taint_nothing(registry: Registry) -> None:
    """Their texts are still the user's."""
    user_id, version = await trained(registry)
    with acting(user_id):
        page = (await pages_of(registry))[0]
        first, second, *others = page.transcription.lines
        merged = around([first, second], f"{first.text} {second.text}")
        assert await edit(registry, page, *map(stays, reversed(others)), merged) == []
    assert await serving(registry, user_id) == version


async def test_undoing_an_edit_restores_corrections_as_they_were(registry: Registry) -> None:
    """A quarantined text does not train because lines were merged and separated again."""
    too_long = "א" * 200
    with acting(await registry.new_user()):
        page = (await create(registry)).page
        accepted, quarantined, both = (await record(registry, page, "אחת", "שתים", "שלוש")).lines
        await submit(registry, page, accepted, "אחד")
        await submit(registry, page, quarantined, too_long)
        await submit(registry, page, both, "שלושה")
        await submit(registry, page, both, too_long)
        [page] = await pages_of(registry)
        before = list(page.transcription.lines)
        await edit(registry, page, around(before, "אחת שתים שלוש"))
        undo = transcriptions_pb2.UndoLineEditRequest(project_id=page.project_id, page_id=page.page_id)
        with rpc.raise_ketav_errors():
            await registry.transcriptions.UndoLineEdit(undo)
        [page] = await pages_of(registry)
    lines = page.transcription.lines
    assert [line.verified_text for line in lines] == ["אחד", "", "שלושה"]
    assert [line.corrected_text for line in lines] == ["אחד", too_long, too_long]
    assert [line.quarantine for line in lines] == [line.quarantine for line in before]


async def test_a_deleted_merged_line_taints_what_its_parts_have_trained(registry: Registry) -> None:
    """Also after two edits."""
    user_id, version = await trained(registry)
    with acting(user_id):
        page = (await pages_of(registry))[0]
        first, second, *others = page.transcription.lines
        assert await edit(registry, page, around([first, second], "ממוזגת"), *map(stays, others)) == []
        page = (await pages_of(registry))[0]
        assert await edit(registry, page, *map(stays, list(page.transcription.lines)[1:])) == [version]
