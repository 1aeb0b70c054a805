"""The texts of synthetic lines: Hebrew by frequency, the Bible, numbers, abbreviations, random letters."""

import re
from collections.abc import Sequence
from typing import Final

import numpy as np

from ketav_basemodel.alphabet import LETTERS, PLAIN_ALPHABET, as_typed
from ketav_basemodel.number_forms import draw_number

_ABBREVIATIONS: Final = """
ע"י וכו' ר' עמ' ד"ר צה"ל ארה"ב ת"א חז"ל הקב"ה רמב"ם רש"י שו"ע עפ"י ע"פ כ"כ א"כ ב"ה בס"ד פ' הל' רבנו ז"ל זצ"ל
מו"ר חו"ל דו"ח מע"מ ח"כ יו"ר מנכ"ל תנ"ך ביהמ"ד גמ' מס' תוס' ס' סי' ס"ק וגו' ה' לפנה"ס סה"כ ק"מ ס"מ
ש"ח בי"ס עו"ד אח"כ ג' ב' א' י"ד ט"ו כ"ב תשפ"ו תש"ך עי' ד"ה שנ' מ"מ נ"ל
"""
ABBREVIATIONS: Final = tuple(_ABBREVIATIONS.split())
"""Abbreviations that lines may have."""
_RARE: Final = "ףץךטזגסצקן"
"""Letters that running text rarely has: a share of the words is drawn because they have one of these."""
_LATIN_SHARE: Final = 0.012
"""Share of the words that are written in Latin letters."""
_TYPE_UPPER_BOUNDS: Final = {
    "rare": 0.14,
    "frequent": 0.83,
    "abbreviation": 0.88,
    "number": 0.935,
    "latin": 0.935 + _LATIN_SHARE,
}
"""Cumulative probabilities of the word types; the rest, 5.3 %, are random letters. Without Latin words their
share goes to random letters too."""
_NUMBERS_ALONE: Final = 0.03
"""Share of the lines that are a number or a date and nothing else."""
_TYPED_SHARE: Final = 0.08
"""Share of the lines whose text has the signs of a typed text that look the same in handwriting."""
_LIST_SHARE: Final = 0.03
"""Share of the lines that are an item of a list."""
_LIST_MARKS: Final = ("•", "-", "*", "←", "→", "1.", "2.", "3)", "א.", "ב.", "ג)", "#")
_SIGNS_BEFORE: Final = ("= ", "> ", "* ", "+ ", "[", "< ", "& ", "← ", "→ ", "~", "# ", "@", "_")
_WORD_POWER: Final = 0.35
"""Words are drawn by their frequency to this power, so that rare words come often enough."""


