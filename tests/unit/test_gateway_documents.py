"""PDFs and TIFFs of several pages become images of one project; the failure of a page is its own."""

import asyncio
import io
import random
from pathlib import Path

import httpx
import pytest
from PIL import Image, ImageOps

from ketav.page.v1 import page_pb2
from ketav_common.errors import InvalidInput, Unavailable
from tests.parts import image_kinds as kinds
from tests.parts.gateway import Gateway, in_process_gateway, png, upload
from tests.parts.in_memory.recognizer import TEXT

PAGE = kinds.written()
SPECK = Image.new("RGB", (12, 12), "white")


def tiff(*pages: Image.Image) -> bytes:
    """Return a TIFF of these pages."""
    return kinds.tiff([(page, {}) for page in pages])


def many_copies() -> bytes:
    """Return a TIFF with more images than are looked at: pages behind that number must not be lost."""
    page, copy = Image.new("1", (64, 64)), Image.new("1", (32, 32))
    return kinds.tiff([(page, {}), *[(copy, {254: 1})] * 3] * 160)


async def states(response: httpx.Response) -> list[tuple[int, str, str | None]]:
    """Return position, state and the code of the error of each page."""
    return [
        (page["position"], page["state"], page["error"] and page["error"]["code"])
        for page in response.json()["pages"]
    ]


@pytest.mark.parametrize("data", [tiff(PAGE, PAGE, PAGE), kinds.pdf([PAGE] * 3)], ids=["TIFF", "PDF"])
async def test_a_document_becomes_images_of_one_project(gateway: Gateway, data: bytes) -> None:
    """Each page is stored and read, in the order of the file."""
    response = await upload(gateway.client, data, name="מחברת")
    assert response.status_code == 201
    assert await states(response) == [(position, "read", None) for position in (1, 2, 3)]
    body = response.json()
    assert response.headers["location"] == f"/projects/{body['project_id']}"
    for page in body["pages"]:
        image = await gateway.client.get(f"/projects/{body['project_id']}/images/{page['image_id']}")
        assert image.json()["transcription"]["lines"][0]["text"] == TEXT
    assert [project.name for project in gateway.user.projects.values()] == ["מחברת"]


async def test_a_document_joins_the_project_that_it_names(gateway: Gateway) -> None:
    """As a single image does."""
    first = (await upload(gateway.client)).json()["project_id"]
    response = await upload(gateway.client, tiff(PAGE, PAGE), project_id=first)
    assert response.json()["project_id"] == first
    assert len(gateway.user.projects) == 1


@pytest.mark.parametrize("bad", [0, 1, 2])
async def test_a_page_that_cannot_be_stored_loses_nothing_of_the_others(gateway: Gateway, bad: int) -> None:
    """The first, a middle or the last page is too small to read."""
    pages = [PAGE, PAGE, PAGE]
    pages[bad] = SPECK
    response = await upload(gateway.client, tiff(*pages))
    assert response.status_code == 201
    expected: list[tuple[int, str, str | None]] = [(position, "read", None) for position in (1, 2, 3)]
    expected[bad] = (bad + 1, "failed", "image-too-small")
    assert await states(response) == expected


async def test_a_document_without_a_usable_page_stores_nothing(gateway: Gateway) -> None:
    """The problem is that of the first page, and names the field."""
    response = await upload(gateway.client, tiff(SPECK, SPECK))
    assert (response.status_code, response.json()["code"]) == (422, "image-too-small")
    assert response.json()["errors"][0]["field"] == "/file"
    assert not gateway.user.projects


async def test_a_page_whose_reading_fails_stays_stored(gateway: Gateway) -> None:
    """With the reason; it can be read again."""
    gateway.state.failures["RecordTranscription"] = Unavailable(retry_after=0.001)  # type: ignore[arg-type]
    gateway.settings.__dict__["document_timeout_s"] = 0.5
    response = await upload(gateway.client, tiff(PAGE, PAGE))
    assert [state for _, state, _ in await states(response)] == ["stored", "stored"]
    gateway.state.failures.clear()
    body = response.json()
    image = f"/projects/{body['project_id']}/images/{body['pages'][1]['image_id']}"
    assert (await gateway.client.post(f"{image}/ocr")).status_code == 201


