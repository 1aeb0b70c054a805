"""The sources of words and verses, and their split into training and validation, which never changes."""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Literal
from xml.etree import ElementTree as ET

from ketav_basemodel.alphabet import LATIN, LETTERS, plain

Part = Literal["training", "validation"]
"""The part that lines belong to. Validation texts are never trained on and never counted."""
BIBLE: Final = Path("node_modules/morphhb/wlc")
"""Folder of the Bible's OSIS files below the fetched material: the npm package `morphhb`."""
_HELD_OUT: Final = 0.1
"""Share of the words and of the verses that is held out."""
_COMMON: Final = 1e-4
"""Frequency above which a word is never held out: no text is without such words."""
_MAX_WORD_LETTERS: Final = 14
_EVALUATION_VERSES: Final = {
    "Deut": {(6, verse) for verse in range(4, 10)} | {(11, verse) for verse in range(13, 22)}
}
"""The verses (chapter, verse) of the scrolls that the evaluation reads, by book: never drawn."""
_OSIS: Final = "{http://www.bibletechnologies.net/2003/OSIS/namespace}"


def part_of(text: str) -> Part:
    """Return the part a word or a verse belongs to: one in ten is held out, by a hash that never changes.

    A verse is hashed as its words with single spaces, so equal verses belong to one part.
    """
    digest = hashlib.sha256(text.encode()).digest()
    return "validation" if digest[0] < _HELD_OUT * 256 else "training"


def bible_verses(folder: Path, part: Part = "training") -> list[list[str]]:
    """Return a part of the Bible's verses as lists of unpointed words, without those the evaluation reads.

    `folder` has the OSIS files of the npm package `morphhb`. The list is empty when there are none.
    """
    verses = []
    for path in sorted(folder.glob("*.xml")):
        if path.stem == "VerseMap":
            continue
        for verse in ET.parse(path).getroot().iter(f"{_OSIS}verse"):  # noqa: S314  # a package's own file
            book, chapter, number = verse.attrib["osisID"].split(".")
            if (int(chapter), int(number)) in _EVALUATION_VERSES.get(book, set()):
                continue
            words = [plain("".join(w.itertext()).replace("/", "")) for w in verse.iter(f"{_OSIS}w")]
            words = [word for word in words if word]
            if part_of(" ".join(words)) == part:
                verses.append(words)
    return verses


def forbidden_triples(sentences: Iterable[str]) -> frozenset[tuple[str, ...]]:
    """Return every three successive words of the evaluation's sentences, which may never be drawn."""
    triples = set()
    for sentence in sentences:
        words = re.findall(f"[{LETTERS}]+", plain(sentence))
        triples |= {tuple(words[i : i + 3]) for i in range(len(words) - 2)}
    return frozenset(triples)


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
        if spelled and any(c in LETTERS for c in spelled) and len(spelled) <= _MAX_WORD_LETTERS:
            words.setdefault(spelled, share)
        if len(words) >= count:
            break
    return words if part == "validation" else {w: f for w, f in words.items() if not is_held_out(w, f)}


def is_held_out(word: str, frequency: float) -> bool:
    """Return whether a word of this frequency is held out for validation."""
    return frequency <= _COMMON and part_of(word) == "validation"


def latin_words(count: int = 20_000) -> list[str]:
    """Return the most frequent English words that have Latin letters only (package wordfreq)."""
    import wordfreq

    return [word for word in wordfreq.top_n_list("en", count) if set(word) <= set(LATIN)]