class Texts:
    """A source of line texts in logical order."""

    def __init__(
        self,
        words: dict[str, float],
        verses: list[list[str]],
        forbidden: frozenset[tuple[str, ...]] = frozenset(),
        latin: Sequence[str] = (),
    ) -> None:
        """Take word frequencies, verses as words, the word triples that may not be drawn, and Latin words."""
        usable = {word: share for word, share in words.items() if word and set(word) <= set(PLAIN_ALPHABET)}
        self._words = list(usable)
        weights = np.array([share**_WORD_POWER for share in usable.values()])
        self._cumulative = np.cumsum(weights / weights.sum())
        self._rare = [[word for word in usable if letter in word] for letter in _RARE]
        self._verses = verses
        self._forbidden = forbidden
        self._latin = latin

    def draw(
        self, random: np.random.Generator, biblical: float = 0.1, max_words: int = 9, strings: float = 0.0
    ) -> str:
        """Draw a text of up to `max_words` words.

        `strings` is the share of random letters without language, `biblical` that of running biblical text.
        """
        while True:
            if strings and random.random() < strings:
                text = " ".join(_string(random) for _ in range(int(random.integers(1, max_words + 1))))
            elif self._verses and random.random() < biblical:
                text = self._verse(random, max_words)
            else:
                text = self._mixture(random, max_words)
            if random.random() < _TYPED_SHARE:
                text = as_typed(text, random)
            if text and not self._is_forbidden(text):
                return text

    def _is_forbidden(self, text: str) -> bool:
        """Return whether a text has three successive words that are reserved for evaluation."""
        words = re.findall(f"[{LETTERS}]+", text)
        return any(tuple(words[i : i + 3]) in self._forbidden for i in range(len(words) - 2))

    def _verse(self, random: np.random.Generator, max_words: int) -> str:
        """Draw successive words of a verse."""
        verse = self._verses[int(random.integers(len(self._verses)))]
        length = int(random.integers(2, max_words + 1))
        start = int(random.integers(max(1, len(verse) - length + 1)))
        return " ".join(verse[start : start + length])

    def _mixture(self, random: np.random.Generator, max_words: int) -> str:
        """Draw words, numbers and abbreviations in a row, with punctuation."""
        if random.random() < _NUMBERS_ALONE:
            return draw_number(random)
        parts = [self._part(random) for _ in range(int(random.integers(1, max_words + 1)))]
        return _punctuate(parts, random)

    def _part(self, random: np.random.Generator) -> str:
        """Draw one word, abbreviation, number or string of letters."""
        chance = random.random()
        if chance < _TYPE_UPPER_BOUNDS["rare"]:
            words = self._rare[int(random.integers(len(_RARE)))]
            if words:
                return words[int(random.integers(len(words)))]
        if chance < _TYPE_UPPER_BOUNDS["frequent"]:
            return self._words[int(np.searchsorted(self._cumulative, random.random()))]
        if chance < _TYPE_UPPER_BOUNDS["abbreviation"]:
            return ABBREVIATIONS[int(random.integers(len(ABBREVIATIONS)))]
        if chance < _TYPE_UPPER_BOUNDS["number"]:
            return draw_number(random)
        if chance < _TYPE_UPPER_BOUNDS["latin"] and self._latin:
            return _latin_word(self._latin, random)
        return _string(random)


def _string(random: np.random.Generator) -> str:
    """Draw letters without meaning."""
    length = int(random.integers(2, 8))
    return "".join(LETTERS[i] for i in random.integers(len(LETTERS), size=length))


def _latin_word(words: Sequence[str], random: np.random.Generator) -> str:
    """Draw a Latin word in lower case, capitalised or in capitals; rarely an address or a single letter."""
    word = words[int(random.integers(len(words)))]
    form = int(random.choice(5, p=(0.4, 0.25, 0.22, 0.08, 0.05)))
    if form == 4:
        return f"{word}@{words[int(random.integers(len(words)))]}.com"
    return (word, word.capitalize(), word.upper(), word[0].upper())[form]


def _punctuate(parts: list[str], random: np.random.Generator) -> str:
    """Join parts to a line with the punctuation of handwritten notes."""
    line = " ".join(_with_marks(part, random) for part in parts)
    if random.random() < _LIST_SHARE:
        line = f"{_LIST_MARKS[int(random.integers(len(_LIST_MARKS)))]} {line}"
    return line + str(random.choice(["", ".", ":", "?", "..."], p=[0.705, 0.22, 0.035, 0.02, 0.02]))


def _with_marks(part: str, random: np.random.Generator) -> str:
    """Add a mark after some words, and a sign before or brackets or quotation marks around some others."""
    chance = random.random()
    if chance < 0.09:
        return part + ",.:;?!"[min(5, int(random.exponential(1.1)))]
    if chance > 0.167:
        return part
    index = int(np.searchsorted([0.11, 0.135, 0.145, 0.16], chance))
    sign = _SIGNS_BEFORE[int(random.integers(len(_SIGNS_BEFORE)))]
    return (f"({part})", f'"{part}"', f"-{part}", f"{part} -", sign + part)[index]
