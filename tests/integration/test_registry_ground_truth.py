"""Imported ground truth, on a real PostgreSQL and real objects."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import corrections_pb2, ground_truth_pb2, pages_pb2, training_pb2
from ketav_common import rpc
from ketav_common.errors import Conflict, InvalidInput, KetavError, NotFound, TooLarge, UnsupportedMedia
from ketav_registry.repository import ground_truth
from tests.parts.postgres import PostgresServer
from tests.parts.registry import (
    DIGEST,
    IMAGE,
    Registry,
    acting,
    claim,
    claiming,
    create,
    publish,
    queue,
    record,
    registry_server,
)

TEXTS = ("בראשית ברא אלהים", "את השמים ואת הארץ")


@pytest.fixture(scope="module")
def database(postgres: PostgresServer) -> str:
    """Return a migrated database for this module."""
    return postgres.migrated_database()


@pytest.fixture
async def registry(postgres: PostgresServer, database: str, tmp_path: Path) -> AsyncIterator[Registry]:
    """Run a registry."""
    async with registry_server(postgres, tmp_path, database) as running:
        yield running


def known(text: str, top: int = 0) -> ground_truth_pb2.KnownLine:
    """Return a line of 180 by 18 pixels with its text."""
    corners = ((10, top), (190, top), (190, top + 18), (10, top + 18))
    return ground_truth_pb2.KnownLine(
        baseline=[page_pb2.Point(x=190, y=top + 5), page_pb2.Point(x=10, y=top + 5)],
        boundary=[page_pb2.Point(x=x, y=y) for x, y in corners],
        text=text,
    )


async def project_of(registry: Registry) -> str:
    """Return a project of the current user."""
    return (await create(registry)).page.project_id


async def import_page(
    registry: Registry,
    project_id: str,
    texts: Sequence[str] = TEXTS,
    data: bytes = IMAGE,
    **header: Any,
) -> ground_truth_pb2.ImportGroundTruthResponse:
    """Import an image with lines below each other."""
    image = {"width": 200, "height": 100, "media_type": "image/png", "size_bytes": len(data)}
    fields: dict[str, Any] = {
        "project_id": project_id,
        "image": page_pb2.Image(**(image | header.pop("image", {}))),
        "lines": [known(text, 20 * order) for order, text in enumerate(texts)],
        "request_sha256": DIGEST,
    }

    def parts() -> Iterator[ground_truth_pb2.ImportGroundTruthRequest]:
        """Yield header and chunks."""
        yield ground_truth_pb2.ImportGroundTruthRequest(
            header=ground_truth_pb2.ImportGroundTruthHeader(**(fields | header))
        )
        for start in range(0, len(data), 1 << 20):
            yield ground_truth_pb2.ImportGroundTruthRequest(chunk=data[start : start + (1 << 20)])

    with rpc.raise_ketav_errors():
        return await registry.ground_truth.ImportGroundTruth(parts())


async def get_page(registry: Registry, project_id: str, page_id: str) -> pages_pb2.Page:
    """Return a page."""
    request = pages_pb2.GetPageRequest(project_id=project_id, page_id=page_id)
    return (await registry.pages.GetPage(request)).page


async def count_rows(postgres: PostgresServer, database: str, table: str, user_id: UUID) -> int:
    """Count a user's rows of a table."""
    query = f"SELECT count(*) FROM {table} WHERE user_id = $1"  # noqa: S608 - names of our tables
    [row] = await asyncio.to_thread(postgres.execute, query, database, user_id)
    return int(row["count"])


def with_words(line: ground_truth_pb2.KnownLine) -> ground_truth_pb2.KnownLine:
    """Return a line whose words have outlines."""
    top = line.boundary[0].y
    for number, word in enumerate(line.text.split()):
        left = 150 - 40 * number
        corners = ((left, top), (left + 31, top + 1), (left + 30, top + 17))
        line.words.add(text=word, boundary=[page_pb2.Point(x=x, y=y) for x, y in corners])
    return line


