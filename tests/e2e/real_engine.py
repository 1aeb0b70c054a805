"""The correction page with Kraken's networks and pages of real ink: `make real-engine`.

The lines are from the notebook of KETAV_BENCH_DATA, one below another; no model was trained on its writer.
The figures are properties of the test in the report of `--junit-xml`.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest
from playwright.sync_api import expect

from bench.hand_pages import TrueLine, notebook
from bench.trainings import stack
from ketav_basemodel.paths import NoBenchDataError
from ketav_common.error_rates import cer
from tests.e2e.local_system import LocalSystem
from tests.parts.browser import Window
from tests.parts.correction_page import Recorder, add_files, make_folder, open_page

pytestmark = pytest.mark.kraken

MARGIN = 80
"""White pixels around the lines of a page."""
TRAINING_MS = 900_000
READING_MS = 120_000


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSystem]:
    """Run a system with the shipped models."""
    models = Path(__file__).parents[2] / "models"
    system = LocalSystem(tmp_path_factory.mktemp("system"), {"KETAV_MODELS_DIR": str(models)})
    with system.running() as running:
        yield running


def page_of(lines: Sequence[TrueLine]) -> bytes:
    """Return a PNG of lines one below another."""
    image, _ = stack([line.image for line in lines])
    return bytes(cv2.imencode(".png", np.pad(image, MARGIN, constant_values=255))[1])


def read_by(client: httpx.Client, page: bytes) -> list[str]:
    """Return the lines of a page as read with the model that serves a user."""
    response = client.post("/ocr/", files={"file": ("page.png", page)}, timeout=120)
    return [line["text"] for line in response.json()["lines"]]


def add(window: Window, page: bytes, path: Path, pages: int) -> None:
    """Add a page on the correction page and wait until the folder has so many pages: this one is read."""
    path.write_bytes(page)
    add_files(window, [path])
    expect(window.page.locator(".pages > li")).to_have_count(pages, timeout=READING_MS)


def correct(window: Window, texts: Sequence[str]) -> int:
    """Correct the lines of the open page, word by word where that suffices; return the key presses."""
    before = window.presses
    for number, text in enumerate(texts):
        window.page.wait_for_selector(f"li.line:nth-child({number + 1}).active textarea:focus")
        read, written = window.texts()[number].split(), text.split()
        if len(read) == len(written):
            replace_words(window, read, written)
        if window.texts()[number] != text:
            window.press("Control+A")
            window.type(text)
        window.press("Enter")
    for number in range(len(texts)):
        window.wait_saved(number)
    return window.presses - before


def replace_words(window: Window, read: Sequence[str], written: Sequence[str]) -> None:
    """Go from word to word up to the last wrong one; select each wrong one and type the right one."""
    wrong = [index for index, words in enumerate(zip(read, written, strict=True)) if words[0] != words[1]]
    if wrong:
        window.press("Home")
    for index in range(wrong[-1] + 1 if wrong else 0):
        if index not in wrong:
            window.press("Control+ArrowLeft")
            continue
        if index:
            window.press("ArrowLeft")
        window.press("Control+Shift+ArrowLeft")
        window.type(written[index])


def test_pages_of_real_ink_are_read_better_after_three_pages_are_corrected_by_keyboard(
    window: Window, system: LocalSystem, key: str, tmp_path: Path, record_property: Recorder
) -> None:
    """Upload, correct, train, read the next pages; another user still gets the base model's readings."""
    try:
        pages = notebook(9).pages
    except NoBenchDataError as error:
        pytest.skip(str(error))
    texts = [[line.text for line in page] for page in pages]
    with system.client(key) as client:
        assert client.put("/models/policy", json={"automatic": False}).status_code == 200
    make_folder(window, "מחברת")
    presses = 0
    for number in (0, 1, 2):
        add(window, page_of(pages[number]), tmp_path / f"{number}.png", number + 1)
        open_page(window, number)
        assert len(window.texts()) == len(texts[number])
        presses += correct(window, texts[number])
        window.page.click(".crumbs a:nth-child(2)")
    lines = sum(map(len, texts[:3]))
    record_property("keys_per_line", presses / lines)
    record_property("characters_per_line", sum(len("".join(page)) for page in texts[:3]) / lines)
    window.page.click("text=Learn now")
    expect(window.page.locator(".training.succeeded")).to_be_visible(timeout=TRAINING_MS)
    add(window, page_of(pages[3]), tmp_path / "3.png", 4)
    open_page(window, 3)
    expect(window.page.locator("li.line textarea").first).not_to_have_value("")
    before, after = [], []
    with system.client(key) as writer, system.client(system.add_user("another")) as other:
        for page, text in zip(pages[3:], texts[3:], strict=True):
            before.append(("\n".join(text), "\n".join(read_by(other, page_of(page)))))
            after.append(("\n".join(text), "\n".join(read_by(writer, page_of(page)))))
    record_property("cer_before", cer(before).rate)
    record_property("cer_after", cer(after).rate)
    assert cer(after).rate < cer(before).rate
