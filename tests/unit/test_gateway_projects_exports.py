"""A project, or some of its images, is exported as one document or as an archive."""

import io
import json
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import docx
import httpx
import pypdfium2
import pytest
from docx.oxml.ns import qn
from PIL import Image

from ketav.registry.v1 import ground_truth_pb2
from ketav_gateway.pages import documents, streams
from ketav_gateway.pages.schemas import Page
from tests.parts.exported_pages import in_region, line, page
from tests.parts.gateway import Gateway, in_process_gateway, upload
from tests.parts.in_memory.recognizer import SECOND_TEXT, TEXT

PAGES = 11
"""More than one call of the registry returns."""
TEI = "{http://www.tei-c.org/ns/1.0}"


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    """Run a gateway."""
    async with in_process_gateway(tmp_path) as running:
        yield running


async def read_pages(gateway: Gateway, count: int) -> tuple[str, list[str]]:
    """Read images into one project; return its id and theirs."""
    first = (await upload(gateway.client, name="יומן")).json()
    project_id = first["project_id"]
    others = [(await upload(gateway.client, project_id=project_id)).json() for _ in range(count - 1)]
    return project_id, [page["image_id"] for page in (first, *others)]


async def export(gateway: Gateway, project_id: str, query: str) -> httpx.Response:
    """Request an export."""
    response = await gateway.client.get(f"/projects/{project_id}/export?{query}")
    assert response.status_code == 200, response.text
    return response


def archive(response: httpx.Response) -> dict[str, bytes]:
    """Return the files of an archive."""
    with zipfile.ZipFile(io.BytesIO(response.content)) as opened:
        assert opened.testzip() is None
        return {name: opened.read(name) for name in opened.namelist()}


async def test_an_archive_has_a_file_for_each_image(gateway: Gateway) -> None:
    """As the export of the image alone; the names are those of the images."""
    project_id, images = await read_pages(gateway, PAGES)
    response = await export(gateway, project_id, "format=alto")
    assert response.headers["content-type"] == "application/zip"
    assert response.headers["content-disposition"] == f'attachment; filename="{project_id}.zip"'
    files = archive(response)
    assert list(files) == [f"{image}.alto.xml" for image in images]
    alone = await gateway.client.get(f"/projects/{project_id}/images/{images[3]}/export?format=alto")
    assert files[f"{images[3]}.alto.xml"] == alone.content


@pytest.mark.parametrize("form", ["alto", "page"])
async def test_an_archive_with_images_can_be_imported_with_the_same_lines(
    gateway: Gateway, form: str
) -> None:
    """Texts, baselines and boundaries of each page are those of the exported one."""
    project_id, images = await read_pages(gateway, 3)
    exported = await export(gateway, project_id, f"format={form}&images=true")
    assert len(archive(exported)) == 2 * len(images)
    other = (await gateway.client.post("/projects/", json={"name": "עותק"})).json()["project_id"]
    imported = await gateway.client.post(
        f"/projects/{other}/ground-truth",
        files={"file": ("export.zip", exported.content)},
        data={"confirm": "true"},
    )
    assert imported.status_code == 201, imported.text
    message = ground_truth_pb2.ImportGroundTruthHeader
    headers = [request for request in gateway.state.requests if isinstance(request, message)]
    imported_lines = [(line.text, list(line.baseline), list(line.boundary)) for line in headers[0].lines]
    stored = gateway.user.pages[images[0]].message.transcription.lines
    assert imported_lines == [(line.text, list(line.baseline), list(line.boundary)) for line in stored]
    assert len(headers) == len(images)


async def test_pairs_have_the_verified_lines_and_can_be_imported(gateway: Gateway) -> None:
    """A line that was not corrected is no ground truth."""
    project_id, images = await read_pages(gateway, 2)
    line_id = gateway.user.pages[images[1]].message.transcription.lines[1].line_id
    correction = {"lines": [{"line_id": line_id, "text": "שורה שלישית", "confirm": True}]}
    ids_of_page = {"project_id": project_id, "image_id": images[1]}
    assert (await gateway.client.post("/feedback/", json=ids_of_page | correction)).status_code == 201
    exported = await export(gateway, project_id, "format=pairs")
    files = archive(exported)
    stem = f"{images[1]}-0001"
    assert list(files) == [f"{stem}.jpg", f"{stem}.gt.txt"]
    assert files[f"{stem}.gt.txt"].decode() == "שורה שלישית\n"
    assert Image.open(io.BytesIO(files[f"{stem}.jpg"])).size == (round(128 * 80 / 38), 128)
    other = (await gateway.client.post("/projects/", json={"name": "עותק"})).json()["project_id"]
    imported = await gateway.client.post(
        f"/projects/{other}/ground-truth", files={"file": ("pairs.zip", exported.content)}
    )
    assert imported.json()["imported_lines"] == 1, imported.text