async def test_imported_lines_keep_the_words_of_their_document(registry: Registry) -> None:
    """Also where the same lines were imported without them before: corrections stay."""
    with acting(await registry.new_user()):
        project_id = await project_of(registry)
        plain = await import_page(registry, project_id)
        lines = [with_words(known(text, 20 * order)) for order, text in enumerate(TEXTS)]
        worded = await import_page(registry, project_id, lines=lines)
        assert (worded.page_id, worded.imported_lines) == (plain.page_id, 0)
        page = await get_page(registry, project_id, plain.page_id)
        assert [list(line.imported_words) for line in page.transcription.lines] == [
            list(line.words) for line in lines
        ]
        assert [line.verified_text for line in page.transcription.lines] == list(TEXTS)
        again = await import_page(registry, project_id, lines=lines)
        without = await import_page(registry, project_id)
        assert (again.imported_lines, without.imported_lines) == (0, 0)
        unchanged = await get_page(registry, project_id, plain.page_id)
        assert unchanged.transcription == page.transcription


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ([((10, 0), (20, 0))], "word of 2 points"),
        ([((10, 0), (20, 0), (201, 9))], "word that leaves the image"),
        ([((10, 0), (20, 0), (20, 9))] * 1001, "1,001 words"),
    ],
)
async def test_an_outline_of_a_word_that_cannot_be_stored_is_refused(
    registry: Registry, words: list[tuple[tuple[int, int], ...]], problem: str
) -> None:
    """The error names the line."""
    line = known(TEXTS[0])
    for corners in words:
        line.words.add(text="בראשית", boundary=[page_pb2.Point(x=x, y=y) for x, y in corners])
    with acting(await registry.new_user()):
        project_id = await project_of(registry)
        with pytest.raises(InvalidInput, match=problem) as caught:
            await import_page(registry, project_id, lines=[line])
    assert (caught.value.code, caught.value.details["line"]) == ("invalid-line", "1")


async def test_imported_lines_are_verified_and_no_model_has_read_them(
    registry: Registry, postgres: PostgresServer
) -> None:
    """They are corrections of lines without a reading; their origin is stored."""
    user_id = await registry.new_user()
    with acting(user_id):
        project_id = await project_of(registry)
        answer = await import_page(registry, project_id)
        assert (answer.imported_lines, answer.ground_truth_lines, len(answer.quarantined)) == (2, 2, 0)
        page = await get_page(registry, project_id, answer.page_id)
    assert page.state == pages_pb2.PAGE_STATE_READ
    assert not page.transcription.HasField("model")
    assert [line.corrected_text for line in page.transcription.lines] == list(TEXTS)
    assert [(line.text, line.confidence) for line in page.transcription.lines] == [("", 0.0)] * 2
    assert [(point.x, point.y) for point in page.transcription.lines[1].baseline] == [(190, 25), (10, 25)]
    query = "SELECT DISTINCT origin FROM correction WHERE user_id = $1"
    origins = await asyncio.to_thread(postgres.execute, query, registry.database, user_id)
    assert [row["origin"] for row in origins] == ["imported"]


async def test_importing_twice_adds_nothing_and_another_text_adds_one_correction(
    registry: Registry, postgres: PostgresServer
) -> None:
    """The image identifies the page; eight concurrent imports store as much as one."""
    user_id = await registry.new_user()
    with acting(user_id):
        project_id = await project_of(registry)
        answers = await asyncio.gather(*(import_page(registry, project_id) for _ in range(8)))
        assert len({answer.page_id for answer in answers}) == 1
        assert sorted(answer.imported_lines for answer in answers) == [0] * 7 + [2]
        tables = ("page", "transcription", "line", "feedback", "correction")
        before = [await count_rows(postgres, registry.database, table, user_id) for table in tables]
        assert before == [2, 1, 2, 1, 2]
        changed = await import_page(registry, project_id, (TEXTS[0], "ואת הארץ"))
        assert (changed.page_id, changed.imported_lines) == (answers[0].page_id, 1)
        assert changed.ground_truth_lines == 2
        page = await get_page(registry, project_id, changed.page_id)
    assert [line.corrected_text for line in page.transcription.lines] == [TEXTS[0], "ואת הארץ"]
    after = [await count_rows(postgres, registry.database, table, user_id) for table in tables]
    assert after == [2, 1, 2, 2, 3]


