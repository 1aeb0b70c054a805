"""Steps of a user on the correction page, and a base model that reads drawn pages with errors."""

import hashlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import expect

from ketav_engine import domain
from ketav_testing import tiny
from tests.parts.browser import Window
from tests.parts.pages import draw_page, random_words

Recorder = Callable[[str, object], None]
"""pytest's fixture record_property, which writes a figure to the report of a run."""

UNKNOWN = "ה"
"""The letter that the base model of these tests does not know: words with it are unsure, and wrong."""
PAGES = [random_words(10, seed=seed) for seed in range(3)]


def base_model() -> bytes:
    """Return a model that knows all letters of drawn pages but one."""
    engine = tiny.TinyEngine()
    texts = random_words(40, seed=99)
    image = np.asarray(Image.open(BytesIO(draw_page(texts))))
    blank = engine.load_model(tiny.save(), hashlib.sha256(tiny.save()).hexdigest())
    lines = engine.cut_lines(image, engine.find_lines(image, "page"), blank.info.height)
    known = [domain.TrainingLine(line, text) for line, text in zip(lines, texts, strict=True)]
    fitted = engine.fit(blank, known, [], [], domain.FitOptions(epochs=1), lambda _: True).content
    table = engine.load_model(fitted, hashlib.sha256(fitted).hexdigest()).table.copy()
    table[table == ord(UNKNOWN)] = 0
    return tiny.save(table)


def make_folder(window: Window, name: str) -> None:
    """Make a project on the page."""
    window.page.fill("#name", name)
    window.page.click("text=Make the folder")
    window.page.wait_for_selector(".drop")


def add_files(window: Window, files: list[Path]) -> None:
    """Add files to the project that is shown."""
    window.page.set_input_files("input[type=file]:not([webkitdirectory])", files)


def add_page(window: Window, texts: list[str], folder: Path) -> None:
    """Add a drawn page to the project that is shown, and wait until it is read."""
    path = folder / f"{len(list(folder.iterdir()))}.png"
    path.write_bytes(draw_page(texts))
    before = window.page.locator(".pages > li").count()
    add_files(window, [path])
    expect(window.page.locator(".pages > li")).to_have_count(before + 1, timeout=60_000)


def open_page(window: Window, number: int) -> None:
    """Open a page of the project, counted from 0, and wait for its lines."""
    window.page.locator(".pages > li a").nth(number).click()
    window.page.wait_for_selector("li.line.active textarea:focus")
