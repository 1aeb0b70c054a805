"""What the lines say: Hebrew by frequency, the Bible, dates, numbers, abbreviations, random strings."""

import hashlib
import re
import string
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, Literal
from xml.etree import ElementTree as ET

import numpy as np

Part = Literal["training", "validation"]
"""What lines are for. What is held out for validation is never trained on and never counted."""
LETTERS: Final = "אבגדהוזחטיךכלםמןנסעףפץצקרשת"
MARKS: Final = " .,:;?!-()\"'/+=%*[]<>"
DIGITS: Final = "0123456789"
SIGNS: Final = "־׳״–”„…₪&@#$€~_←→•"
"""Typed signs that handwriting renders like one of `MARKS`, and signs of lists, prices and addresses."""
LATIN: Final = string.ascii_uppercase + string.ascii_lowercase
PLAIN_ALPHABET: Final = MARKS + DIGITS + LETTERS
"""Characters that texts are reduced to by `plain`."""
ALPHABET: Final = PLAIN_ALPHABET + SIGNS + LATIN
"""Every character the base model knows."""
_ABBREVIATIONS: Final = """
ע"י וכו' ר' עמ' ד"ר צה"ל ארה"ב ת"א חז"ל הקב"ה רמב"ם רש"י שו"ע עפ"י ע"פ כ"כ א"כ ב"ה בס"ד פ' הל' רבנו ז"ל זצ"ל
מו"ר חו"ל דו"ח מע"מ ח"כ יו"ר מנכ"ל תנ"ך ביהמ"ד גמ' מס' תוס' ס' סי' ס"ק וגו' ה' לפנה"ס סה"כ ק"מ ס"מ
ש"ח בי"ס עו"ד אח"כ ג' ב' א' י"ד ט"ו כ"ב תשפ"ו תש"ך עי' ד"ה שנ' מ"מ נ"ל
"""
SPELLED: Final = {
    "׳": "'",
    "״": '"',
    "־": "-",
    "–": "-",
    "—": "-",
    "…": "...",
    "’": "'",
    "‘": "'",
    "“": '"',
    "”": '"',
    "„": '"',
}
"""Signs that a pen does not tell apart are spelled one way."""
_RARE: Final = "ףץךטזגסצקן"
"""Letters that running text seldom has: a share of the words is drawn because they hold one of these."""
_NUMBERS_ALONE: Final = 0.03
"""Share of the lines that are a number or a date and nothing else."""
_TYPED_SHARE: Final = 0.08
"""Share of the lines whose text has the signs of a typed text where a pen's stroke is the same."""
_LATIN_SHARE: Final = 0.012
"""Share of the words that are written in Latin letters."""
_LIST_SHARE: Final = 0.03
"""Share of the lines that are an item of a list."""
_LIST_MARKS: Final = ("•", "-", "*", "←", "→", "1.", "2.", "3)", "א.", "ב.", "ג)", "#")
_SIGNS_BEFORE: Final = ("= ", "> ", "* ", "+ ", "[", "< ", "& ", "← ", "→ ", "~", "# ", "@", "_")
_WORD_POWER: Final = 0.35
_HELD_OUT: Final = 0.1
"""Share of the words and of the verses that is held out."""
_COMMON: Final = 1e-4
"""Words more frequent than this are never held out: no text is without them."""
_CLOSED: Final = {"Deut": {(6, verse) for verse in range(4, 10)} | {(11, verse) for verse in range(13, 22)}}
"""The verses of the evaluation's scrolls: never drawn."""
_OSIS: Final = "{http://www.bibletechnologies.net/2003/OSIS/namespace}"


def plain(text: str) -> str:
    """Reduce a text to `PLAIN_ALPHABET`: no niqqud, one spelling of each sign, single spaces."""
    stripped = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    spelled = "".join(SPELLED.get(c, c) for c in stripped)
    return " ".join("".join(c for c in spelled if c in PLAIN_ALPHABET or c.isspace()).split())


def part_of(text: str) -> Part:
    """Return the part a word or a verse belongs to: one in ten is held out, by a hash that never changes.

    A verse is hashed as its words with single spaces, so equal verses fall on one side.
    """
    digest = hashlib.sha256(text.encode()).digest()
    return "validation" if digest[0] < _HELD_OUT * 256 else "training"


def bible_verses(folder: Path, part: Part = "training") -> list[list[str]]:
    """Return a part of the Bible's verses as lists of unpointed words, without those the evaluation reads.

    `folder` holds the OSIS files of the npm package `morphhb`. The empty list when there are none.
    """
    verses = []
    for path in sorted(folder.glob("*.xml")):
        if path.stem == "VerseMap":
            continue
        for verse in ET.parse(path).getroot().iter(f"{_OSIS}verse"):  # noqa: S314  # a package's own file
            book, chapter, number = verse.attrib["osisID"].split(".")
            if (int(chapter), int(number)) in _CLOSED.get(book, set()):
                continue
            words = [plain("".join(w.itertext()).replace("/", "")) for w in verse.iter(f"{_OSIS}w")]
            words = [word for word in words if word]
            if part_of(" ".join(words)) == part:
                verses.append(words)
    return verses