async def test_a_repeated_request_gets_the_first_response_and_another_one_a_conflict(
    registry: Registry,
) -> None:
    """The digest of the request distinguishes the two."""
    with acting(await registry.new_user()):
        project_id = await project_of(registry)
        texts = [TEXTS[0], "", "א" * 300]
        first = await import_page(registry, project_id, texts, request_id="k:3")
        assert [(item.line, item.quarantine.code) for item in first.quarantined] == [
            (1, "empty-text"),
            (2, "too-long-for-line"),
        ]
        assert (first.imported_lines, first.ground_truth_lines) == (3, 1)
        await import_page(registry, project_id, data=IMAGE[:5000])
        assert await import_page(registry, project_id, texts, request_id="k:3") == first
        for page in ("k:3", "k:0"):
            with pytest.raises(Conflict) as caught:
                await import_page(registry, project_id, request_id=page, request_sha256=b"\1" * 32)
            assert caught.value.code == "idempotency-key-reused"
        assert (
            await import_page(registry, project_id, data=IMAGE[:77], request_id="k:4")
        ).imported_lines == 2


async def test_a_confirmed_import_is_not_quarantined(registry: Registry) -> None:
    """Imported into quarantine, then again with `confirm`: one more correction, which counts."""
    with acting(await registry.new_user()):
        project_id = await project_of(registry)
        texts = ["א" * 300]
        assert (await import_page(registry, project_id, texts)).ground_truth_lines == 0
        again = await import_page(registry, project_id, texts)
        assert (again.imported_lines, again.ground_truth_lines) == (0, 0)
        confirmed = await import_page(registry, project_id, texts, confirm=True)
        assert (confirmed.imported_lines, len(confirmed.quarantined), confirmed.ground_truth_lines) == (
            1,
            0,
            1,
        )


async def test_an_imported_page_can_be_corrected_and_read(registry: Registry) -> None:
    """A correction supersedes the import; a later transcription has the corrections of its lines."""
    with acting(await registry.new_user()):
        project_id = await project_of(registry)
        page_id = (await import_page(registry, project_id)).page_id
        page = await get_page(registry, project_id, page_id)
        line = corrections_pb2.LineCorrection(line_id=page.transcription.lines[0].line_id, text="תיקון")
        lines = corrections_pb2.LineCorrections(lines=[line])
        await registry.corrections.SubmitCorrections(
            corrections_pb2.SubmitCorrectionsRequest(project_id=project_id, page_id=page_id, lines=lines)
        )
        await record(registry, page, "קריאה")
        page = await get_page(registry, project_id, page_id)
        assert (page.transcription.model.version, len(page.transcription.lines)) == ("hebrew_base-1", 1)
        assert (await import_page(registry, project_id, ("תיקון", TEXTS[1]))).imported_lines == 0
        page = await get_page(registry, project_id, page_id)
        assert [item.corrected_text for item in page.transcription.lines] == ["תיקון", TEXTS[1]]


async def count_verified(registry: Registry, user_id: UUID) -> int:
    """Count the verified lines that a run would have now."""
    async with registry.stores.database.user(user_id) as transaction:
        verified = await ground_truth.verified_lines(transaction, user_id)
        assert await ground_truth.count_verified(transaction, user_id) == {
            script: len(lines) for script, lines in verified.items()
        }
        return sum(map(len, verified.values()))


async def test_a_line_that_a_later_import_leaves_out_is_no_longer_ground_truth(
    registry: Registry, postgres: PostgresServer
) -> None:
    """It is in no dataset. The same import again adds nothing; the earlier one restores the line."""
    user_id = await registry.new_user()
    tables = ("page", "transcription", "line", "feedback", "correction")
    with acting(user_id):
        project_id = await project_of(registry)
        two = await import_page(registry, project_id)
        assert (two.ground_truth_lines, await count_verified(registry, user_id)) == (2, 2)
        one = await import_page(registry, project_id, TEXTS[:1])
        assert (one.page_id, one.imported_lines) == (two.page_id, 0)
        assert (one.ground_truth_lines, await count_verified(registry, user_id)) == (1, 1)
        before = [await count_rows(postgres, registry.database, table, user_id) for table in tables]
        assert (await import_page(registry, project_id, TEXTS[:1])).ground_truth_lines == 1
        assert [await count_rows(postgres, registry.database, table, user_id) for table in tables] == before
        other = await import_page(registry, project_id, (TEXTS[1],), IMAGE[:5000])
        assert (other.ground_truth_lines, await count_verified(registry, user_id)) == (2, 2)
        back = await import_page(registry, project_id)
        assert (back.imported_lines, back.ground_truth_lines, await count_verified(registry, user_id)) == (
            0,
            3,
            3,
        )


