"""The characters that the base model knows, and how a text is reduced to them."""

import re
import string
import unicodedata
from typing import Final

import numpy as np

LETTERS: Final = "אבגדהוזחטיךכלםמןנסעףפץצקרשת"
MARKS: Final = " .,:;?!-()\"'/+=%*[]<>"
DIGITS: Final = "0123456789"
SIGNS: Final = "־׳״–”„…₪&@#$€~_←→•"
"""Typed signs that handwriting renders like one of `MARKS`, and signs of lists, prices and addresses."""
LATIN: Final = string.ascii_uppercase + string.ascii_lowercase
PLAIN_ALPHABET: Final = MARKS + DIGITS + LETTERS
"""Characters that texts are reduced to by `plain`."""
ALPHABET: Final = PLAIN_ALPHABET + SIGNS + LATIN
"""Every character that the base model knows."""
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
"""Signs that look the same in handwriting, with the one character that they are measured as."""
_MAQAF_FOR_SPACE: Final = 0.4
"""Share of the typed texts in which a space between two words becomes a maqaf."""


def plain(text: str) -> str:
    """Reduce a text to `PLAIN_ALPHABET`: no niqqud, one spelling of each sign, single spaces."""
    stripped = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    spelled = "".join(SPELLED.get(c, c) for c in stripped)
    return " ".join("".join(c for c in spelled if c in PLAIN_ALPHABET or c.isspace()).split())


def as_typed(text: str, random: np.random.Generator) -> str:
    """Replace marks by typed signs with the same handwritten form: maqaf, geresh, gershayim and others."""
    text = text.replace("...", "…").replace(" - ", " – ")
    text = re.sub(f"(?<=[{LETTERS}])-(?=[{LETTERS}])", "־", text)
    text = re.sub(f"(?<=[{LETTERS}])'", "׳", text)
    text = re.sub(f'(?<=[{LETTERS}])"(?=[{LETTERS}])', "״", text)
    text = re.sub(r'(?<!\S)"(\S+)"', r"„\1”" if random.random() < 0.5 else r"”\1”", text)
    if random.random() < _MAQAF_FOR_SPACE:
        text = re.sub(f"(?<=[{LETTERS}]) (?=[{LETTERS}])", "־", text, count=1)
    return text