def closed_runs(sentences: Iterable[str]) -> frozenset[tuple[str, ...]]:
    """Return every run of three words of the sentences that may never be drawn."""
    runs = set()
    for sentence in sentences:
        words = re.findall(f"[{LETTERS}]+", plain(sentence))
        runs |= {tuple(words[i : i + 3]) for i in range(len(words) - 2)}
    return frozenset(runs)


class Texts:
    """A source of line texts in logical order.

    `verses` are lists of words; `closed` holds runs of three words that no drawn text may contain.
    """

    def __init__(
        self,
        words: dict[str, float],
        verses: list[list[str]],
        closed: frozenset[tuple[str, ...]] = frozenset(),
        latin: Sequence[str] = (),
    ) -> None:
        """Take word frequencies, verses as words, the word triples that may not be drawn, and Latin words."""
        usable = {word: share for word, share in words.items() if word and set(word) <= set(PLAIN_ALPHABET)}
        self._words = list(usable)
        weights = np.array([share**_WORD_POWER for share in usable.values()])
        self._cumulative = np.cumsum(weights / weights.sum())
        self._abbreviations = _ABBREVIATIONS.split()
        self._rare = [[word for word in usable if letter in word] for letter in _RARE]
        self._verses = verses
        self._closed = closed
        self._latin = latin

    def draw(
        self, random: np.random.Generator, biblical: float = 0.1, longest: int = 9, strings: float = 0.0
    ) -> str:
        """Draw a text of up to `longest` words.

        `strings` is the share of random letters without language, `biblical` that of running biblical text.
        """
        while True:
            if strings and random.random() < strings:
                text = " ".join(_string(random) for _ in range(int(random.integers(1, longest + 1))))
            elif self._verses and random.random() < biblical:
                text = self._verse(random, longest)
            else:
                text = self._mixture(random, longest)
            if random.random() < _TYPED_SHARE:
                text = as_typed(text, random)
            if text and not self._is_closed(text):
                return text

    def _is_closed(self, text: str) -> bool:
        """Tell whether a text repeats three words in a row of what is kept for evaluation."""
        words = re.findall(f"[{LETTERS}]+", text)
        return any(tuple(words[i : i + 3]) in self._closed for i in range(len(words) - 2))

    def _verse(self, random: np.random.Generator, longest: int) -> str:
        """Cut a run of words out of a verse."""
        verse = self._verses[int(random.integers(len(self._verses)))]
        length = int(random.integers(2, longest + 1))
        start = int(random.integers(max(1, len(verse) - length + 1)))
        return " ".join(verse[start : start + length])

    def _mixture(self, random: np.random.Generator, longest: int) -> str:
        """Put words, numbers and abbreviations one after the other, with punctuation."""
        if random.random() < _NUMBERS_ALONE:
            return _number(random)
        parts = [self._part(random) for _ in range(int(random.integers(1, longest + 1)))]
        return _punctuate(parts, random)

    def _part(self, random: np.random.Generator) -> str:
        """Draw one word or what stands for one."""
        chance = random.random()
        if chance < 0.14:
            words = self._rare[int(random.integers(len(_RARE)))]
            if words:
                return words[int(random.integers(len(words)))]
        if chance < 0.83:
            return self._words[int(np.searchsorted(self._cumulative, random.random()))]
        if chance < 0.88:
            return self._abbreviations[int(random.integers(len(self._abbreviations)))]
        if chance < 0.935:
            return _number(random)
        if chance < 0.935 + _LATIN_SHARE and self._latin:
            return _latin_word(self._latin, random)
        return _string(random)


def _string(random: np.random.Generator) -> str:
    """Draw letters that say nothing."""
    length = int(random.integers(2, 8))
    return "".join(LETTERS[i] for i in random.integers(len(LETTERS), size=length))


def modern_words(count: int = 120_000, part: Part = "training") -> dict[str, float]:
    """Return the most frequent modern Hebrew words and their frequencies (package wordfreq).

    Validation has them all, training all but the held-out ones: so a tenth of the rarer words of a validation
    line are unknown, as in any text that was not read before.
    """
    import wordfreq

    frequencies: dict[str, float] = wordfreq.get_frequency_dict("he", wordlist="large")
    words: dict[str, float] = {}
    for word, share in frequencies.items():
        spelled = plain(word)
        if spelled and any(c in LETTERS for c in spelled) and len(spelled) <= 14:
            words.setdefault(spelled, share)
        if len(words) >= count:
            break
    return words if part == "validation" else {w: f for w, f in words.items() if not is_held_out(w, f)}


def is_held_out(word: str, frequency: float) -> bool:
    """Tell whether a word of this frequency is held out for validation."""
    return frequency <= _COMMON and part_of(word) == "validation"