async def test_the_failure_of_a_page_is_logged(gateway: Gateway, capsys: pytest.CaptureFixture[str]) -> None:
    """By its position and code: the request itself succeeds."""
    unreadable = InvalidInput("The image cannot be read.", code="unreadable-image")
    gateway.state.failures["RecognizePage"] = unreadable
    assert (await gateway.client.post("/ocr/", files={"file": tiff(PAGE, PAGE)})).status_code == 201
    log = [line for line in capsys.readouterr().out.splitlines() if "document_page_failed" in line]
    assert len(log) == 2
    assert "unreadable-image" in log[0]


async def test_a_document_that_is_not_stored_in_time_is_refused_by_name(tmp_path: Path) -> None:
    """503 with the code that pages which are left over have."""
    async with in_process_gateway(tmp_path, document_timeout_s=0.0001) as gateway:
        response = await gateway.client.post("/ocr/", files={"file": tiff(PAGE, PAGE)})
        assert (response.status_code, response.json()["code"]) == (503, "out-of-time")
        assert int(response.headers["retry-after"]) > 0


@pytest.mark.parametrize("limit", ["1/minute", "3/minute"])
async def test_a_document_with_more_pages_than_the_rate_limit_uses_it_up(tmp_path: Path, limit: str) -> None:
    """It is read; the next request waits. Refused requests do not postpone it."""
    async with in_process_gateway(tmp_path, ocr_rate_limit=limit) as gateway:
        first = await gateway.client.post("/ocr/", files={"file": tiff(*[PAGE] * 5)})
        assert await states(first) == [(number, "read", None) for number in range(1, 6)]
        assert (await upload(gateway.client)).status_code == 429


async def test_the_same_document_with_the_same_key_is_stored_and_read_once(gateway: Gateway) -> None:
    """Another document or image with this key is a conflict."""
    headers = {"Idempotency-Key": "notebook"}
    data = tiff(PAGE, PAGE)
    first = await gateway.client.post("/ocr/", files={"file": data}, headers=headers)
    gateway.state.calls.clear()
    second = await gateway.client.post("/ocr/", files={"file": data}, headers=headers)
    assert (second.status_code, second.json()) == (201, first.json())
    assert gateway.state.calls == ["CreatePage", "CreatePage"]
    for other in (tiff(PAGE, PAGE, PAGE), png()):
        refused = await gateway.client.post("/ocr/", files={"file": other}, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (409, "idempotency-key-reused")


async def test_respond_async_makes_a_job_of_a_document(gateway: Gateway) -> None:
    """202 with the job; the workers store and read the pages as the form says."""
    response = await gateway.client.post(
        "/ocr/",
        files={"file": tiff(PAGE, PAGE)},
        data={"name": "מחברת", "rotate": "90", "model": "hebrew_base-1", "layout": "line"},
        headers={"Prefer": "respond-async"},
    )
    assert response.status_code == 202
    assert response.headers["preference-applied"] == "respond-async"
    body = response.json()
    assert response.headers["location"] == f"/jobs/{body['job_id']}"
    assert await states(response) == [(1, "queued", None), (2, "queued", None)]
    assert gateway.state.calls == ["ResolveApiKey", "CreateJob", "EnqueueJob"]
    header = gateway.state.requests[1]
    assert (header.page_count, header.turn, header.detect_turn) == (2, 90, False)
    assert (header.model_version, header.layout) == ("hebrew_base-1", page_pb2.LAYOUT_LINE)
    assert gateway.user.projects[body["project_id"]].name == "מחברת"


async def test_respond_async_reads_a_document_of_more_pages_than_a_request(gateway: Gateway) -> None:
    """At most 300."""
    notebook = tiff(*[Image.new("1", (32, 32))] * 21)
    response = await gateway.client.post(
        "/ocr/", files={"file": notebook}, headers={"Prefer": "respond-async"}
    )
    assert (response.status_code, response.json()["page_count"]) == (202, 21)
    book = tiff(*[Image.new("1", (32, 32))] * 301)
    response = await gateway.client.post("/ocr/", files={"file": book}, headers={"Prefer": "respond-async"})
    assert (response.status_code, response.json()["code"]) == (422, "too-many-pages")


async def test_the_same_document_with_the_same_key_gets_the_same_job(gateway: Gateway) -> None:
    """Also while the workers cannot be woken."""
    gateway.state.failures["EnqueueJob"] = Unavailable(code="no-broker")
    headers = {"Idempotency-Key": "notebook", "Prefer": "respond-async"}
    data = tiff(PAGE, PAGE)
    first = await gateway.client.post("/ocr/", files={"file": data}, headers=headers)
    second = await gateway.client.post("/ocr/", files={"file": data}, headers=headers)
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json() == second.json()
    refused = await gateway.client.post("/ocr/", files={"file": tiff(PAGE, PAGE, PAGE)}, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (409, "idempotency-key-reused")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(tiff(*[Image.new("1", (32, 32))] * 21), "too-many-pages", id="TIFF of 21 pages"),
        pytest.param(many_copies(), "too-many-pages", id="TIFF of more images than are looked at"),
        pytest.param(kinds.pdf([Image.new("L", (64, 64))] * 21), "too-many-pages", id="PDF of 21 pages"),
        pytest.param(kinds.empty_pdf(), "empty-pdf", id="PDF without pages"),
        pytest.param(kinds.encrypted_pdf(), "encrypted-pdf", id="encrypted PDF"),
        pytest.param(b"%PDF-1.7\n" + bytes(500), "broken-pdf", id="broken PDF"),
    ],
)
async def test_a_document_that_cannot_be_served_is_refused_by_name(
    gateway: Gateway, data: bytes, code: str
) -> None:
    """The problem names the field, and nothing is stored."""
    response = await upload(gateway.client, data)
    assert (response.status_code, response.json()["code"]) == (422, code)
    assert response.json()["errors"][0]["field"] == "/file"
    assert not gateway.user.projects


