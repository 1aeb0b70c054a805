"""Pages to export, built from messages as the registry sends them."""

import asyncio
import re
from typing import Any
from xml.etree import ElementTree as ET

import httpx
from google.protobuf.timestamp_pb2 import Timestamp

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import pages_pb2, transcriptions_pb2
from ketav_gateway.pages import convert, exports
from ketav_gateway.pages.schemas import Page
from ketav_gateway.transcriptions.word_boxes import extent

_ALTO = "{http://www.loc.gov/standards/alto/ns-v4#}"
_PAGE = "{http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15}"
_HTML = "{http://www.w3.org/1999/xhtml}"


def line(order: int, text: str, corrected: str | None = None, extents: str = "") -> page_pb2.Line:
    """Return a line of a page; `extents` are those of its characters, as "80-60 60-40"."""
    top = 50 * order
    words = [
        page_pb2.Word(text=match.group(), confidence=0.875, start=match.start(), end=match.end())
        for match in re.finditer(r"\S+", text)
    ]
    ends = [tuple(map(int, extent.split("-"))) for extent in extents.split()]
    return page_pb2.Line(
        line_id=f"00000000-0000-4000-8000-00000000000{order}",
        order=order,
        text=text,
        confidence=0.875,
        baseline=_points((10, top + 5), (90, top + 7)),
        boundary=_points((10, top), (90, top), (92, top + 40), (8, top + 40)),
        words=words,
        character_extents=[page_pb2.Extent(start=start, end=end) for end, start in ends],
        corrected_text=corrected,
        verified_text=corrected,
    )


def _points(*points: tuple[int, int]) -> list[page_pb2.Point]:
    """Return points as messages."""
    return [page_pb2.Point(x=x, y=y) for x, y in points]


def page(*lines: page_pb2.Line) -> Page:
    """Return a page that was read."""
    now = Timestamp()
    now.FromJsonString("2026-01-01T00:00:00Z")
    model = page_pb2.Model(version="hebrew_base-1", kind=page_pb2.MODEL_KIND_BASE)
    return convert.page(
        pages_pb2.Page(
            page_id="00000000-0000-4000-8000-0000000000aa",
            project_id="00000000-0000-4000-8000-0000000000bb",
            state=pages_pb2.PAGE_STATE_READ,
            layout=page_pb2.LAYOUT_PAGE,
            create_time=now,
            image=page_pb2.Image(width=100, height=200, media_type="image/png"),
            transcription=transcriptions_pb2.Transcription(
                transcription_id="00000000-0000-4000-8000-0000000000cc",
                model=model,
                create_time=now,
                lines=lines,
            ),
        )
    )


def in_region(region: str, item: page_pb2.Line) -> page_pb2.Line:
    """Return a line of this region type."""
    item.region = page_pb2.RegionType.Value(f"REGION_TYPE_{region.upper().replace('-', '_')}")
    return item


def word_boxes(form: exports.Format, exported: bytes) -> list[tuple[str, tuple[int, int, int, int]]]:
    """Return the words of an export with their boxes: left, top, right, bottom."""
    root = ET.fromstring(exported)  # noqa: S314 - our own output
    if form == "alto":
        return [
            (
                item.get("CONTENT", ""),
                (
                    (left := int(item.get("HPOS", ""))),
                    (top := int(item.get("VPOS", ""))),
                    left + int(item.get("WIDTH", "")),
                    top + int(item.get("HEIGHT", "")),
                ),
            )
            for item in root.iter(f"{_ALTO}String")
        ]
    if form == "page":
        return [
            (
                item.findtext(f"{_PAGE}TextEquiv/{_PAGE}Unicode") or "",
                extent([tuple(map(int, point.split(","))) for point in _outline(item).split()]),  # type: ignore[misc]
            )
            for item in root.iter(f"{_PAGE}Word")
        ]
    spans = [item for item in root.iter(f"{_HTML}span") if item.get("class") == "ocrx_word"]
    return [
        (item.text or "", tuple(int(part) for part in item.get("title", "").split(";")[0].split()[1:]))  # type: ignore[misc]
        for item in spans
    ]


def _outline(word: ET.Element) -> str:
    """Return the points of a word of PAGE."""
    coords = word.find(f"{_PAGE}Coords")
    assert coords is not None
    return coords.get("points", "")


async def written(client: httpx.AsyncClient, job_id: str) -> dict[str, Any]:
    """Wait until an export job has ended; return it."""
    async with asyncio.timeout(60):
        while True:
            job: dict[str, Any] = (await client.get(f"/jobs/{job_id}")).json()
            if job["state"] not in {"queued", "running"}:
                return job
            await asyncio.sleep(0.05)