def latin_words(count: int = 20_000) -> list[str]:
    """Return the most frequent English words of Latin letters alone (package wordfreq)."""
    import wordfreq

    return [word for word in wordfreq.top_n_list("en", count) if set(word) <= set(LATIN)]


def _latin_word(words: Sequence[str], random: np.random.Generator) -> str:
    """Draw a Latin word in lower case, capitalised or in capitals; seldom an address or a single letter."""
    word = words[int(random.integers(len(words)))]
    form = int(random.choice(5, p=(0.4, 0.25, 0.22, 0.08, 0.05)))
    if form == 4:
        return f"{word}@{words[int(random.integers(len(words)))]}.com"
    return (word, word.capitalize(), word.upper(), word[0].upper())[form]


def as_typed(text: str, random: np.random.Generator) -> str:
    """Replace marks by typed signs with the same handwritten form: maqaf, geresh, gershayim and others."""
    text = text.replace("...", "…").replace(" - ", " – ")
    text = re.sub(f"(?<=[{LETTERS}])-(?=[{LETTERS}])", "־", text)
    text = re.sub(f"(?<=[{LETTERS}])'", "׳", text)
    text = re.sub(f'(?<=[{LETTERS}])"(?=[{LETTERS}])', "״", text)
    text = re.sub(r'(?<!\S)"(\S+)"', r"„\1”" if random.random() < 0.5 else r"”\1”", text)
    if random.random() < 0.4:
        text = re.sub(f"(?<=[{LETTERS}]) (?=[{LETTERS}])", "־", text, count=1)
    return text


def _number(random: np.random.Generator) -> str:
    """Draw a number: a count, year, date, time, share, range, price or telephone number."""
    n = [int(v) for v in random.integers(1, 32, size=4)]
    forms = (
        str(n[0]),
        str(int(random.integers(1, 10_000))),
        str(int(random.integers(1800, 2030))),
        f"{n[0]}/{n[1] % 12 + 1}/{int(random.integers(1990, 2030))}",
        f"{n[0]}.{n[1] % 12 + 1}.{n[2]:02d}",
        f"{n[0]}.{n[1] % 12 + 1}",
        f"{n[0] % 24}:{n[1] + n[2] % 28:02d}",
        f"{n[0] * 3}%",
        f"{n[0]}-{n[0] + n[1]}",
        f"{n[0]}.",
        f"{n[0]})",
        f"{n[0]}+{n[1]}={n[0] + n[1]}",
        _price(random),
        _phone(random),
    )
    return forms[int(random.integers(len(forms)))]


def _price(random: np.random.Generator) -> str:
    """Draw a price: mostly in shekels, the sign before or after the amount."""
    sign = "₪₪₪$€"[int(random.integers(5))]
    amount = str(int(random.integers(1, 2000))) if random.random() < 0.7 else f"{random.uniform(1, 300):.2f}"
    return (f"{sign}{amount}", f"{amount}{sign}", f"{amount} {sign}")[int(random.integers(3))]


def _phone(random: np.random.Generator) -> str:
    """Draw an Israeli telephone number, with hyphens or without."""
    digits = "".join(str(d) for d in random.integers(0, 10, size=7))
    area = ("02", "03", "04", "08", "09", "050", "052", "053", "054", "058", "077")[int(random.integers(11))]
    return (f"{area}-{digits}", f"{area}{digits}", f"{area}-{digits[:3]}-{digits[3:]}", f"*{digits[:4]}")[
        int(random.integers(4))
    ]


def _punctuate(parts: list[str], random: np.random.Generator) -> str:
    """Join parts to a line with the punctuation of handwritten notes."""
    line = " ".join(_dressed(part, random) for part in parts)
    if random.random() < _LIST_SHARE:
        line = f"{_LIST_MARKS[int(random.integers(len(_LIST_MARKS)))]} {line}"
    return line + str(random.choice(["", ".", ":", "?", "..."], p=[0.705, 0.22, 0.035, 0.02, 0.02]))


def _dressed(part: str, random: np.random.Generator) -> str:
    """Put a mark beside a word, or brackets or quotation marks around it, now and then."""
    chance = random.random()
    if chance < 0.09:
        return part + ",.:;?!"[min(5, int(random.exponential(1.1)))]
    if chance > 0.167:
        return part
    index = int(np.searchsorted([0.11, 0.135, 0.145, 0.16], chance))
    sign = _SIGNS_BEFORE[int(random.integers(len(_SIGNS_BEFORE)))]
    return (f"({part})", f'"{part}"', f"-{part}", f"{part} -", sign + part)[index]


def number_words(count: int, seed: int = 5) -> dict[str, float]:
    """Draw so many numbers as notes have them; return their words and how often each came."""
    random = np.random.default_rng(seed)
    words: dict[str, float] = {}
    for word in " ".join(_number(random) for _ in range(count)).split():
        words[word] = words.get(word, 0.0) + 1
    return words


def abbreviations() -> list[str]:
    """Return the abbreviations that lines may hold."""
    return _ABBREVIATIONS.split()