async def test_plain_text_has_all_pages_in_order(gateway: Gateway) -> None:
    """With an empty line between two pages."""
    project_id, _ = await read_pages(gateway, 2)
    text = f"{TEXT}\n{SECOND_TEXT}\n"
    assert (await export(gateway, project_id, "format=txt")).text == f"{text}\n{text}"


async def test_a_selection_is_exported_in_its_order(gateway: Gateway) -> None:
    """Each image as often as it is named."""
    project_id, images = await read_pages(gateway, 3)
    query = f"format=json&image_id={images[2]}&image_id={images[0]}"
    files = archive(await export(gateway, project_id, query))
    assert list(files) == [f"{images[2]}.json", f"{images[0]}.json"]


async def test_tei_has_a_surface_for_each_page(gateway: Gateway) -> None:
    """Zones are regions, lines have their polygon; the header has the name of the project."""
    project_id, images = await read_pages(gateway, 2)
    root = ET.fromstring((await export(gateway, project_id, "format=tei")).content)  # noqa: S314 - our own
    assert root.findtext(f".//{TEI}titleStmt/{TEI}title") == "יומן"
    surfaces = list(root.iter(f"{TEI}surface"))
    assert [surface.find(f"{TEI}graphic").get("url") for surface in surfaces] == [  # type: ignore[union-attr]
        f"{image}.png" for image in images
    ]
    lines = list(surfaces[0].iter(f"{TEI}line"))
    assert [line.text for line in lines] == [TEXT, SECOND_TEXT]
    assert lines[0].get("points") == "10,0 90,0 90,38 10,38"


async def test_a_docx_has_a_right_to_left_paragraph_for_each_line(gateway: Gateway) -> None:
    """In logical order, each page on a new page; of a project and of one image."""
    project_id, images = await read_pages(gateway, 2)
    response = await export(gateway, project_id, "format=docx")
    assert response.headers["content-disposition"] == f'attachment; filename="{project_id}.docx"'
    paragraphs = docx.Document(io.BytesIO(response.content)).paragraphs
    assert [paragraph.text for paragraph in paragraphs] == [TEXT, SECOND_TEXT] * 2
    assert [paragraph.paragraph_format.page_break_before for paragraph in paragraphs] == [
        None,
        None,
        True,
        None,
    ]
    for paragraph in paragraphs:
        assert paragraph._p.pPr is not None
        assert paragraph._p.pPr.find(qn("w:bidi")) is not None
        assert [run.font.rtl for run in paragraph.runs] == [True]
    alone = await gateway.client.get(f"/projects/{project_id}/images/{images[0]}/export?format=docx")
    assert len(docx.Document(io.BytesIO(alone.content)).paragraphs) == 2


async def test_a_docx_shows_markup_and_signs_that_xml_does_not_allow(tmp_path: Path) -> None:
    """A text is text; a page without lines is an empty paragraph on a page of its own."""
    markup = '</w:t> & "<script>"'
    written = page(line(0, markup), line(1, "א\u0001ב"), in_region("marginalia", line(2, "הערה")))
    empty = written.model_copy(update={"transcription": None, "state": "stored"})

    async def pages() -> AsyncIterator[Page]:
        """Yield both pages."""
        yield written
        yield empty

    async def no_image(_: Page) -> Path:
        """Fail: texts need no image."""
        raise AssertionError

    source = documents.Source("", pages(), no_image, "", "", tmp_path)
    content = b"".join([chunk async for chunk in documents.document("docx", source)])
    paragraphs = docx.Document(io.BytesIO(content)).paragraphs
    assert [paragraph.text for paragraph in paragraphs] == [markup, "א\ufffdב", "הערה", ""]
    spaces = [bool(paragraph.paragraph_format.space_before) for paragraph in paragraphs]
    assert spaces == [False, False, True, False]
    assert paragraphs[-1].paragraph_format.page_break_before


