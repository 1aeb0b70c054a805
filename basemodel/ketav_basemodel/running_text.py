"""Running Hebrew text for the language model: comments, encyclopedia and parliament sentences, the Bible.

`texts/` of KETAV_BENCH_DATA has the first two with their licences: comments may be counted only (n-grams seen
at least three times); the sentences are under CC BY-SA 4.0. One line in ten is held out for validation.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ketav_basemodel.alphabet import LETTERS, plain
from ketav_basemodel.corpora import BIBLE, Part, bible_verses, part_of

RUN_WORDS: Final = 5
"""A line that has so many successive words of an evaluation text is left out."""
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
        _allowed((bench / "texts" / f"{name}.txt").read_text(encoding="utf-8").splitlines(), part, forbidden)
        for name in ("comments", "iahlt")
    )
    verses = [" ".join(verse) for verse in bible_verses(data / BIBLE, part)]
    return RunningText(comments, sentences, [verse for verse in verses if not repeats(verse, forbidden)])


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


def _allowed(lines: Iterable[str], part: Part, forbidden: Collection[tuple[str, ...]]) -> list[str]:
    """Return the lines of a part that repeat no evaluation text, reduced to plain characters."""
    reduced = (plain(line) for line in lines if part_of(line) == part)
    return [line for line in reduced if line and not repeats(line, forbidden)]
