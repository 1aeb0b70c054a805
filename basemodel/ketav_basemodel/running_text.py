"""Running Hebrew text for the language model: comments, encyclopedia and parliament sentences, the Bible.

`texts/` of KETAV_BENCH_DATA has the first two with their licences: comments may be counted only (n-grams seen
at least three times); the sentences are under CC BY-SA 4.0. One line in ten is held out for validation.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ketav_basemodel.texts import LETTERS, Part, bible_verses, part_of, plain

RUN: Final = 5
"""A line that shares so many words in a row with an evaluation text is left out."""
EVALUATED: Final = ("forms", "stam")
"""Folders whose texts are also in books: notebook sentences are their writers' own."""


@dataclass(frozen=True, slots=True)
class RunningText:
    """Lines in logical order by source, reduced to the characters that `plain` leaves."""

    comments: list[str]
    sentences: list[str]
    verses: list[str]


def load(bench: Path, data: Path, part: Part = "training") -> RunningText:
    """Load one part of the texts. Raises FileNotFoundError when the texts are not there."""
    closed = evaluation_runs(bench)
    comments, sentences = (
        _allowed((bench / "texts" / f"{name}.txt").read_text(encoding="utf-8").splitlines(), part, closed)
        for name in ("comments", "iahlt")
    )
    verses = [" ".join(verse) for verse in bible_verses(data / "node_modules/morphhb/wlc", part)]
    return RunningText(comments, sentences, [verse for verse in verses if not repeats(verse, closed)])


def evaluation_runs(bench: Path) -> frozenset[tuple[str, ...]]:
    """Return every run of `RUN` words of the evaluation's texts, over the ends of their lines too."""
    runs: set[tuple[str, ...]] = set()
    for folder in EVALUATED:
        by_page: dict[Path, list[str]] = {}
        for path in sorted((bench / folder).rglob("*.gt.txt")):
            by_page.setdefault(path.parent, []).extend(words_of(path.read_text(encoding="utf-8")))
        for words in by_page.values():
            runs |= {tuple(words[i : i + RUN]) for i in range(len(words) - RUN + 1)}
    return frozenset(runs)


def repeats(line: str, closed: Collection[tuple[str, ...]]) -> bool:
    """Return whether a line has `RUN` words in a row in common with an evaluation text."""
    words = words_of(line)
    return any(tuple(words[i : i + RUN]) in closed for i in range(len(words) - RUN + 1))


def words_of(text: str) -> list[str]:
    """Return the words of letters in a text."""
    return re.findall(f"[{LETTERS}]+", plain(text))


def _allowed(lines: Iterable[str], part: Part, closed: Collection[tuple[str, ...]]) -> list[str]:
    """Return the lines of a part that repeat no evaluation text, reduced to plain characters."""
    reduced = (plain(line) for line in lines if part_of(line) == part)
    return [line for line in reduced if line and not repeats(line, closed)]