async def test_a_cut_jpeg_is_read_with_a_warning(gateway: Gateway) -> None:
    """201; the sentences say what is missing."""
    data = kinds.saved(PAGE, "JPEG", quality=90)
    body = (await upload(gateway.client, data[: len(data) * 2 // 3])).json()
    assert [warning["code"] for warning in body["warnings"]] == ["incomplete-image"]
    assert body["lines"]


async def test_the_answer_says_how_the_image_was_normalised(gateway: Gateway) -> None:
    """In the response, and when the image is shown later."""
    data = kinds.saved(ImageOps.invert(PAGE), "PNG")
    body = (await upload(gateway.client, data, rotate="90")).json()
    assert body["image"]["normalised"] == ["inverted", "turned-90"]
    assert (body["image"]["width"], body["image"]["height"]) == (PAGE.height, PAGE.width)
    later = await gateway.client.get(f"/projects/{body['project_id']}/images/{body['image_id']}")
    assert later.json()["image"] == body["image"]


async def test_an_unknown_rotation_is_refused(gateway: Gateway) -> None:
    """The problem names the field."""
    response = await upload(gateway.client, rotate="45")
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == "/rotate"


async def test_a_page_that_reads_better_turned_is_stored_turned(gateway: Gateway) -> None:
    """The stored image, its size and the answer are those of the upright page."""
    gateway.state.turn = 270
    body = (await upload(gateway.client, png(100, 80))).json()
    assert body["image"]["normalised"] == ["turned-270"]
    assert (body["image"]["width"], body["image"]["height"]) == (80, 100)
    image = f"/projects/{body['project_id']}/images/{body['image_id']}"
    assert (await gateway.client.get(image)).json()["image"] == body["image"]
    file = await gateway.client.get(f"{image}/file")
    with Image.open(io.BytesIO(file.content)) as stored:
        assert stored.size == (80, 100)


@pytest.mark.parametrize("rotate", ["0", "90"])
async def test_a_given_rotation_is_not_corrected(gateway: Gateway, rotate: str) -> None:
    """Only `auto` detects the direction."""
    gateway.state.turn = 180
    body = (await upload(gateway.client, rotate=rotate)).json()
    assert body["image"]["normalised"] == (["turned-90"] if rotate == "90" else [])
    assert "ReplaceImage" not in gateway.state.calls


async def stored_image(gateway: Gateway, **form: str) -> str:
    """Upload an image whose reading fails; return its path."""
    gateway.state.failures["RecognizePage"] = Unavailable()
    problem = (await upload(gateway.client, noise(100, 80), **form)).json()
    gateway.state.failures.clear()
    return f"/projects/{problem['project_id']}/images/{problem['image_id']}"


@pytest.mark.parametrize("rotate", ["0", "90"])
async def test_a_given_rotation_is_kept_when_the_image_is_read_again(gateway: Gateway, rotate: str) -> None:
    """The first reading has failed; the request for the next one has no rotation."""
    image = await stored_image(gateway, rotate=rotate)
    gateway.state.turn = 180
    body = (await gateway.client.post(f"{image}/ocr")).json()
    assert body["image"]["normalised"] == (["turned-90"] if rotate == "90" else [])
    assert "ReplaceImage" not in gateway.state.calls


async def test_an_image_that_is_turned_while_it_is_read_is_read_once_more(gateway: Gateway) -> None:
    """The lines of the answer have the coordinates of the image that the page has now."""
    image = await stored_image(gateway)
    gateway.state.recognize_s = 0.4
    reading = asyncio.create_task(gateway.client.post(f"{image}/ocr"))
    await asyncio.sleep(0.1)
    gateway.state.recognize_s, gateway.state.turn = 0.0, 180
    gateway.state.failures["RecordTranscription"] = Unavailable()
    assert (await gateway.client.post(f"{image}/ocr")).status_code == 503
    gateway.state.turn = 0
    gateway.state.failures.clear()
    gateway.state.calls.clear()
    response = await reading
    assert (response.status_code, response.json()["image"]["normalised"]) == (201, ["turned-180"])
    again = ["RecordTranscription", "DownloadImage", "RecognizePage", "RecordTranscription"]
    assert gateway.state.calls == again


async def test_a_page_that_was_read_keeps_its_direction(gateway: Gateway) -> None:
    """Its corrections refer to the coordinates; a page whose first reading failed may still be turned."""
    gateway.state.failures["RecognizePage"] = Unavailable()
    problem = (await upload(gateway.client)).json()
    gateway.state.failures.clear()
    gateway.state.turn = 180
    image = f"/projects/{problem['project_id']}/images/{problem['image_id']}"
    first = (await gateway.client.post(f"{image}/ocr")).json()
    assert first["image"]["normalised"] == ["turned-180"]
    second = (await gateway.client.post(f"{image}/ocr")).json()
    assert second["image"]["normalised"] == ["turned-180"]
    assert gateway.state.calls.count("ReplaceImage") == 1


async def test_a_repeated_request_reads_the_image_that_the_first_one_turned(gateway: Gateway) -> None:
    """The first reading was not recorded; the uploaded file is not the stored one any more."""
    gateway.state.turn = 180
    gateway.state.failures["RecordTranscription"] = Unavailable()
    key = {"Idempotency-Key": "turned"}
    file = noise(100, 80)
    problem = await gateway.client.post("/ocr/", files={"file": file}, headers=key)
    assert problem.status_code == 503
    gateway.state.failures.clear()
    gateway.state.turn = 0
    repeated = await gateway.client.post("/ocr/", files={"file": file}, headers=key)
    assert repeated.status_code == 201, repeated.text
    assert repeated.json()["image_id"] == problem.json()["image_id"]
    assert repeated.json()["image"]["normalised"] == ["turned-180"]


async def test_a_file_may_be_kept_by_clients_once_it_is_read(gateway: Gateway) -> None:
    """Before that, the first reading may still turn it."""
    gateway.state.failures["RecognizePage"] = Unavailable()
    problem = (await upload(gateway.client)).json()
    image = f"/projects/{problem['project_id']}/images/{problem['image_id']}"
    unread = await gateway.client.get(f"{image}/file")
    known = await gateway.client.get(f"{image}/file", headers={"If-None-Match": unread.headers["etag"]})
    assert {unread.headers["cache-control"], known.headers["cache-control"]} == {"private, no-cache"}
    gateway.state.failures.clear()
    assert (await gateway.client.post(f"{image}/ocr")).status_code == 201
    assert "immutable" in (await gateway.client.get(f"{image}/file")).headers["cache-control"]


def noise(width: int, height: int) -> bytes:
    """Return a PNG that has another size in bytes when it is turned."""
    half = width * height // 2
    pixels = Image.frombytes("L", (width, height), random.Random(1).randbytes(half) + bytes(half))
    target = io.BytesIO()
    pixels.save(target, "PNG")
    return target.getvalue()


async def test_the_pages_of_a_document_are_turned_each_by_itself(gateway: Gateway) -> None:
    """A document may have pages in several directions."""
    gateway.state.turn = 90
    body = (await upload(gateway.client, tiff(PAGE, PAGE))).json()
    for page in body["pages"]:
        image = await gateway.client.get(f"/projects/{body['project_id']}/images/{page['image_id']}")
        assert image.json()["image"]["normalised"] == ["turned-90"]
