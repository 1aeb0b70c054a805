"""Corrections against a real PostgreSQL: line by line and as a page's whole text."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from ketav.registry.v1 import corrections_pb2, pages_pb2
from ketav_common import rpc
from ketav_common.errors import Conflict, InvalidInput, NotFound, Precondition
from tests.parts.postgres import PostgresServer
from tests.parts.registry import DIGEST, Registry, acting, create, record, registry_server

READ = ("בראשית ברא אלהים", "את השמים ואת הארץ", "והארץ היתה תהו ובהו")


@pytest.fixture(scope="module")
def database(postgres: PostgresServer) -> str:
    """Return a migrated database for this module."""
    return postgres.migrated_database()


@pytest.fixture
async def registry(postgres: PostgresServer, database: str, tmp_path: Path) -> AsyncIterator[Registry]:
    """Run a registry."""
    async with registry_server(postgres, tmp_path, database) as running:
        yield running


async def submit(
    registry: Registry,
    page: pages_pb2.Page,
    corrected: str | dict[str, str] | list[tuple[str, str]],
    **request: Any,
) -> corrections_pb2.SubmitCorrectionsResponse:
    """Submit a page's text, or texts by line id, as the current user."""
    fields: dict[str, Any] = {
        "project_id": page.project_id,
        "page_id": page.page_id,
        "request_sha256": DIGEST,
    }
    if isinstance(corrected, str):
        fields["corrected_text"] = corrected
    else:
        pairs = corrected.items() if isinstance(corrected, dict) else corrected
        by_line = [corrections_pb2.LineCorrection(line_id=line_id, text=text) for line_id, text in pairs]
        fields["lines"] = corrections_pb2.LineCorrections(lines=by_line)
    with rpc.raise_ketav_errors():
        return await registry.corrections.SubmitCorrections(
            corrections_pb2.SubmitCorrectionsRequest(**fields | request)
        )


async def read_page(registry: Registry) -> tuple[pages_pb2.Page, list[str]]:
    """Upload and read a page; return it with the ids of its lines."""
    page = (await create(registry)).page
    transcription = await record(registry, page, *READ)
    return page, [line.line_id for line in transcription.lines]


async def corrected_texts(registry: Registry, page: pages_pb2.Page) -> list[str | None]:
    """Return the corrected text of each line of a page."""
    request = pages_pb2.GetPageRequest(project_id=page.project_id, page_id=page.page_id)
    stored = (await registry.pages.GetPage(request)).page
    return [
        line.corrected_text if line.HasField("corrected_text") else None
        for line in stored.transcription.lines
    ]


async def test_a_later_correction_of_a_line_replaces_the_earlier_one_and_both_are_stored(
    registry: Registry, postgres: PostgresServer
) -> None:
    """Corrections are append-only. The second supersedes the first; the line counts once."""
    with acting(await registry.new_user()):
        page, (first, second, _) = await read_page(registry)
        saved = await submit(registry, page, {first: "תיקון", second: READ[1]})
        assert (saved.accepted_lines, saved.ground_truth_lines) == (2, 2)
        assert (await submit(registry, page, {first: "תיקון שני"})).ground_truth_lines == 2
        assert await corrected_texts(registry, page) == ["תיקון שני", READ[1], None]
    query = "SELECT id, supersedes FROM correction WHERE line_id = $1 ORDER BY number"
    rows = await asyncio.to_thread(postgres.execute, query, registry.database, UUID(first))
    assert [row["supersedes"] for row in rows] == [None, rows[0]["id"]]


async def test_a_correction_stays_with_its_line_when_the_page_is_read_again(registry: Registry) -> None:
    """A later transcription has new line ids; a line with the same geometry has the correction."""
    with acting(await registry.new_user()):
        page, (first, *_) = await read_page(registry)
        await submit(registry, page, {first: "תיקון"})
        again = await record(registry, page, *READ)
        assert await corrected_texts(registry, page) == ["תיקון", None, None]
        saved = await submit(registry, page, {again.lines[0].line_id: "תיקון אחר"})
        assert saved.ground_truth_lines == 1
        with pytest.raises(InvalidInput) as caught:
            await submit(registry, page, {first: "תיקון"})
        assert caught.value.code == "unknown-line"
        with pytest.raises(InvalidInput) as caught:
            await submit(registry, page, {again.lines[0].line_id: "א\0", first: "תיקון"})
        assert caught.value.details["pointer"] == "/lines/1/line_id"  # as sent


async def test_a_whole_text_is_aligned_to_the_lines(registry: Registry) -> None:
    """Whatever letters were misread; empty lines and a final line break are ignored."""
    with acting(await registry.new_user()):
        page, _ = await read_page(registry)
        texts = ["בראשית ברא אלוהים", "את השמיים ואת הארץ", "והארץ הייתה תוהו ובוהו"]
        saved = await submit(registry, page, "\r\n".join(["", *texts, ""]))
        assert (saved.accepted_lines, len(saved.unaligned), saved.ground_truth_lines) == (3, 0, 3)
        assert await corrected_texts(registry, page) == texts


async def test_a_text_that_cannot_be_aligned_is_reported_and_not_guessed(registry: Registry) -> None:
    """A line without a text and a text without a line are reported with a reason; the others are stored."""
    with acting(await registry.new_user()):
        page, lines = await read_page(registry)
        saved = await submit(registry, page, f"{READ[0]}\nשבט סוף דגים קטנים\n{READ[2]}")
        assert saved.accepted_lines == 2
        assert [(item.text, item.line_id) for item in saved.unaligned] == [
            ("שבט סוף דגים קטנים", ""),
            ("", lines[1]),
        ]
        assert all(item.reason for item in saved.unaligned)
        assert await corrected_texts(registry, page) == [READ[0], None, READ[2]]


