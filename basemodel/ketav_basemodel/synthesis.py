"""The source of synthetic lines: writers at work, one page's worth each, as the network sees them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ketav_basemodel.compose import DrawnLine, draw_line
from ketav_basemodel.degrade import Neighbours, photograph
from ketav_basemodel.fonts import Fonts, load_fonts
from ketav_basemodel.letters import Hands, load_hands
from ketav_basemodel.texts import Part, Texts, bible_verses, closed_runs, latin_words, modern_words
from ketav_basemodel.writers import KINDS, Writer, make_writer
from ketav_engine.lines import CORE, normalise
from ketav_engine.recognition.decode import to_display

FULL_FROM: Final = 40_000
"""Lines after which the curriculum holds nothing back."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A training line: `image` (height, width) as the network sees it, `text` in logical order, its kind."""

    image: NDArray[np.uint8]
    text: str
    kind: str

    @property
    def target(self) -> str:
        """The text in display order, as Kraken trains."""
        return to_display(self.text)


@dataclass(frozen=True, slots=True)
class Material:
    """Everything lines are made from."""

    hands: Hands
    fonts: Fonts
    texts: Texts


def load_material(
    data: Path, bench: Path, part: Part = "training", *, everyone: bool = False, latin: bool = True
) -> Material:
    """Load letters from `bench`/letters_hhd and letters_hhd_test, fonts and texts from `data`.

    No text repeats what is evaluated. Without `latin` no word of Latin letters is drawn.
    Writers and texts are those of one part, or `everyone` writes that part's texts; the fonts are the same
    for both. Raises FileNotFoundError when there are no letters.
    """
    sentences = [path.read_text() for path in sorted(bench.glob("**/*.gt.txt"))]
    verses = bible_verses(data / "node_modules/morphhb/wlc", part)
    texts = Texts(modern_words(part=part), verses, closed_runs(sentences), latin_words() if latin else ())
    folders = [bench / "letters_hhd", bench / "letters_hhd_test"]
    return Material(load_hands(folders, None if everyone else part), load_fonts(data), texts)


@dataclass(frozen=True, slots=True)
class Hardness:
    """How hard lines are: `strength` (0 to 1), the most degradation may do; `longest`, the most words."""

    strength: float = 1.0
    longest: int = 9


@dataclass(frozen=True, slots=True)
class Blend:
    """What the lines are like as a whole."""

    kinds: Mapping[str, float] = field(default_factory=lambda: KINDS)
    """Shares of the kinds of writers."""
    strength: float = 1.0
    """Factor of all degradation; rules, neighbours and a light blur stay at 0."""
    language: str = "mix"
    """One of `LANGUAGES`."""
    haste: float = 1.0
    """How many times faster the curriculum runs."""


LANGUAGES: Final = {"mix": None, "modern": 0.0, "bible": 1.0, "strings": 0.0}
"""Share of biblical lines in each language of the text; in the mix it depends on the kind of writer."""


def curriculum(written: int) -> Hardness:
    """Return the hardness after so many lines: short and clean at first, everything from `FULL_FROM` on."""
    course = min(1.0, written / FULL_FROM)
    return Hardness(0.2 + 0.8 * course, 3 + round(6 * min(1.0, written / 25_000)))


def samples(
    material: Material, seed: int, height: int, written: int = FULL_FROM, blend: Blend | None = None
) -> Iterator[Sample]:
    """Yield lines without end: each writer fills a page of a dozen lines. The same seed gives the same lines.

    The curriculum begins after `written` lines, by default with everything; each writer's paper draws its own
    strength up to that.
    """
    random = np.random.default_rng(seed)
    blend = blend or Blend()
    names, weights = list(blend.kinds), np.array(list(blend.kinds.values()))
    while True:
        kind = names[int(random.choice(len(names), p=weights / weights.sum()))]
        writer = make_writer(
            kind, material.hands, material.fonts, np.random.default_rng(random.integers(2**63))
        )
        now = curriculum(round(written * blend.haste))
        hard = now.strength * float(random.random()) * blend.strength
        texts = _texts(material.texts, writer, blend, now.longest, random)
        for sample in _page(writer, texts, height, hard, random):
            written += 1
            yield sample


def _texts(
    texts: Texts, writer: Writer, blend: Blend, longest: int, random: np.random.Generator
) -> list[str]:
    """Draw what a page says: its dozen lines and one more above and below."""
    biblical = LANGUAGES[blend.language]
    if biblical is None:
        biblical = 0.7 if writer.style.kind in {"stam", "scribal"} else 0.1
    strings = 1.0 if blend.language == "strings" else 0.0
    return [texts.draw(random, biblical, longest, strings) for _ in range(14)]


def _page(
    writer: Writer, texts: list[str], height: int, strength: float, random: np.random.Generator
) -> Iterator[Sample]:
    """Write a page's lines and photograph each but the first and the last with its neighbours."""
    lines = [draw_line(text, writer) for text in texts]
    for index in range(1, len(lines) - 1):
        line = lines[index]
        if len(line.text) < 2:
            continue
        around = Neighbours(lines[index - 1], lines[index + 1], writer.style.pitch * line.core)
        image = normalise(photograph(line, around, strength, random), height)
        if _in_scale(line, image):
            yield Sample(image, line.text, writer.style.kind)


def _in_scale(line: DrawnLine, image: NDArray[np.uint8]) -> bool:
    """Tell whether normalising found the line's core band, give or take: else it shows half letters."""
    height = image.shape[0]
    expected = line.ink.shape[1] * CORE * height / line.core + height / 2
    return bool(0.6 < image.shape[1] / expected < 1.6)
