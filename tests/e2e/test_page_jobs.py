"""Jobs on the correction page: documents and folders that Ketav reads in the background."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import expect

from tests.e2e.local_system import LocalSystem
from tests.parts.browser import Window, serious
from tests.parts.correction_page import PAGES, add_files, make_folder
from tests.parts.pages import draw_page

PAGE_COUNT = 24
"""More pages than one request reads while the client waits."""
READ_MS = 90_000
SMALL = (12, 8)
"""Width and height in pixels of a page that is too small to read."""


@pytest.fixture(scope="session")
def tiny_models(drawn_models: Path) -> Path:
    """Return the base model that reads drawn pages."""
    return drawn_models


def notebook(folder: Path, pages: int, small: int | None = None) -> Path:
    """Write a PDF of drawn pages, of which the one at a position from 1 may be too small; return its path."""
    images = [Image.open(BytesIO(draw_page(PAGES[number % 3][:2]))).copy() for number in range(pages)]
    if small is not None:
        images[small - 1] = Image.new("L", SMALL, 255)
    path = folder / "notebook.pdf"
    images[0].save(path, "PDF", save_all=True, append_images=images[1:], resolution=300)
    return path


@contextmanager
def paused_worker(system: LocalSystem) -> Iterator[None]:
    """Stop the processes that read jobs, and continue them at the end."""
    pids = [pid for name, pid in system.pids().items() if name.startswith("recognizer-worker")]
    assert pids
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def test_a_long_pdf_is_read_in_the_background_and_its_progress_survives_a_reload(
    window: Window, system: LocalSystem, tmp_path: Path
) -> None:
    """Each page has a state, and the ones that were read open; the outcome stays until it is hidden."""
    make_folder(window, "Notebook")
    job = window.page.locator(".job")
    with paused_worker(system):
        add_files(window, [notebook(tmp_path, PAGE_COUNT)])
        expect(job).to_contain_text("notebook.pdf")
        expect(job.locator(".cells li")).to_have_count(PAGE_COUNT)
        window.page.reload()
        expect(job).to_contain_text("notebook.pdf")
        expect(job).to_contain_text(f"0 of {PAGE_COUNT} pages read")
        expect(job.locator(".cells li.queued")).to_have_count(PAGE_COUNT)
        assert serious(Axe().run(window.page)) == []
    expect(job.locator(".cells a").first).to_be_visible(timeout=READ_MS)
    window.page.goto(system.url)
    expect(window.page.locator(".tile").first).to_contain_text(f"of {PAGE_COUNT} pages read")
    window.page.go_back()
    expect(job).to_contain_text(f"All {PAGE_COUNT} pages are read.", timeout=READ_MS)
    expect(window.page.locator(".pages > li")).to_have_count(PAGE_COUNT)
    job.locator("text=Hide").click()
    expect(job).to_have_count(0)
    window.page.reload()
    expect(window.page.locator(".pages > li")).to_have_count(PAGE_COUNT)
    expect(job).to_have_count(0)


def test_a_page_that_cannot_be_read_is_named_with_its_reason(window: Window, tmp_path: Path) -> None:
    """The others are read."""
    make_folder(window, "One bad page")
    add_files(window, [notebook(tmp_path, 4, small=3)])
    job = window.page.locator(".job.partly_failed")
    expect(job).to_contain_text("3 of 4 pages are read. The others were not:", timeout=READ_MS)
    expect(job.locator(".failures li")).to_contain_text("Page 3: The picture is too small to read.")
    expect(job.locator(".cells li.failed")).to_have_count(1)
    expect(window.page.locator(".pages > li")).to_have_count(3)
    assert serious(Axe().run(window.page)) == []


def test_reading_is_stopped_on_the_page_and_the_pages_that_were_read_stay(
    window: Window, system: LocalSystem, tmp_path: Path
) -> None:
    """The outcome says how many."""
    make_folder(window, "Stopped")
    job = window.page.locator(".job")
    with paused_worker(system):
        add_files(window, [notebook(tmp_path, PAGE_COUNT)])
        job.locator("text=Stop reading").click()
        expect(job).to_contain_text("You stopped the reading after 0 of 24 pages.")
    expect(job.locator("text=Stop reading")).to_have_count(0)
    window.page.reload()
    expect(job).to_contain_text("You stopped the reading")


def test_a_folder_of_images_is_read_after_the_page_is_closed(
    window: Window, system: LocalSystem, tmp_path: Path
) -> None:
    """The images are stored before. Each file that is no image has a reason."""
    folder = tmp_path / "photographs"
    folder.mkdir()
    for number in range(5):
        (folder / f"{number}.png").write_bytes(draw_page(PAGES[number % 3][:2]))
    (folder / "notes.txt").write_text("no image")
    make_folder(window, "Photographs")
    with paused_worker(system):
        window.page.set_input_files("input[webkitdirectory]", folder)
        expect(window.page.locator(".uploads li.sent")).to_have_count(5, timeout=READ_MS)
        expect(window.page.locator(".uploads li.failed")).to_contain_text("This is no photograph")
        expect(window.page.locator(".job")).to_contain_text("wait or are being read: 5")
        expect(window.page.locator(".pages > li").first).to_contain_text("Waits to be read")
        address, context = window.page.url, window.page.context
        window.page.close()
    again = Window(context.new_page())
    again.page.goto(address)
    expect(again.page.locator(".pages li", has_text="of 2 lines corrected")).to_have_count(5, timeout=READ_MS)
    expect(again.page.locator(".job")).to_have_count(0)
    assert again.errors == []


def test_an_export_of_many_pages_is_written_in_the_background(window: Window, tmp_path: Path) -> None:
    """Its card has the progress, after a reload the file, and can be hidden; in Hebrew, too."""
    make_folder(window, "Exported")
    add_files(window, [notebook(tmp_path, PAGE_COUNT)])
    page = window.page
    expect(page.locator(".job")).to_contain_text(f"All {PAGE_COUNT} pages are read.", timeout=READ_MS)
    export = page.locator(".export")
    for name in ("PDF with searchable text", "Text"):
        page.click("summary:has-text('Save all texts')")
        page.click(f".menu button:text-is('{name}')")
    expect(export).to_have_count(2)
    expect(export.locator("text=Save the file")).to_have_count(2, timeout=READ_MS)
    page.reload()
    expect(export).to_have_count(2)
    expect(export.last).to_contain_text("Ready:")
    assert serious(Axe().run(page)) == []
    with page.expect_download() as saved:
        export.filter(has_text="PDF").locator("text=Save the file").click()
    assert saved.value.path().read_bytes().startswith(b"%PDF")
    assert saved.value.suggested_filename.endswith(".pdf")
    export.filter(has_text="PDF").locator("text=Hide").click()
    expect(export).to_have_count(1)
    page.click("button:has-text('עברית')")
    expect(export).to_contain_text("שמירת הקובץ")
    assert serious(Axe().run(page)) == []
    page.click(".pages li >> nth=0 >> a")
    page.go_back()
    page.click("button:has-text('English')")


def test_a_pdf_of_more_than_three_hundred_pages_says_what_to_do(window: Window, tmp_path: Path) -> None:
    """At the file."""
    make_folder(window, "Too long")
    add_files(window, [notebook(tmp_path, 301)])
    expect(window.page.locator(".uploads li.failed")).to_contain_text("more than 300 pages. Divide it")