async def test_a_text_for_a_page_without_lines_gets_a_reason_that_fits(registry: Registry) -> None:
    """There is no line whose id could be sent."""
    with acting(await registry.new_user()):
        page = (await create(registry)).page
        await record(registry, page)
        [item] = (await submit(registry, page, "שלום")).unaligned
        assert item.reason.startswith("The page has no line that could get this text.")


async def test_a_repeated_request_gets_the_first_response(registry: Registry) -> None:
    """Eight concurrent requests with one key are stored once; another body with the key is a conflict."""
    with acting(await registry.new_user()):
        page, (first, *_) = await read_page(registry)
        responses = await asyncio.gather(
            *(submit(registry, page, {first: "תיקון"}, request_id="k") for _ in range(8))
        )
        assert len({response.feedback_id for response in responses}) == 1
        with pytest.raises(Conflict) as caught:
            await submit(
                registry,
                page,
                {first: "אחר"},
                request_id="k",
                request_sha256=hashlib.sha256(b"other").digest(),
            )
        assert caught.value.code == "idempotency-key-reused"
        assert await corrected_texts(registry, page) == ["תיקון", None, None]


async def test_of_two_concurrent_requests_with_one_key_for_two_pages_one_is_a_conflict(
    registry: Registry,
) -> None:
    """The unique index decides which of the two is first."""
    with acting(await registry.new_user()):
        pages = [await read_page(registry) for _ in range(2)]
        outcomes = await asyncio.gather(
            *(
                submit(
                    registry,
                    page,
                    {lines[0]: "תיקון"},
                    request_id="k",
                    request_sha256=hashlib.sha256(lines[0].encode()).digest(),
                )
                for page, lines in pages
            ),
            return_exceptions=True,
        )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Conflict", "SubmitCorrectionsResponse"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("א" * 4001, "text-too-long"),
        ("א" + "\u05b0" * 17, "too-many-marks"),
        ("א\u202eב", "bidi-override"),
        ("א\u0000ב", "control-character"),
    ],
)
async def test_a_bad_text_is_refused_alone(registry: Registry, text: str, code: str) -> None:
    """The other lines of the request are stored; a request without another line is refused with the place."""
    with acting(await registry.new_user()):
        page, (first, second, third) = await read_page(registry)
        saved = await submit(registry, page, {first: "טוב", second: text})
        assert [(item.line_id, item.code) for item in saved.refused] == [(second, code)]
        assert saved.refused[0].detail.endswith(".")
        assert (saved.accepted_lines, saved.ground_truth_lines) == (1, 1)
        saved = await submit(registry, page, f"{text}\n{READ[2]}", request_id="k")
        assert [(item.line, item.line_id, item.code) for item in saved.refused] == [(1, "", code)]
        assert await submit(registry, page, f"{text}\n{READ[2]}", request_id="k") == saved
        assert await corrected_texts(registry, page) == ["טוב", None, READ[2]]
        with pytest.raises(InvalidInput) as caught:
            await submit(registry, page, {third: text})
        assert (caught.value.code, caught.value.details["pointer"]) == (code, "/lines/0/text")
        with pytest.raises(InvalidInput) as caught:
            await submit(registry, page, f"\n{text}")
        assert (caught.value.code, caught.value.details["line"]) == (code, "2")


async def test_presentation_forms_are_stored_decomposed_and_in_nfc(registry: Registry) -> None:
    """U+FB2A is stored as shin with its dot."""
    with acting(await registry.new_user()):
        page, (first, *_) = await read_page(registry)
        await submit(registry, page, {first: "\ufb2aלום"})
        assert (await corrected_texts(registry, page))[0] == "ש\u05c1לום"


async def test_corrections_of_other_lines_or_pages_are_refused(registry: Registry) -> None:
    """Unknown, foreign and repeated lines, a page of another project, and a page without a transcription."""
    with acting(await registry.new_user()):
        foreign_page, foreign_lines = await read_page(registry)
    with acting(await registry.new_user()):
        page, (first, *_) = await read_page(registry)
        other, _ = await read_page(registry)
        cases: list[tuple[Any, Any, type[Exception], str]] = [
            (page, {str(uuid4()): "א"}, InvalidInput, "unknown-line"),
            (page, {foreign_lines[0]: "א"}, InvalidInput, "unknown-line"),
            (page, [(first, "א"), (first, "ב")], InvalidInput, "duplicate-line"),
            (page, [], InvalidInput, "line-count"),
            (page, "\n\n", InvalidInput, "line-count"),
            (page, "א\n" * 1001, InvalidInput, "line-count"),
            (foreign_page, {foreign_lines[0]: "א"}, NotFound, "not-found"),
            (
                pages_pb2.Page(page_id=page.page_id, project_id=other.project_id),
                {first: "א"},
                NotFound,
                "not-found",
            ),
            ((await create(registry)).page, {first: "א"}, Precondition, "page-not-read"),
        ]
        for target, corrected, error, code in cases:
            with pytest.raises(error) as caught:
                await submit(registry, target, corrected)
            assert caught.value.code == code  # type: ignore[attr-defined]
        assert await corrected_texts(registry, page) == [None, None, None]
