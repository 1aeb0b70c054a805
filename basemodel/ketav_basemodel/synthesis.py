"""The source of synthetic lines: each writer fills a page, whose lines are photographed and normalised."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ketav_basemodel.compose import DrawnLine, draw_line
from ketav_basemodel.corpora import BIBLE, Part, bible_verses, forbidden_triples, latin_words, modern_words
from ketav_basemodel.degrade import Neighbours, photograph
from ketav_basemodel.fonts import Fonts, load_fonts
from ketav_basemodel.letters import LetterCollection, load_collection
from ketav_basemodel.texts import Texts
from ketav_basemodel.writers import KINDS, Writer, make_writer
from ketav_engine.lines import CORE, normalise
from ketav_engine.recognition.decode import to_display

FULL_FROM: Final = 40_000
"""Lines after which the curriculum has its full difficulty."""
_FULL_WORDS_FROM: Final = 25_000
"""Lines after which the curriculum has its longest lines."""
_PAGE_LINES: Final = 14
"""Lines of a writer's page: the first and the last are only the neighbours of the twelve that are taken."""
_SCALE_TOLERANCE: Final = (0.6, 1.6)
"""Least and greatest width of a normalised line as a share of the expected width."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A training line: `image` (height, width) as the network gets it, `text` in logical order, its kind."""

    image: NDArray[np.uint8]
    text: str
    kind: str

    @property
    def target(self) -> str:
        """The text in display order, as Kraken trains."""
        return to_display(self.text)


@dataclass(frozen=True, slots=True)
class Material:
    """The sources of synthetic lines: letters of real writers, fonts and texts."""

    collection: LetterCollection
    fonts: Fonts
    texts: Texts


def load_material(
    data: Path, bench: Path, part: Part = "training", *, all_writers: bool = False, latin: bool = True
) -> Material:
    """Load letters from `bench`/letters_hhd and letters_hhd_test, fonts and texts from `data`.

    No text repeats what is evaluated. Without `latin` no word of Latin letters is drawn.
    Writers and texts are those of one part; with `all_writers` the writers of both parts write that part's
    texts. The fonts are the same for both. Raises FileNotFoundError when there are no letters.
    """
    sentences = [path.read_text() for path in sorted(bench.glob("**/*.gt.txt"))]
    verses = bible_verses(data / BIBLE, part)
    latin_text = latin_words() if latin else ()
    texts = Texts(modern_words(part=part), verses, forbidden_triples(sentences), latin_text)
    folders = [bench / "letters_hhd", bench / "letters_hhd_test"]
    return Material(load_collection(folders, None if all_writers else part), load_fonts(data), texts)


@dataclass(frozen=True, slots=True)
class Difficulty:
    """The difficulty of lines: `strength` (0 to 1) of the degradation and words of a line at most."""

    strength: float = 1.0
    max_words: int = 9


@dataclass(frozen=True, slots=True)
class Mixture:
    """The mixture of lines that a training reads."""

    kinds: Mapping[str, float] = field(default_factory=lambda: KINDS)
    """Shares of the kinds of writers."""
    strength: float = 1.0
    """Factor of all degradation; at 0 there remain rules, neighbours and a light blur."""
    language: str = "mix"
    """One of `LANGUAGES`."""
    curriculum_speed: float = 1.0
    """Factor of the curriculum's speed: with 8 it ends after an eighth of the lines."""


LANGUAGES: Final = {"mix": None, "modern": 0.0, "bible": 1.0, "strings": 0.0}
"""Share of biblical lines in each language of the text; in the mix it depends on the kind of writer."""


def curriculum(written: int) -> Difficulty:
    """Return the difficulty after `written` lines: short and clean at first, full from `FULL_FROM` on."""
    progress = min(1.0, written / FULL_FROM)
    return Difficulty(0.2 + 0.8 * progress, 3 + round(6 * min(1.0, written / _FULL_WORDS_FROM)))


def samples(
    material: Material, seed: int, height: int, written: int = FULL_FROM, mixture: Mixture | None = None
) -> Iterator[Sample]:
    """Yield lines infinitely: each writer fills a page of a dozen lines. The same seed gives the same lines.

    The curriculum begins after `written` lines, by default at its end; each writer's paper draws its own
    degradation up to the curriculum's.
    """
    random = np.random.default_rng(seed)
    mixture = mixture or Mixture()
    names, weights = list(mixture.kinds), np.array(list(mixture.kinds.values()))
    while True:
        kind = names[int(random.choice(len(names), p=weights / weights.sum()))]
        writer = make_writer(
            kind, material.collection, material.fonts, np.random.default_rng(random.integers(2**63))
        )
        difficulty = curriculum(round(written * mixture.curriculum_speed))
        strength = difficulty.strength * float(random.random()) * mixture.strength
        texts = _texts(material.texts, writer, mixture, difficulty.max_words, random)
        for sample in _page(writer, texts, height, strength, random):
            written += 1
            yield sample


def _texts(
    texts: Texts, writer: Writer, mixture: Mixture, max_words: int, random: np.random.Generator
) -> list[str]:
    """Draw the texts of a page: its dozen lines and one more above and below."""
    biblical = LANGUAGES[mixture.language]
    if biblical is None:
        biblical = 0.7 if writer.style.kind in {"stam", "scribal"} else 0.1
    strings = 1.0 if mixture.language == "strings" else 0.0
    return [texts.draw(random, biblical, max_words, strings) for _ in range(_PAGE_LINES)]


def _page(
    writer: Writer, texts: list[str], height: int, strength: float, random: np.random.Generator
) -> Iterator[Sample]:
    """Write a page's lines and photograph each but the first and the last with its neighbours."""
    lines = [draw_line(text, writer) for text in texts]
    for index in range(1, len(lines) - 1):
        line = lines[index]
        if len(line.text) < 2:
            continue
        distance = writer.style.line_distance * line.core
        neighbours = Neighbours(lines[index - 1], lines[index + 1], distance)
        image = normalise(photograph(line, neighbours, strength, random), height)
        if _in_scale(line, image):
            yield Sample(image, line.text, writer.style.kind)


def _in_scale(line: DrawnLine, image: NDArray[np.uint8]) -> bool:
    """Return whether normalising measured the core band about right: otherwise the image has half letters."""
    height = image.shape[0]
    expected = line.ink.shape[1] * CORE * height / line.core + height / 2
    low, high = _SCALE_TOLERANCE
    return bool(low < image.shape[1] / expected < high)
