"""Wrong corrections can be repaired: by page texts and withdrawals; quarantined ones do not count."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import corrections_pb2, ground_truth_pb2, pages_pb2, training_pb2
from ketav_common import rpc
from ketav_common.errors import NotFound, Precondition
from tests.parts.postgres import PostgresServer
from tests.parts.registry import (
    Registry,
    acting,
    claim,
    claiming,
    correct,
    create,
    get_run,
    publish,
    queue,
    queued_run,
    record,
    registry_server,
    serving,
)

READ = ("בראשית ברא אלהים", "את השמים ואת הארץ", "והארץ היתה תהו ובהו", "וחשך על פני תהום")


@pytest.fixture(scope="module")
def database(postgres: PostgresServer) -> str:
    """Return a migrated database for this module."""
    return postgres.migrated_database()


@pytest.fixture
async def registry(postgres: PostgresServer, database: str, tmp_path: Path) -> AsyncIterator[Registry]:
    """Run a registry."""
    async with registry_server(postgres, tmp_path, database) as running:
        yield running


async def read_page(registry: Registry, *texts: str) -> tuple[pages_pb2.Page, list[str]]:
    """Upload and read a page; return it with the ids of its lines."""
    page = (await create(registry)).page
    return page, [line.line_id for line in (await record(registry, page, *(texts or READ))).lines]


async def submit(
    registry: Registry, page: pages_pb2.Page, corrected: str | dict[str, str], *, confirm: bool = False
) -> corrections_pb2.SubmitCorrectionsResponse:
    """Submit the text of a page, or texts by line id."""
    ids: dict[str, Any] = {"project_id": page.project_id, "page_id": page.page_id}
    if isinstance(corrected, str):
        request = corrections_pb2.SubmitCorrectionsRequest(corrected_text=corrected, **ids)
    else:
        lines = [
            corrections_pb2.LineCorrection(line_id=line_id, text=text, confirm=confirm)
            for line_id, text in corrected.items()
        ]
        request = corrections_pb2.SubmitCorrectionsRequest(
            lines=corrections_pb2.LineCorrections(lines=lines), **ids
        )
    with rpc.raise_ketav_errors():
        return await registry.corrections.SubmitCorrections(request)


async def withdraw(
    registry: Registry, page: pages_pb2.Page, line_id: str
) -> corrections_pb2.WithdrawCorrectionResponse:
    """Withdraw the correction of a line."""
    request = corrections_pb2.WithdrawCorrectionRequest(
        project_id=page.project_id, page_id=page.page_id, line_id=line_id
    )
    with rpc.raise_ketav_errors():
        return await registry.corrections.WithdrawCorrection(request)


async def history(
    registry: Registry, page: pages_pb2.Page, line_id: str
) -> list[corrections_pb2.StoredCorrection]:
    """Return the corrections of a line, newest first."""
    request = corrections_pb2.ListCorrectionsRequest(
        project_id=page.project_id, page_id=page.page_id, line_id=line_id
    )
    with rpc.raise_ketav_errors():
        return list((await registry.corrections.ListCorrections(request)).corrections)


async def lines_of(registry: Registry, page: pages_pb2.Page) -> list[page_pb2.Line]:
    """Return the lines of a page as they are shown."""
    request = pages_pb2.GetPageRequest(project_id=page.project_id, page_id=page.page_id)
    return list((await registry.pages.GetPage(request)).page.transcription.lines)


async def verified(registry: Registry, page: pages_pb2.Page) -> list[str | None]:
    """Return the verified text of each line of a page."""
    return [
        line.verified_text if line.HasField("verified_text") else None
        for line in await lines_of(registry, page)
    ]


@pytest.mark.parametrize("wrong", ["", "א" * 300, "ק" * 900])
async def test_a_quarantined_text_leaves_the_earlier_one_in_force(registry: Registry, wrong: str) -> None:
    """It is shown with its reason; the ground truth and the verified text are those from before."""
    with acting(await registry.new_user()):
        page, (first, *_) = await read_page(registry)
        await submit(registry, page, {first: READ[0]})
        saved = await submit(registry, page, {first: wrong})
        assert [item.line_id for item in saved.quarantined] == [first]
        assert saved.ground_truth_lines == 1
        line, *_ = await lines_of(registry, page)
        assert (line.corrected_text, line.verified_text) == (wrong, READ[0])
        assert line.HasField("quarantine")
        other, (second, *_) = await read_page(registry)
        assert (await submit(registry, other, {second: "ב"})).ground_truth_lines == 2


async def test_a_line_that_was_only_quarantined_has_no_verified_text(registry: Registry) -> None:
    """Confirmed, it has; a confirmed empty text ends it."""
    with acting(await registry.new_user()):
        page, (first, *_) = await read_page(registry)
        text = "א" * 300
        assert (await submit(registry, page, {first: text})).ground_truth_lines == 0
        assert (await verified(registry, page))[0] is None
        assert (await submit(registry, page, {first: text}, confirm=True)).ground_truth_lines == 1
        assert (await verified(registry, page))[0] == text
        assert (await submit(registry, page, {first: ""}, confirm=True)).ground_truth_lines == 0
        assert (await verified(registry, page))[0] == ""


WRONG = {
    "shifted by one line": [READ[1], READ[2], READ[3], READ[0]],
    "one text for all": [READ[2]] * 4,
    "in reverse": list(READ[::-1]),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
async def test_the_text_of_a_page_repairs_wrong_corrections(registry: Registry, wrong: list[str]) -> None:
    """Lines are recognised by their readings although their corrections are of other lines."""
    with acting(await registry.new_user()):
        page, line_ids = await read_page(registry)
        await submit(registry, page, dict(zip(line_ids, wrong, strict=True)), confirm=True)
        right = [text.replace("ה", "ח", 1) for text in READ]
        saved = await submit(registry, page, "\n".join(right))
        assert (saved.accepted_lines, list(saved.unaligned)) == (4, [])
        assert await verified(registry, page) == right


async def test_a_page_text_is_aligned_to_corrections_where_the_readings_are_bad(registry: Registry) -> None:
    """A line that was read as something else is recognised by its correction."""
    with acting(await registry.new_user()):
        page, line_ids = await read_page(registry, "זזזזזזזז", "טטטטטטטט", "סססססססס", "ץץץץץץץץ")
        await submit(registry, page, dict(zip(line_ids, READ, strict=True)))
        right = [text + "." for text in READ]
        assert (await submit(registry, page, "\n".join(right))).accepted_lines == 4
        assert await verified(registry, page) == right


async def test_a_withdrawn_correction_counts_nowhere_and_stays_in_the_history(registry: Registry) -> None:
    """The line is uncorrected; it can be corrected again, and withdrawn only while it is corrected."""
    with acting(await registry.new_user()):
        page, (first, second, *_) = await read_page(registry)
        with pytest.raises(Precondition, match="no correction") as refused:
            await withdraw(registry, page, first)
        assert refused.value.code == "nothing-to-withdraw"
        await submit(registry, page, {first: "תיקון", second: READ[1]})
        await submit(registry, page, {first: "תיקון שני"})
        assert (await withdraw(registry, page, first)).ground_truth_lines == 1
        line, *_ = await lines_of(registry, page)
        corrections = (line.HasField("corrected_text"), line.HasField("verified_text"))
        assert (*corrections, line.HasField("quarantine")) == (False, False, False)
        with pytest.raises(Precondition, match="no correction"):
            await withdraw(registry, page, first)
        assert (await submit(registry, page, {first: "שלישי"})).ground_truth_lines == 2
        assert [(item.text, item.withdrawn) for item in await history(registry, page, first)] == [
            ("שלישי", False),
            ("", True),
            ("תיקון שני", False),
            ("תיקון", False),
        ]
        assert (await verified(registry, page))[:2] == ["שלישי", READ[1]]


async def test_lines_of_other_users_and_pages_have_no_history(registry: Registry) -> None:
    """They are unknown, for reading and for a withdrawal."""
    with acting(await registry.new_user()):
        foreign, (foreign_line, *_) = await read_page(registry)
        await submit(registry, foreign, {foreign_line: READ[0]})
    with acting(await registry.new_user()):
        page, (line_id, *_) = await read_page(registry)
        other, _ = await read_page(registry)
        for target, unknown in ((foreign, foreign_line), (page, foreign_line), (other, line_id)):
            for call in (withdraw, history):
                with pytest.raises(NotFound):
                    await call(registry, target, unknown)
        assert await history(registry, page, line_id) == []


async def test_a_version_that_learned_from_a_withdrawn_line_is_tainted(registry: Registry) -> None:
    """It never serves again, as after a deletion; a version without the line serves on."""
    user_id, run_id = await queued_run(registry)
    claimed = await claim(registry, run_id)
    sides = await sides_of(registry, run_id, claimed.fence)
    version = (await publish(registry, run_id, claimed.fence)).model.version
    assert await serving(registry, user_id) == version
    with acting(user_id):
        page, line = await line_on(registry, sides, ground_truth_pb2.SPLIT_TRAIN)
        withdrawal = await withdraw(registry, page, line.line_id)
        assert list(withdrawal.consequences.tainted_versions) == [version]
        assert withdrawal.ground_truth_lines == 15
        late, (line_id, *_) = await read_page(registry)
        await submit(registry, late, {line_id: READ[0]})
        assert list((await withdraw(registry, late, line_id)).consequences.tainted_versions) == []
    assert await serving(registry, user_id) == "hebrew_base-1"


async def test_a_version_that_was_completed_with_a_withdrawn_line_is_tainted(registry: Registry) -> None:
    """It was held out to measure the version, which has learnt it afterwards."""
    user_id, run_id = await queued_run(registry)
    claimed = await claim(registry, run_id)
    sides = await sides_of(registry, run_id, claimed.fence)
    version = (await publish(registry, run_id, claimed.fence, completed=True)).model.version
    with acting(user_id):
        page, line = await line_on(registry, sides, ground_truth_pb2.SPLIT_HOLDOUT)
        withdrawal = await withdraw(registry, page, line.line_id)
    assert list(withdrawal.consequences.tainted_versions) == [version]
    assert await serving(registry, user_id) == "hebrew_base-1"


async def test_the_withdrawal_of_a_held_out_line_taints_nothing(registry: Registry) -> None:
    """No version has learnt from it, and no run learns from it: they only measure with it."""
    user_id, run_id = await queued_run(registry)
    claimed = await claim(registry, run_id)
    sides = await sides_of(registry, run_id, claimed.fence)
    version = (await publish(registry, run_id, claimed.fence)).model.version
    run = await queue(registry, user_id)
    with acting(user_id):
        page, line = await line_on(registry, sides, ground_truth_pb2.SPLIT_HOLDOUT)
        withdrawal = await withdraw(registry, page, line.line_id)
    assert list(withdrawal.consequences.tainted_versions) == []
    assert withdrawal.consequences.cancelled_run_id == ""
    assert withdrawal.ground_truth_lines == 15
    assert await serving(registry, user_id) == version
    assert (await get_run(registry, user_id, run.run_id)).state == training_pb2.TRAINING_RUN_STATE_QUEUED


async def test_a_run_over_a_withdrawn_line_is_cancelled(registry: Registry) -> None:
    """Its worker may not publish what it has learned."""
    user_id = await registry.new_user()
    with acting(user_id):
        await correct(registry, 8)
    run = await queue(registry, user_id)
    sides = await sides_of(registry, run.run_id, (await claim(registry, run.run_id)).fence)
    with acting(user_id):
        page, line = await line_on(registry, sides, ground_truth_pb2.SPLIT_TRAIN)
        withdrawal = await withdraw(registry, page, line.line_id)
    assert withdrawal.consequences.cancelled_run_id == run.run_id
    assert "withdrawn" in (await get_run(registry, user_id, run.run_id)).verdict


async def sides_of(registry: Registry, run_id: str, fence: int) -> dict[str, int]:
    """Return the side of the split of each line of a run, by its id."""
    request = ground_truth_pb2.ExportGroundTruthRequest(run_id=run_id, fence=fence)
    with claiming(request), rpc.raise_ketav_errors():
        parts = [part async for part in registry.ground_truth.ExportGroundTruth(request)]
    return {line.line.line_id: line.split for part in parts for line in part.page.lines}


async def line_on(
    registry: Registry, sides: dict[str, int], side: int
) -> tuple[pages_pb2.Page, page_pb2.Line]:
    """Return a line of the current user on a side of the split, after its page."""
    pages = [page async for page in pages_of_user(registry)]
    lines = [(page, line) for page in pages for line in page.transcription.lines]
    return next((page, line) for page, line in lines if sides[line.line_id] == side)


async def pages_of_user(registry: Registry) -> AsyncIterator[pages_pb2.Page]:
    """Yield the pages of the current user with their transcriptions."""
    from ketav.registry.v1 import projects_pb2

    listed = await registry.projects.ListProjects(projects_pb2.ListProjectsRequest(limit=100))
    for project in listed.projects:
        request = projects_pb2.GetProjectRequest(project_id=project.project_id)
        async for part in registry.projects.GetProject(request):
            if part.HasField("page"):
                yield part.page


async def test_a_run_names_the_lines_that_it_leaves_out(postgres: PostgresServer, tmp_path: Path) -> None:
    """Those with a sign that the model cannot write and that fewer than three lines have."""
    from tests.integration.test_registry_corrections_quarantine import network

    base = network(" אבגדהוזחטיכלמנסעפצקרשתםןףךץ-0123456789")
    async with registry_server(postgres, tmp_path, postgres.migrated_database(), base=base) as registry:
        user_id = await registry.new_user()
        with acting(user_id):
            await correct(registry, 9, pages=2)
            pages = [item async for item in pages_of_user(registry)]
            for page in pages:
                first, *others = page.transcription.lines
                texts = {line.line_id: f"בית־{line.text}" for line in others}
                await submit(registry, page, {first.line_id: f"{first.text}√"} | texts)
        run = await queue(registry, user_id)
        assert list((await get_run(registry, user_id, run.run_id)).untrained) == []
        await claim(registry, run.run_id)
        [line] = (await get_run(registry, user_id, run.run_id)).untrained
        assert line.line_id in {page.transcription.lines[0].line_id for page in pages}
        assert "√ (U+221A)" in line.reason


async def test_lines_with_signs_that_the_model_lacks_are_named(
    postgres: PostgresServer, database: str, tmp_path: Path
) -> None:
    """Signs of the table are written with others; a sign without a substitute is named with its line."""
    from tests.integration.test_registry_corrections_quarantine import network

    base = network(" אבגדהוזחטיכלמנסעפצקרשתםןףךץ-'\"")
    async with registry_server(postgres, tmp_path, postgres.migrated_database(), base=base) as registry:
        with acting(await registry.new_user()):
            page, (first, second, third, fourth) = await read_page(registry)
            saved = await submit(
                registry,
                page,
                {first: "בית־ספר", second: "צה״ל\u00a0וג׳", third: "אב√ג", fourth: "בְּרֵאשִׁית"},
            )
            assert not saved.quarantined
            assert [item.line_id for item in saved.untrained] == [third]
            assert "√ (U+221A)" in saved.untrained[0].reason
