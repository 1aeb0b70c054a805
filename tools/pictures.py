"""Take the pictures of the documents: `python -m tools.pictures` photographs the correction page.

A temporary system with the shipped model reads letters of the demo, and Debian's Chromium shows them. Takes a
minute or two. The picture of the learning is written by `python -m ketav_local.demo --picture`.
"""

import asyncio
import io
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import httpx
from PIL import Image
from playwright.sync_api import Browser, Page

from ketav_local.demo.letters import LAST_LETTER, LETTERS
from ketav_local.demo.page import render
from ketav_local.main import Running, running
from ketav_local.ports import free_ports
from ketav_local.settings import LocalSettings
from tests.parts.browser import chromium
from tools.hygiene import ROOT

FOLDER = ROOT / "docs" / "pictures"
DESK = {"width": 1280, "height": 800}
PHONE = {"width": 400, "height": 760}
MAX_WIDTH = 1000
"""Width of a picture in pixels: the documents show them no wider."""
_TIMEOUT_MS = 60_000
_READ_S = 180.0
_SHOWN_MS = 1_500
"""Milliseconds until pictures of lines are loaded and the image of the page has moved."""

_SCROLL = 260
"""Pixels by which the folder is scrolled to its jobs."""


def _add_letters(client: httpx.Client) -> str:
    """Read letters of the demo into a project, and correct some lines; return the project's id."""
    created = client.post("/projects/", json={"name": "מכתבים של סבתא", "hand": "סבתא רחל"})
    project_id: str = created.raise_for_status().json()["project_id"]
    for letter in (*LETTERS, LAST_LETTER):
        files = {"file": ("letter.png", render(letter), "image/png")}
        read = client.post("/ocr/", files=files, data={"project_id": project_id}).raise_for_status().json()
        lines = [
            {"line_id": line["line_id"], "text": text}
            for line, text in zip(read["lines"], letter, strict=True)
        ]
        if letter is not LAST_LETTER:
            body = {"project_id": project_id, "image_id": read["image_id"], "lines": lines[:3]}
            client.post("/feedback/", json=body).raise_for_status()
    return project_id


def _start_job(client: httpx.Client, project_id: str) -> None:
    """Send a PDF of twelve pages, and wait until some of them are read."""
    pages = [
        Image.open(io.BytesIO(render(LETTERS[number % 3], seed=2 + number))).copy() for number in range(12)
    ]
    document = io.BytesIO()
    pages[0].save(document, "PDF", save_all=True, append_images=pages[1:], resolution=150)
    files = {"file": ("letters-1948.pdf", document.getvalue(), "application/pdf")}
    headers = {"Prefer": "respond-async"}
    sent = client.post("/ocr/", files=files, data={"project_id": project_id}, headers=headers)
    job = sent.raise_for_status().json()["job_id"]
    until = time.monotonic() + _READ_S
    while time.monotonic() < until and client.get(f"/jobs/{job}").json()["pages_read"] < len(pages) // 3:
        time.sleep(0.5)


def _take(page: Page, name: str) -> None:
    """Write what the browser shows as a small WebP file."""
    page.wait_for_timeout(_SHOWN_MS)
    picture: Image.Image = Image.open(io.BytesIO(page.screenshot()))
    if picture.width > MAX_WIDTH:
        size = (MAX_WIDTH, round(picture.height * MAX_WIDTH / picture.width))
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    FOLDER.mkdir(parents=True, exist_ok=True)
    picture.convert("RGB").save(FOLDER / f"{name}.webp", quality=82, method=6)
    print(f"docs/pictures/{name}.webp")


def _signed_in(browser: Browser, run: Running, viewport: dict[str, int], locale: str) -> Page:
    """Return a page of a signed-in user."""
    context = browser.new_context(viewport=viewport, locale=locale)  # type: ignore[arg-type]
    page = context.new_page()
    page.set_default_timeout(_TIMEOUT_MS)
    page.goto(run.url)
    page.fill("#key", run.api_key)
    page.keyboard.press("Enter")
    page.wait_for_selector(".tile")
    return page


def photograph(run: Running) -> None:
    """Show the page in its states and take a picture of each."""
    headers = {"Authorization": f"Bearer {run.api_key}"}
    with httpx.Client(base_url=run.url, headers=headers, timeout=180, trust_env=False) as client:
        project_id = _add_letters(client)
        images = client.get(f"/projects/{project_id}?fields=images").json()["images"]
        last = f"#/project/{project_id}/page/{images[-1]['image_id']}"
        with chromium() as browser:
            desk = _signed_in(browser, run, DESK, "en-GB")
            desk.goto(f"{run.url}/{last}")
            desk.wait_for_selector("li.line.active textarea:focus")
            _take(desk, "correct")
            desk.goto(f"{run.url}/#/search/all/{quote('הילדים')}")
            desk.wait_for_selector(".hits li")
            _take(desk, "search")
            phone = _signed_in(browser, run, PHONE, "he-IL")
            phone.goto(f"{run.url}/{last}")
            phone.wait_for_selector("li.line.active textarea:focus")
            _take(phone, "phone")
            _start_job(client, project_id)
            desk.goto(f"{run.url}/#/project/{project_id}")
            desk.wait_for_selector(".cells li")
            desk.mouse.wheel(0, _SCROLL)
            _take(desk, "many-pages")


async def pictures() -> None:
    """Run a temporary system and take the pictures in a thread: the browser's interface is synchronous."""
    with tempfile.TemporaryDirectory(prefix="ketav-pictures-") as folder:
        settings = LocalSettings.apart(Path(folder), free_ports(1)[0])
        async with running(settings) as run:
            await asyncio.to_thread(photograph, run)


def main() -> int:
    """Take all pictures."""
    asyncio.run(pictures())
    return 0


if __name__ == "__main__":
    sys.exit(main())