async def test_a_line_that_is_read_or_corrected_after_an_import_counts(registry: Registry) -> None:
    """An import removes other lines of its page; a later transcription with such a line restores it."""
    user_id = await registry.new_user()
    with acting(user_id):
        project_id = await project_of(registry)
        page = (await create(registry, IMAGE[:5000], project_id=project_id)).page
        lines = (await record(registry, page, "ראשונה", "שנייה")).lines
        corrected = [corrections_pb2.LineCorrection(line_id=line.line_id, text=line.text) for line in lines]
        request = corrections_pb2.SubmitCorrectionsRequest(
            project_id=project_id,
            page_id=page.page_id,
            lines=corrections_pb2.LineCorrections(lines=corrected),
        )
        assert (await registry.corrections.SubmitCorrections(request)).ground_truth_lines == 2
        imported = await import_page(registry, project_id, TEXTS[:1])
        assert imported.ground_truth_lines == 3
        page = await get_page(registry, project_id, imported.page_id)
        lines = (await record(registry, page, "ראשונה")).lines
        request.page_id = imported.page_id
        request.lines.CopyFrom(
            corrections_pb2.LineCorrections(
                lines=[corrections_pb2.LineCorrection(line_id=lines[0].line_id, text="ראשונה")]
            )
        )
        assert (await registry.corrections.SubmitCorrections(request)).ground_truth_lines == 4
        assert (await import_page(registry, project_id, TEXTS[:1])).ground_truth_lines == 3
        await record(registry, page, "ראשונה")
        assert await count_verified(registry, user_id) == 4


async def test_imported_lines_train(registry: Registry) -> None:
    """Sixteen line images are enough for a run; the worker gets their texts."""
    user_id = await registry.new_user()
    with acting(user_id):
        project_id = await project_of(registry)
        for number in range(16):
            answer = await import_page(
                registry,
                project_id,
                [f"שורה {number}"],
                IMAGE[:1000] + bytes([number]),
                layout=page_pb2.LAYOUT_LINE,
            )
        assert answer.ground_truth_lines == 16
    claimed = await claim(registry, (await queue(registry, user_id)).run_id)
    assert claimed.run.training_lines + claimed.run.holdout_lines == 16
    assert claimed.run.holdout_lines > 0
    request = ground_truth_pb2.ExportGroundTruthRequest(run_id=claimed.run.run_id, fence=claimed.fence)
    with claiming(request), rpc.raise_ketav_errors():
        parts = [part async for part in registry.ground_truth.ExportGroundTruth(request)]
    pages = [part.page for part in parts if part.HasField("page")]
    assert {page.layout for page in pages} == {page_pb2.LAYOUT_LINE}
    assert {line.text for page in pages for line in page.lines} == {f"שורה {n}" for n in range(16)}


async def import_line_images(registry: Registry, numbers: range) -> None:
    """Import images of one line, one for each number, into a new project of the current user."""
    project_id = await project_of(registry)
    for number in numbers:
        data = IMAGE[:1000] + bytes([number])
        await import_page(registry, project_id, [f"שורה {number}"], data, layout=page_pb2.LAYOUT_LINE)


async def export(
    registry: Registry, claimed: training_pb2.ClaimTrainingRunResponse
) -> dict[str, ground_truth_pb2.GroundTruthLine]:
    """Return the lines of a run's dataset by their texts."""
    request = ground_truth_pb2.ExportGroundTruthRequest(run_id=claimed.run.run_id, fence=claimed.fence)
    with claiming(request), rpc.raise_ketav_errors():
        parts = [part async for part in registry.ground_truth.ExportGroundTruth(request)]
    return {line.text: line for part in parts for line in part.page.lines}


