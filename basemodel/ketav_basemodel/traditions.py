"""Lines and pages in the fonts of the Sephardic and of the Ashkenazi tradition: synthetic, no real scribe.

Two fonts of each tradition are fetched: one of STaM and one of another type. The base model was trained on
lines that were composed of their letters, so the figures show how these letter forms are read in verses that
were held out, and nothing about an unseen scribe.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from ketav_basemodel.alphabet import plain
from ketav_basemodel.corpora import BIBLE, bible_verses
from ketav_basemodel.evaluate import Figures, Pair, figures
from ketav_basemodel.fonts import Fonts, font_glyphs, plain_file
from ketav_basemodel.layout import Points, Setting
from ketav_basemodel.letters import CLASSES, LetterCollection
from ketav_basemodel.page_photographs import Page
from ketav_basemodel.pages import draw_page
from ketav_basemodel.sentences import RunningTexts
from ketav_basemodel.synthesis import Material
from ketav_engine.domain import Engine, FoundLine, Image, Model
from ketav_engine.recognition.decode import to_display

LINES: Final = 60
"""Lines that are set in each font."""
PAGES: Final = 8
"""Pages that are drawn with the letters of each font."""
_SEED: Final = 930_000_000
_WORDS: Final = (4, 8)
"""Words of a set line at least and at most."""
_FONT_SIZE: Final = 60
"""Pixels of the font of set lines."""
_MARGIN: Final = 20
"""Pixels of paper around a set line."""
_PAGE: Final = Setting(lines=12, width=28.0, camera=0.4)


@dataclass(frozen=True, slots=True)
class TraditionFont:
    """A font with its tradition and the kind of writer who draws pages with its letters."""

    file: str
    name: str
    kind: str


FONTS: Final = (
    TraditionFont("StamSefaradCLM", "Sephardic STaM (Stam Sefarad CLM)", "stam"),
    TraditionFont("solitreo-hebrew-400", "Sephardic cursive (Solitreo)", "cursive"),
    TraditionFont("StamAshkenazCLM", "Ashkenazi STaM (Stam Ashkenaz CLM)", "stam"),
    TraditionFont("TaameyAshkenaz-Medium", "Ashkenazi Bible print (Taamey Ashkenaz)", "scribal"),
)


def measure(engine: Engine, model: Model, data: Path) -> list[Figures]:
    """Read the set lines and the drawn pages of every font that was fetched; return the error rates.

    Pages are read twice: as the recognizer does, with the lines that it finds, and with their true lines.
    """
    verses = bible_verses(data / BIBLE, "validation")
    results = []
    for number, font in enumerate(FONTS):
        path = _find(data, font.file)
        if path is None:
            continue
        lines = set_lines(plain_file(path, data), verses, _SEED + number)
        pairs = [_pair(text, engine.read_page(image, "line", model).text) for image, text in lines]
        results.append(figures(f"{font.name}, set lines", pairs))
        pages = _pages(path, data, font.kind, verses)
        true_lines = [_pair(_text(page), _read_true_lines(engine, model, page)) for page in pages]
        results.append(figures(f"{font.name}, drawn pages, true lines", true_lines))
        whole = [_pair(_text(page), engine.read_page(page.image, "page", model).text) for page in pages]
        results.append(figures(f"{font.name}, drawn pages, lines found", whole))
    return results


def set_lines(file: Path, verses: Sequence[Sequence[str]], seed: int) -> Iterator[tuple[Image, str]]:
    """Yield line images in a font, each some successive words of a verse, black on white."""
    random = np.random.default_rng(seed)
    font = ImageFont.truetype(str(file), _FONT_SIZE, layout_engine=ImageFont.Layout.BASIC)
    long_enough = [verse for verse in verses if len(verse) >= _WORDS[1]]
    for _ in range(LINES):
        verse = long_enough[int(random.integers(len(long_enough)))]
        count = int(random.integers(_WORDS[0], _WORDS[1] + 1))
        start = int(random.integers(len(verse) - count + 1))
        text = " ".join(verse[start : start + count])
        left, top, right, bottom = font.getbbox(to_display(text))
        size = (round(right - left) + 2 * _MARGIN, round(bottom - top) + 2 * _MARGIN)
        image = Pillow.new("L", size, 255)
        ImageDraw.Draw(image).text((_MARGIN - left, _MARGIN - top), to_display(text), fill=0, font=font)
        yield np.asarray(image, dtype=np.uint8), text


def _pages(path: Path, data: Path, kind: str, verses: list[list[str]]) -> list[Page]:
    """Return photographed pages by synthetic writers with a font's letters."""
    alphabet = font_glyphs(path, CLASSES, data)
    pools = {name: [alphabet] if name == kind else [] for name in ("cursive", "stam", "scribal")}
    fonts = Fonts(**pools, rashi=[], print=[], digits=[])
    texts = RunningTexts([" ".join(verse) for verse in verses], verses)
    material = Material(LetterCollection({}, {}), fonts, texts)
    return [draw_page(material, replace(_PAGE, kind=kind), _SEED + number) for number in range(PAGES)]


def _read_true_lines(engine: Engine, model: Model, page: Page) -> str:
    """Return the text of a page whose lines need not be found."""
    outlines = [
        FoundLine(order, _points(line.baseline), _points(line.boundary))
        for order, line in enumerate(page.lines)
    ]
    crops = engine.cut_lines(page.image, outlines, model.info.height)
    return "\n".join(reading.text for reading in engine.read_lines(crops, model))


def _points(line: Points) -> tuple[tuple[int, int], ...]:
    """Round points to pixels."""
    return tuple((round(x), round(y)) for x, y in line.tolist())


def _text(page: Page) -> str:
    """Return the true text of a page."""
    return "\n".join(line.text for line in page.lines)


def _pair(truth: str, reading: str) -> Pair:
    """Return both texts, each line reduced to plain characters, the lines joined by spaces."""
    texts = [" ".join(plain(line) for line in text.splitlines()) for text in (truth, reading)]
    return Pair(Path(), texts[0], texts[1])


def _find(data: Path, name: str) -> Path | None:
    """Return the file of a font below a folder, None where it was not fetched."""
    return next((p for p in sorted(data.rglob("*")) if p.stem.removesuffix("-normal") == name), None)
