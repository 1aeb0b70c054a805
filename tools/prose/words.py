"""The list of rejected words, read from tools/words.toml, and their search in pieces of text."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tools.prose.pieces import Piece, Role

_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


@dataclass(frozen=True)
class Rule:
    """A pattern with the advice that replaces what it matches."""

    pattern: re.Pattern[str]
    advice: str


@dataclass(frozen=True)
class Problem:
    """A rejected word on a line, with what to write instead."""

    line: int
    word: str
    advice: str


@dataclass(frozen=True)
class Words:
    """The rules for each role, and the phrases that are allowed."""

    text: list[Rule]
    openers: list[Rule]
    names: list[Rule]
    name_parts: list[Rule]
    allowed: re.Pattern[str]

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the lists; raises KeyError when a table is missing and re.error for a broken pattern."""
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        return cls(
            text=_rules(tables["text"], r"(?<![\w-])(?:{})(?![\w-])"),
            openers=_rules(tables["openers"], r"\s*(?:{})\b"),
            names=_rules(tables["names"], r"(?:{})\Z"),
            name_parts=_rules(tables["name_parts"], r"(?:{})\Z"),
            allowed=re.compile(
                "|".join(_spaced(phrase) for phrase in tables["allowed"]["phrases"]), re.IGNORECASE
            ),
        )

    def problems(self, piece: Piece) -> Iterator[Problem]:
        """Yield what the lists reject in a piece."""
        if piece.role is Role.NAME:
            yield from self._name_problems(piece)
            return
        if piece.role is Role.DOCSTRING:
            for rule in self.openers:
                if match := rule.pattern.match(piece.text):
                    yield Problem(piece.line, match[0].strip(), rule.advice)
        text = self.allowed.sub(lambda phrase: re.sub(r"\S", "·", phrase[0]), piece.text)
        for rule in self.text:
            for match in rule.pattern.finditer(text):
                line = piece.line + text.count("\n", 0, match.start())
                yield Problem(line, " ".join(match[0].split()), rule.advice)

    def _name_problems(self, piece: Piece) -> Iterator[Problem]:
        """Yield at most one problem for an identifier: as a whole, else the first rejected part."""
        bare = self.allowed.sub("", piece.text).strip("_")
        parts = _PART.findall(bare)
        for word, rules in [(bare, self.names), *((part, self.name_parts) for part in parts)]:
            for rule in rules:
                if rule.pattern.match(word):
                    yield Problem(piece.line, piece.text, rule.advice)
                    return


def _rules(table: dict[str, str], frame: str) -> list[Rule]:
    """Compile each key within the frame that delimits it."""
    return [
        Rule(re.compile(frame.format(_spaced(key)), re.IGNORECASE), advice) for key, advice in table.items()
    ]


def _spaced(pattern: str) -> str:
    """Return the pattern with blanks that match any white space: texts are wrapped."""
    return pattern.replace(" ", r"\s+")
