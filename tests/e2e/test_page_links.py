"""A IIIF viewer on a web page of another origin shows a project by a link, without a key."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.e2e.local_system import LocalSystem
from tests.parts.browser import Window
from tests.parts.correction_page import PAGES
from tests.parts.pages import draw_page

VIEWER = """
async (address) => {
    const manifest = await (await fetch(address)).json();
    const body = manifest.items[0].items[0].items[0].body;
    const image = new Image();
    image.crossOrigin = "anonymous";
    image.src = body.id;
    await image.decode();
    const canvas = Object.assign(document.createElement("canvas"), { width: 9, height: 9 });
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    context.getImageData(0, 0, 9, 9);  // throws for an image of another origin without CORS
    const lines = manifest.items[0].annotations[0].items.length;
    return [manifest.label.none[0], image.naturalWidth, body.width, lines];
}
"""


@pytest.fixture(scope="session")
def tiny_models(drawn_models: Path) -> Path:
    """Return the base model that reads drawn pages."""
    return drawn_models


@contextmanager
def other_origin(folder: Path) -> Iterator[str]:
    """Serve a web page at another port; yield its address."""
    (folder / "viewer.html").write_text("<!doctype html><title>Viewer</title>", encoding="utf-8")
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/viewer.html"
        finally:
            server.shutdown()


def test_a_viewer_of_another_origin_shows_the_pages_until_the_links_are_revoked(
    window: Window, system: LocalSystem, tmp_path: Path
) -> None:
    """It reads the manifest and the pixels of the image; it sends neither key nor cookie."""
    with system.client() as client, other_origin(tmp_path) as viewer:
        files = {"file": ("page.png", draw_page(PAGES[0][:2]), "image/png")}
        page = client.post("/ocr/", files=files, data={"name": "Letters"}).raise_for_status().json()
        path = f"/projects/{page['project_id']}/iiif-link"
        address = client.post(path, json={}).raise_for_status().json()["url"]
        window.page.context.clear_cookies()
        window.page.goto(viewer)
        title, shown_width, width, lines = window.page.evaluate(VIEWER, address)
        assert (title, shown_width) == ("Letters", width)
        assert lines == len(page["lines"]) > 0
        client.delete(path).raise_for_status()
        status = window.page.evaluate("async (address) => (await fetch(address)).status", address)
        assert status == 404