async def test_a_dataset_marks_the_lines_that_the_parent_was_trained_on(registry: Registry) -> None:
    """Training lines of promoted models are marked; those of a rejected one and held-out ones are not."""
    user_id = await registry.new_user()
    trained: set[str] = set()
    for stage, promote in enumerate((False, True, True, True)):
        with acting(user_id):
            await import_line_images(registry, range(16 * stage, 16 * (stage + 1)))
        claimed = await claim(registry, (await queue(registry, user_id)).run_id)
        lines = await export(registry, claimed)
        assert len(lines) == 16 * (stage + 1)
        assert {text for text, line in lines.items() if line.trained} == trained
        await publish(registry, claimed.run.run_id, claimed.fence, promote=promote)
        if promote:
            trained = {text for text, line in lines.items() if line.split == ground_truth_pb2.SPLIT_TRAIN}
    assert len(trained) > 40


async def test_lines_that_have_completed_a_version_train_and_never_measure_again(registry: Registry) -> None:
    """The next run holds out new lines alone, and knows that its parent has learnt the others."""
    user_id = await registry.new_user()
    with acting(user_id):
        await import_line_images(registry, range(16))
    claimed = await claim(registry, (await queue(registry, user_id)).run_id)
    known = set(await export(registry, claimed))
    await publish(registry, claimed.run.run_id, claimed.fence, completed=True)
    with acting(user_id):
        await import_line_images(registry, range(16, 48))
    claimed = await claim(registry, (await queue(registry, user_id)).run_id)
    lines = await export(registry, claimed)
    assert {text for text, line in lines.items() if line.trained} == known
    held_out = {text for text, line in lines.items() if line.split == ground_truth_pb2.SPLIT_HOLDOUT}
    assert held_out
    assert not held_out & known
    assert claimed.run.holdout_lines == len(held_out)


BAD_IMPORTS: dict[str, tuple[dict[str, Any], type[KetavError], str]] = {
    "an unknown project": ({"project_id": str(uuid4())}, NotFound, "not-found"),
    "no UUID": ({"project_id": "7"}, InvalidInput, "invalid-id"),
    "no lines": ({"lines": []}, InvalidInput, "line-count"),
    "too many lines": ({"lines": [known("א")] * 1001}, InvalidInput, "line-count"),
    "a line without a boundary": (
        {"lines": [ground_truth_pb2.KnownLine(text="א")]},
        InvalidInput,
        "invalid-line",
    ),
    "a line outside the image": ({"lines": [known("א", 90)]}, InvalidInput, "invalid-line"),
    "a control character": ({"lines": [known("א\u202eב")]}, InvalidInput, "bidi-override"),
    "a text too long": ({"lines": [known("א" * 4001)]}, InvalidInput, "text-too-long"),
    "another type": ({"image": {"media_type": "image/gif"}}, UnsupportedMedia, "unsupported-media-type"),
    "no width": ({"image": {"width": 0}}, InvalidInput, "empty-image"),
    "too large": ({"image": {"size_bytes": 1 << 30}}, TooLarge, "too-large"),
    "another length": ({"image": {"size_bytes": 7}}, InvalidInput, "size-mismatch"),
}


@pytest.mark.parametrize(("change", "error", "code"), BAD_IMPORTS.values(), ids=BAD_IMPORTS)
async def test_a_bad_import_is_refused_and_nothing_is_stored(
    registry: Registry,
    postgres: PostgresServer,
    change: dict[str, Any],
    error: type[KetavError],
    code: str,
) -> None:
    """Each has a stable code; no page is stored."""
    user_id = await registry.new_user()
    with acting(user_id):
        project_id = await project_of(registry)
        with pytest.raises(error) as caught:
            await import_page(registry, **({"project_id": project_id} | change))
        assert caught.value.code == code
    assert await count_rows(postgres, registry.database, "page", user_id) == 1


async def test_a_user_cannot_import_into_another_users_project(registry: Registry) -> None:
    """It is NOT_FOUND; the same image in their own project is a page of their own."""
    with acting(await registry.new_user()):
        project_id = await project_of(registry)
        first = await import_page(registry, project_id)
    with acting(await registry.new_user()):
        with pytest.raises(NotFound):
            await import_page(registry, project_id)
        own = await import_page(registry, await project_of(registry))
        assert own.page_id != first.page_id
        assert own.ground_truth_lines == 2
