"""Pages of single hands: composed from letters of writers that no model was trained on, and the notebook."""

from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Final

import numpy as np

from ketav_basemodel import running_text, sentences
from ketav_basemodel.alphabet import plain
from ketav_basemodel.evaluate import grey, line_images
from ketav_basemodel.paths import MATERIAL, bench_data
from ketav_basemodel.unseen_writers import UnseenWriter, load_writers, write_line
from ketav_engine.domain import Image

LINES_PER_PAGE: Final = 8
"""Lines of a composed page."""
_WORDS: Final = (5, 8)
"""Words of a composed line at least and at most."""
_SEED: Final = 920_000_000
_NOTEBOOK: Final = "notebook/rock"


@dataclass(frozen=True, slots=True)
class TrueLine:
    """A line's grey image and its true text."""

    image: Image
    text: str


@dataclass(frozen=True, slots=True)
class Hand:
    """One writer's pages in the order in which they are corrected."""

    name: str
    pages: tuple[tuple[TrueLine, ...], ...]

    @property
    def lines(self) -> list[TrueLine]:
        """Return the lines of all pages."""
        return [line for page in self.pages for line in page]


def composed(writers: int, pages: int, seed: int = 0, only: int | None = None) -> list[Hand]:
    """Return writers of letters_jce, evenly spread over the collection, who write newspaper sentences.

    No text was counted by the language model. Another seed takes other letters and other sentences. With
    `only`, the pages of the writer of that index alone are composed.
    """
    collection, words = _sources()
    picks = np.linspace(0, len(collection), writers, endpoint=False).astype(int)
    writing = picks if only is None else picks[only : only + 1]
    return [_composed(collection[pick], words, pages, seed * 1000 + int(pick)) for pick in writing]


def notebook(pages: int) -> Hand:
    """Return the first pages of the notebook's longest text, real ink with recomposed gaps between words."""
    paths = line_images(bench_data() / _NOTEBOOK)
    groups = [list(group) for _, group in groupby(paths, key=lambda path: path.stem.partition("_seg")[0])]
    read = [tuple(_true_line(path) for path in group) for group in groups[:pages]]
    return Hand("notebook", tuple(read))


@cache
def _sources() -> tuple[list[UnseenWriter], list[str]]:
    """Read the writers and the words of the sentences, once in a process."""
    words = [word for text in sentences.read(MATERIAL) for word in running_text.words_of(text)]
    return load_writers(bench_data() / "letters_jce"), words


def _true_line(path: Path) -> TrueLine:
    """Read a line's image and its text."""
    return TrueLine(grey(path), plain(path.with_suffix(".gt.txt").read_text(encoding="utf-8")))


def _composed(writer: UnseenWriter, words: list[str], page_count: int, seed: int) -> Hand:
    """Write successive words of running text on pages."""
    random = np.random.default_rng(_SEED + seed)
    position = int(random.integers(len(words) // 2))
    pages = []
    for _ in range(page_count):
        page: list[TrueLine] = []
        while len(page) < LINES_PER_PAGE:
            count = int(random.integers(_WORDS[0], _WORDS[1] + 1))
            line = write_line(writer, " ".join(words[position : position + count]), random)
            position = (position + count) % (len(words) - _WORDS[1])
            if line.text:
                page.append(TrueLine(line.image, line.text))
        pages.append(tuple(page))
    return Hand(f"composed {writer.name}", tuple(pages))
