"""Running Hebrew text for the language model: comments, encyclopedia and parliament sentences, the Bible.

`texts/` of KETAV_BENCH_DATA has the first two with their licences: comments may be counted only (n-grams seen
at least three times); the sentences are under CC BY-SA 4.0. One line in ten is held out for validation.

The comments are a table whose words and marks were separated by spaces: 29,036 of 30,147 commas, full stops
and the like stand after a space, in the sentences 3 of 2,676. `written` undoes both.
"""

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ketav_basemodel.alphabet import LETTERS, plain
from ketav_basemodel.corpora import BIBLE, Part, bible_verses, part_of

RUN_WORDS: Final = 5
"""A line that has so many successive words of an evaluation text is left out."""
_CELL: Final = re.compile(r'"\s(.*?)(\s")?')
"""A table cell in quotes, which were separated too; the last one is missing where the cell was cut."""
_DOUBLED: Final = re.compile(r'"\s?"')
"""A quotation mark within a cell."""
_CLOSING: Final = re.compile(r"\s+([,.:;?!)\]…]+)")
_OPENING: Final = re.compile(r"([(\[])\s+")
_GERSHAYIM: Final = re.compile(r"\s+([״׳])\s+(?=[א-ת](?![א-ת]))")
"""A separated mark within an abbreviation: one letter follows."""
_GERESH: Final = re.compile(r"\s+׳")
_QUOTED: Final = re.compile(r'(?<!\S)(["״])\s+([^"״]+?)\s+\1')
"""A quotation whose marks are separated."""
EVALUATED: Final = ("forms", "stam")
"""Folders whose texts are also in books; the sentences of the notebooks are their writers' own."""


@dataclass(frozen=True, slots=True)
class RunningText:
    """Lines in logical order by source, reduced to the characters that `plain` leaves."""

    comments: list[str]
    sentences: list[str]
    verses: list[str]


def load(bench: Path, data: Path, part: Part = "training") -> RunningText:
    """Load one part of the texts. Raises FileNotFoundError when they do not exist."""
    forbidden = evaluation_runs(bench)
    comments, sentences = (
        (bench / "texts" / f"{name}.txt").read_text(encoding="utf-8").splitlines()
        for name in ("comments", "iahlt")
    )
    verses = [" ".join(verse) for verse in bible_verses(data / BIBLE, part)]
    return RunningText(
        _allowed(comments, part, forbidden, written),
        _allowed(sentences, part, forbidden, str),
        [verse for verse in verses if not repeats(verse, forbidden)],
    )


def written(comment: str) -> str:
    """Return a comment as people write it: without its cell's quotes, with the marks at their words."""
    text = comment.strip()
    if cell := _CELL.fullmatch(text):
        text = _DOUBLED.sub('"', cell[1])
    text = _GERESH.sub("׳", _GERSHAYIM.sub(r"\1", text))
    text = _QUOTED.sub(r"\1\2\1", text)
    return _OPENING.sub(r"\1", _CLOSING.sub(r"\1", text))


def evaluation_runs(bench: Path) -> frozenset[tuple[str, ...]]:
    """Return every `RUN_WORDS` successive words of the evaluation's texts, also across the ends of lines."""
    runs: set[tuple[str, ...]] = set()
    for folder in EVALUATED:
        by_page: dict[Path, list[str]] = {}
        for path in sorted((bench / folder).rglob("*.gt.txt")):
            by_page.setdefault(path.parent, []).extend(words_of(path.read_text(encoding="utf-8")))
        for words in by_page.values():
            runs |= {tuple(words[i : i + RUN_WORDS]) for i in range(len(words) - RUN_WORDS + 1)}
    return frozenset(runs)


def repeats(line: str, forbidden: Collection[tuple[str, ...]]) -> bool:
    """Return whether a line has `RUN_WORDS` successive words of an evaluation text."""
    words = words_of(line)
    return any(tuple(words[i : i + RUN_WORDS]) in forbidden for i in range(len(words) - RUN_WORDS + 1))


def words_of(text: str) -> list[str]:
    """Return the words of a text without their marks."""
    return re.findall(f"[{LETTERS}]+", plain(text))


def _allowed(
    lines: Iterable[str],
    part: Part,
    forbidden: Collection[tuple[str, ...]],
    restored: Callable[[str], str],
) -> list[str]:
    """Return the lines of a part that repeat no evaluation text, restored and reduced to plain characters."""
    reduced = (plain(restored(line)) for line in lines if part_of(line) == part)
    return [line for line in reduced if line and not repeats(line, forbidden)]