async def test_a_pdf_has_all_pages_with_their_text(gateway: Gateway) -> None:
    """Of a project and of one image."""
    project_id, images = await read_pages(gateway, PAGES)
    response = await export(gateway, project_id, "format=pdf")
    assert response.headers["content-type"] == "application/pdf"
    with pypdfium2.PdfDocument(response.content) as document:
        assert len(document) == PAGES
        assert document[PAGES - 1].get_textpage().get_text_bounded().splitlines() == [TEXT, SECOND_TEXT]
    alone = await gateway.client.get(f"/projects/{project_id}/images/{images[0]}/export?format=pdf")
    assert alone.headers["content-disposition"] == f'attachment; filename="{images[0]}.pdf"'
    with pypdfium2.PdfDocument(alone.content) as document:
        assert len(document) == 1


def ids(item: Any) -> list[str]:
    """Return all ids of a manifest."""
    if isinstance(item, list):
        return [address for part in item for address in ids(part)]
    if isinstance(item, dict):
        own = [item["id"]] if "id" in item else []
        return own + [address for part in item.values() for address in ids(part)]
    return []


async def test_a_manifest_has_a_canvas_for_each_page_and_an_annotation_for_each_line(
    gateway: Gateway,
) -> None:
    """By IIIF Presentation 3: every id is an address, and what is required of each type is there."""
    project_id, images = await read_pages(gateway, 2)
    response = await export(gateway, project_id, "format=iiif")
    assert response.headers["content-type"].startswith("application/ld+json")
    manifest = json.loads(response.content)
    assert manifest["@context"] == "http://iiif.io/api/presentation/3/context.json"
    assert manifest["label"] == {"none": ["יומן"]}
    assert manifest["viewingDirection"] == "right-to-left"
    assert all(address.startswith("http://") for address in ids(manifest))
    canvases = manifest["items"]
    assert [(canvas["type"], canvas["width"], canvas["height"]) for canvas in canvases] == [
        ("Canvas", 100, 80)
    ] * 2
    [painting] = canvases[0]["items"][0]["items"]
    assert painting["motivation"] == "painting"
    assert painting["target"] == canvases[0]["id"]
    image = await gateway.client.get(painting["body"]["id"])
    assert image.headers["content-type"] == painting["body"]["format"]
    assert images[0] in painting["body"]["id"]
    annotations = canvases[0]["annotations"][0]["items"]
    assert [annotation["body"]["value"] for annotation in annotations] == [TEXT, SECOND_TEXT]
    assert annotations[0]["target"]["source"] == canvases[0]["id"]
    assert 'points="10,0 90,0 90,38 10,38"' in annotations[0]["target"]["selector"]["value"]
    assert len(ids(manifest)) == len(set(ids(manifest)))


@pytest.mark.parametrize("form", streams.FORMATS)
async def test_a_project_without_images_exports_empty(gateway: Gateway, form: str) -> None:
    """A document without pages, or an archive without files."""
    created = (await gateway.client.post("/projects/", json={"name": "ריק"})).json()
    response = await export(gateway, created["project_id"], f"format={form}")
    if response.headers["content-type"] == "application/zip":
        assert archive(response) == {}


async def test_what_the_caller_does_not_have_is_not_found(gateway: Gateway) -> None:
    """A project of another user, and an image of another project, before the first byte."""
    project_id, images = await read_pages(gateway, 1)
    foreign = await gateway.other.get(f"/projects/{project_id}/export?format=pdf")
    alone = await gateway.other.get(f"/projects/{project_id}/images/{images[0]}/export?format=pdf")
    unknown = await gateway.client.get(f"/projects/{project_id}/export?image_id={project_id}")
    assert [foreign.status_code, alone.status_code, unknown.status_code] == [404] * 3


@pytest.mark.parametrize("query", ["format=odt", "image_id=x", "image=1", "images=perhaps"])
async def test_a_parameter_that_is_not_valid_is_named(gateway: Gateway, query: str) -> None:
    """Nothing is exported."""
    project_id, _ = await read_pages(gateway, 1)
    response = await gateway.client.get(f"/projects/{project_id}/export?{query}")
    assert response.status_code == 422
    assert query.partition("=")[0] in json.dumps(response.json()["errors"])


async def test_the_exports_of_a_user_at_once_are_limited(tmp_path: Path) -> None:
    """The next one gets 429, and an export that has ended counts no more."""
    async with in_process_gateway(tmp_path, max_exports_per_user=1) as gateway:
        project_id, _ = await read_pages(gateway, 1)
        await export(gateway, project_id, "format=pdf")
        app: Any = gateway.client._transport
        with app.app.state.components.exports.acquire(gateway.user.user_id):
            response = await gateway.client.get(f"/projects/{project_id}/export")
        assert response.status_code == 429
        assert "exports" in response.json()["detail"]
        await export(gateway, project_id, "format=txt")
    assert list((tmp_path / "spool").iterdir()) == []
