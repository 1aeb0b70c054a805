"""The picture of a line: its part of the stored image, scaled."""

import asyncio
import io
from types import SimpleNamespace
from typing import Any, cast

import pytest
from PIL import Image, ImageDraw

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import pages_pb2, transcriptions_pb2
from ketav_common.errors import NotFound
from ketav_gateway.http.line_images import LineImages, PageAddress
from tests.parts.gateway import Gateway, upload


def page_of_stripes() -> bytes:
    """Return a white page of 200 x 100 pixels with a black box in its lower right quarter."""
    image = Image.new("L", (200, 100), 255)
    ImageDraw.Draw(image).rectangle((100, 50, 180, 79), fill=0)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


async def read_page(gateway: Gateway) -> tuple[str, str]:
    """Read the page with the box as its second line; return the addresses of its picture and of the page."""
    read = (await upload(gateway.client, page_of_stripes())).json()
    stored = gateway.state.page(read["image_id"])
    line = stored.message.transcription.lines[1]
    del line.boundary[:]
    del line.baseline[:]
    line.boundary.extend(page_pb2.Point(x=x, y=y) for x, y in ((100, 50), (180, 50), (180, 80), (100, 80)))
    path = f"/projects/{read['project_id']}/images/{read['image_id']}"
    return f"{path}/lines/{line.line_id}/image", path


async def test_a_picture_shows_the_line_with_a_margin_at_the_requested_height(gateway: Gateway) -> None:
    """The box is black, the margin white."""
    path, _ = await read_page(gateway)
    response = await gateway.client.get(f"{path}?height=76")
    assert (response.status_code, response.headers["content-type"]) == (200, "image/jpeg")
    picture = Image.open(io.BytesIO(response.content))
    assert picture.size == (176, 76)  # 88 x 38 pixels of the page: the box and 4 pixels at each edge
    middle_row = picture.convert("L").tobytes()[38 * 176 : 39 * 176]
    assert middle_row[88] < 20
    assert middle_row[2] > 235
    assert Image.open(io.BytesIO((await gateway.client.get(path)).content)).height == 96


async def test_the_pictures_of_a_page_take_one_download(gateway: Gateway) -> None:
    """And one request for the page, also when a browser requests them at the same time, and again."""
    path, page = await read_page(gateway)
    lines = [line["line_id"] for line in (await gateway.client.get(page)).json()["transcription"]["lines"]]
    gateway.state.calls.clear()
    answers = await asyncio.gather(*(gateway.client.get(f"{page}/lines/{line}/image") for line in lines * 3))
    assert {answer.status_code for answer in answers} == {200}
    known = {"If-None-Match": answers[0].headers["etag"]}
    assert (await gateway.client.get(f"{page}/lines/{lines[0]}/image", headers=known)).status_code == 304
    assert gateway.state.calls.count("DownloadImage") == 1
    assert gateway.state.calls.count("GetPage") == 1
    assert path.endswith(f"{lines[1]}/image")


async def test_a_picture_never_changes_and_is_cached_by_its_client_alone(gateway: Gateway) -> None:
    """304 for a client that has it; another height is another picture."""
    path, _ = await read_page(gateway)
    first = await gateway.client.get(path)
    assert first.headers["cache-control"] == "private, max-age=31536000, immutable"
    same = await gateway.client.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    other = await gateway.client.get(f"{path}?height=50", headers={"If-None-Match": first.headers["etag"]})
    assert other.status_code == 200


async def test_the_picture_of_a_foreign_unknown_or_deleted_line_is_404(gateway: Gateway) -> None:
    """Although it is in the cache."""
    path, page = await read_page(gateway)
    assert (await gateway.client.get(path)).status_code == 200
    assert (await gateway.other.get(path)).status_code == 404
    unknown = f"{page}/lines/00000000-0000-4000-8000-000000000000/image"
    assert (await gateway.client.get(unknown)).status_code == 404
    await gateway.client.delete(page)
    assert (await gateway.client.get(path)).status_code == 404


async def test_the_picture_of_a_deleted_project_is_404(gateway: Gateway) -> None:
    """At once."""
    path, page = await read_page(gateway)
    assert (await gateway.client.get(path)).status_code == 200
    await gateway.client.delete(page.partition("/images")[0])
    assert (await gateway.client.get(path)).status_code == 404


async def test_a_line_of_a_later_transcription_has_its_picture(gateway: Gateway) -> None:
    """Although the earlier lines of the page are in the cache."""
    path, page = await read_page(gateway)
    await gateway.client.get(path)
    boundary = {"boundary": [[100, 50], [180, 50], [180, 80], [100, 80]]}
    added = (await gateway.client.post(f"{page}/lines", json=boundary)).json()["transcription"]["lines"][0]
    assert (await gateway.client.get(f"{page}/lines/{added['line_id']}/image")).status_code == 200


class Pages:
    """A registry's pages, which count how often one is requested."""

    def __init__(self) -> None:
        """Start without a request."""
        self.requests = 0

    async def GetPage(self, _request: pages_pb2.GetPageRequest, **_options: Any) -> pages_pb2.GetPageResponse:
        """Return a page of one line."""
        self.requests += 1
        lines = [page_pb2.Line(line_id="line")]
        transcription = transcriptions_pb2.Transcription(lines=lines)
        return pages_pb2.GetPageResponse(page=pages_pb2.Page(transcription=transcription))


async def test_the_lines_of_a_page_are_cached_for_each_user_and_for_ten_seconds() -> None:
    """Another process may have deleted the page; an unknown line is requested each time."""
    now, pages = [0.0], Pages()
    services = SimpleNamespace(pages=pages, deadlines=SimpleNamespace(short_s=1.0))
    images = LineImages(cast("Any", None), None, lambda: now[0])
    first, second = PageAddress("user 1", "project", "page"), PageAddress("user 2", "project", "page")
    for address, seconds, requests in ((first, 0.0, 1), (first, 9.9, 1), (second, 9.9, 2), (first, 10.0, 3)):
        now[0] = seconds
        await images.page(cast("Any", services), address, "line")
        assert pages.requests == requests
    for requests in (4, 5):
        with pytest.raises(NotFound):
            await images.page(cast("Any", services), first, "other")
        assert pages.requests == requests


async def test_a_height_out_of_range_is_refused(gateway: Gateway) -> None:
    """24 to 400 pixels."""
    path, _ = await read_page(gateway)
    for height in (23, 401):
        assert (await gateway.client.get(f"{path}?height={height}")).json()["code"] == "invalid-input"


async def test_a_page_that_has_not_changed_is_304(gateway: Gateway) -> None:
    """For a window that asks every few seconds whether another one has corrected a line."""
    _, page = await read_page(gateway)
    first = await gateway.client.get(page)
    again = await gateway.client.get(page, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    lines = [{"line_id": first.json()["transcription"]["lines"][0]["line_id"], "text": "שלום"}]
    body = {"project_id": first.json()["project_id"], "image_id": first.json()["image_id"], "lines": lines}
    await gateway.client.post("/feedback/", json=body)
    changed = await gateway.client.get(page, headers={"If-None-Match": first.headers["etag"]})
    assert changed.status_code == 200
    assert changed.headers["etag"] != first.headers["etag"]
