"""The words of an imported document keep their outlines in JSON and exports, also after a correction."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from ketav_gateway.ground_truth.xml_documents import parse_xml
from ketav_gateway.pages import exports
from ketav_gateway.transcriptions.imported_words import Word, imported_outlines
from ketav_gateway.transcriptions.word_boxes import Position, extent, spans
from tests.parts.archives import alto, page_xml, picture, zipped
from tests.parts.exported_pages import word_boxes
from tests.parts.gateway import Gateway, in_process_gateway

LINE = "10,10 190,10 190,40 10,40"
WORDS = {"שלום": (150, 12, 188, 36), "לכל": (105, 14, 131, 38), "העולם": (20, 11, 90, 39)}
"""Boxes that are not where an estimate by the number of characters has them: left, top, right, bottom."""
OUTLINE = "188,12 150,14 148,36 186,38"


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    """Run a gateway with an in-memory registry."""
    async with in_process_gateway(tmp_path) as running:
        yield running


def strings(boxes: dict[str, tuple[int, int, int, int]] = WORDS, factor: float = 1) -> str:
    """Return words of ALTO with their boxes."""
    return "<SP/>".join(
        f'<String CONTENT="{word}" HPOS="{left * factor}" VPOS="{top * factor}" '
        f'WIDTH="{(right - left) * factor}" HEIGHT="{(bottom - top) * factor}"/>'
        for word, (left, top, right, bottom) in boxes.items()
    )


def page_words() -> str:
    """Return words of PAGE with their boxes, and the text of their line."""
    words = "".join(
        f'<Word id="{left}"><Coords points="{left},{top} {right},{top} {right},{bottom} {left},{bottom}"/>'
        f"<TextEquiv><Unicode>{word}</Unicode></TextEquiv></Word>"
        for word, (left, top, right, bottom) in WORDS.items()
    )
    return f"{words}<TextEquiv><Unicode>{' '.join(WORDS)}</Unicode></TextEquiv>"


def alto_document(inner: str, factor: float = 1, unit: str = "pixel") -> str:
    """Return an ALTO document with a line that has these words."""
    points = " ".join(f"{x * factor},{y * factor}" for x, y in ((10, 10), (190, 10), (190, 40), (10, 40)))
    line = f'<TextLine ID="a"><Shape><Polygon POINTS="{points}"/></Shape>{inner}</TextLine>'
    document = alto(line).replace(">pixel<", f">{unit}<")
    return document.replace('WIDTH="200" HEIGHT="60"', f'WIDTH="{200 * factor}" HEIGHT="{60 * factor}"')


DOCUMENTS = {
    "ALTO": alto_document(strings()),
    "ALTO in mm10": alto_document(strings(factor=2), 2, "mm10"),
    "PAGE": page_xml(f'<TextLine id="l"><Coords points="{LINE}"/>{page_words()}</TextLine>'),
    "PAGE without an outline of the line": page_xml(f'<TextLine id="l">{page_words()}</TextLine>'),
}


async def imported(gateway: Gateway, document: str, project_id: str = "") -> tuple[str, str]:
    """Import a document with its image; return the project and the address of the image."""
    if not project_id:
        project_id = (await gateway.client.post("/projects/", json={"name": uuid4().hex})).json()[
            "project_id"
        ]
    archive = zipped({"p.png": picture(), "p.xml": document})
    response = await gateway.client.post(
        f"/projects/{project_id}/ground-truth", files={"file": ("x.zip", archive)}
    )
    assert response.status_code == 201, response.text
    return project_id, f"/projects/{project_id}/images/{response.json()['files'][0]['image_id']}"


async def exported(gateway: Gateway, image: str, form: str) -> bytes:
    """Return an export."""
    return bytes((await gateway.client.get(f"{image}/export?format={form}")).content)


async def verified_words(gateway: Gateway, image: str) -> dict[str, tuple[int, int, int, int]]:
    """Return the words of the first line in JSON with their boxes."""
    line = (await gateway.client.get(image)).json()["transcription"]["lines"][0]
    return {word["text"]: extent(word["boundary"]) for word in line["verified_words"]}


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
async def test_an_export_of_an_import_has_the_boxes_of_its_words(gateway: Gateway, document: str) -> None:
    """Of ALTO, PAGE and hOCR, and in JSON."""
    _, image = await imported(gateway, document)
    forms: tuple[exports.Format, ...] = ("alto", "page", "hocr")
    for form in forms:
        assert word_boxes(form, await exported(gateway, image, form)) == list(WORDS.items())
    assert await verified_words(gateway, image) == WORDS


@pytest.mark.parametrize("form", ["alto", "page"])
async def test_an_export_that_is_imported_again_has_the_same_words(gateway: Gateway, form: Any) -> None:
    """Also after several rounds."""
    project_id, image = await imported(gateway, DOCUMENTS["PAGE"])
    document = await exported(gateway, image, form)
    other = (await gateway.client.post("/projects/", json={"name": "עותק"})).json()["project_id"]
    assert other != project_id
    _, copy = await imported(gateway, document.decode(), other)
    assert word_boxes(form, await exported(gateway, copy, form)) == list(WORDS.items())


def test_outlines_of_words_keep_their_points() -> None:
    """Those of PAGE, and those of ALTO that are not its boxes."""
    word = f'<Word><Coords points="{OUTLINE}"/><TextEquiv><Unicode>שלום</Unicode></TextEquiv></Word>'
    string = (
        f'<String CONTENT="שלום" HPOS="1" VPOS="1" WIDTH="9" HEIGHT="9"><Shape><Polygon POINTS="{OUTLINE}"/>'
    )
    lines = [
        page_xml(f'<TextLine><Coords points="{LINE}"/>{word}</TextLine>'),
        alto_document(f"{string}</Shape></String>"),
    ]
    for document in lines:
        [line] = parse_xml(document.encode()).lines
        assert [tuple(word) for word in line.words] == [
            ("שלום", ((188, 12), (150, 14), (148, 36), (186, 38)))
        ]


@pytest.mark.parametrize(
    ("inner", "text"),
    [
        ('<String CONTENT="שלום לכל" HPOS="1" VPOS="1" WIDTH="9" HEIGHT="9"/>', "שלום לכל"),
        ('<String CONTENT="שלום" HPOS="x" VPOS="1" WIDTH="9" HEIGHT="9"/>', "שלום"),
        ('<String CONTENT="שלום" HPOS="1" VPOS="1" WIDTH="0" HEIGHT="0"/>', "שלום"),
        ('<String CONTENT="שלום"/>', "שלום"),
    ],
    ids=["several words in one string", "no number", "no area", "no box"],
)
def test_an_outline_that_is_none_of_one_word_costs_no_line(inner: str, text: str) -> None:
    """The word is placed as one of a document without words."""
    document = parse_xml(alto_document(inner).encode())
    assert [(line.text, line.words) for line in document.lines] == [(text, ())]


def test_a_hyphen_belongs_to_the_word_before_it() -> None:
    """ALTO has it as an element of its own, whose box is not that of a word."""
    [line] = parse_xml(
        alto_document(f'{strings()}<HYP CONTENT="-" HPOS="1" VPOS="1" WIDTH="9"/>').encode()
    ).lines
    assert [word.text for word in line.words] == ["שלום", "לכל", "העולם-"]


def test_a_page_with_too_many_points_keeps_its_lines_and_loses_its_words() -> None:
    """The points of words alone are no reason to refuse a page."""
    points = " ".join(f"{number % 190},{number % 60}" for number in range(1000))
    word = f'<Word><Coords points="{points}"/><TextEquiv><Unicode>שלום</Unicode></TextEquiv></Word>'
    line = f'<TextLine><Coords points="{LINE}"/>{word}</TextLine>'
    assert all(line.words for line in parse_xml(page_xml(line * 9).encode()).lines)
    document = parse_xml(page_xml(line * 101).encode())
    assert (len(document.lines), {line.words for line in document.lines}) == (101, {()})


def outlines(text: str) -> dict[str, tuple[int, int, int, int] | None]:
    """Return the boxes that the words of a text get from the imported ones."""
    words = [
        Word(word, [(left, top), (right, top), (right, bottom), (left, bottom)])
        for word, (left, top, right, bottom) in WORDS.items()
    ]
    polygons: list[list[Position] | None] = imported_outlines(text, spans(text), words)
    return {word: extent(box) if box else None for word, box in zip(text.split(), polygons, strict=True)}


def test_a_corrected_word_keeps_the_box_of_the_one_that_it_replaces() -> None:
    """The boxes of its neighbours stay."""
    boxes = outlines("שלום אל העולם")
    assert boxes == {"שלום": WORDS["שלום"], "אל": WORDS["לכל"], "העולם": WORDS["העולם"]}


def test_a_divided_word_gives_its_parts_its_room() -> None:
    """By their characters, from right to left."""
    boxes = outlines("שלום לכל ה עולם")
    left, top, right, bottom = WORDS["העולם"]
    first, second = boxes["ה"], boxes["עולם"]
    assert first is not None
    assert second is not None
    assert (first[2], second[0]) == (right, left)
    assert second[2] <= first[0]
    assert first[1:4:2] == second[1:4:2] == (top, bottom)
    assert boxes["לכל"] == WORDS["לכל"]


def test_joined_words_have_the_box_around_both() -> None:
    """From the left of the last to the right of the first."""
    assert outlines("שלוםלכל העולם") == {"שלוםלכל": (105, 12, 188, 38), "העולם": WORDS["העולם"]}


def test_an_added_word_has_no_imported_box() -> None:
    """It is placed as one of a document without words."""
    assert outlines("שלום לכל יושבי העולם") == WORDS | {"יושבי": None}


async def test_a_correction_keeps_the_boxes_of_the_other_words(gateway: Gateway) -> None:
    """In JSON, after the correction of an imported line."""
    project_id, image = await imported(gateway, DOCUMENTS["ALTO"])
    line_id = (await gateway.client.get(image)).json()["transcription"]["lines"][0]["line_id"]
    correction = {"line_id": line_id, "text": "שלום רב לכל העולם"}
    body = {"project_id": project_id, "image_id": image.rpartition("/")[2], "lines": [correction]}
    assert (await gateway.client.post("/feedback/", json=body)).status_code == 201
    words = await verified_words(gateway, image)
    assert {word: words[word] for word in WORDS} == WORDS
    assert list(words) == ["שלום", "רב", "לכל", "העולם"]
