"""Synthetic writers: an alphabet with several instances of each letter, a pen, a slant, spacing habits."""

from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from ketav_basemodel.digits import draw_digits
from ketav_basemodel.fonts import Fonts
from ketav_basemodel.glyphs import UNIT, Bend, Glyph, Instance, bend
from ketav_basemodel.letters import CLASSES, HANGING, IN_PARTS, RISING, Hands
from ketav_basemodel.marks import MARKS, draw_mark
from ketav_basemodel.scribes import Crown, crowned, joined_het, make_crown, stretched
from ketav_basemodel.strokes import apart, rearranged
from ketav_basemodel.styles import Style, cursive_style, formal_style

KINDS: Final = {"hand": 0.66, "cursive": 0.12, "stam": 0.13, "scribal": 0.04, "rashi": 0.01, "print": 0.04}
"""Share of each kind of writer: real letters, cursive fonts, STaM, book hands, Rashi, print."""
_INSTANCES: Final = 3
_CROWNED: Final = "שעטנזגץ"
_ONE_STROKE: Final = "בדקחיה"
"""Letters that some scribes give a crown of a single stroke."""
_LONG_OR_SHORT: Final = {"ו": 0.15, "י": 0.18, "ל": 0.15, "ן": 0.2, "ף": 0.15, "ץ": 0.15, "ך": 0.15, "ק": 0.1}
"""Letters whose length tells hands apart, and the spread of its logarithm."""
_HIGH_OR_LOW: Final = {
    "ל": (0.1, 0.2),
    "ף": (0.12, 0.22),
    "ץ": (0.12, 0.22),
    "ג": (0.05, 0.1),
    "ז": (0.05, 0.1),
}
"""Letters that hands put at other heights: mean and spread of how far below their place, in core bands."""
_INFORMAL: Final = {"hand", "cursive"}
_STRETCHED: Final = "דהלרתםך"


@dataclass(slots=True)
class Writer:
    """A writer at work: keeps the instances of each character it has formed so far."""

    style: Style
    glyphs: dict[str, list[Glyph]]
    random: np.random.Generator
    shifts: dict[str, float] = field(default_factory=dict)
    sizes: dict[str, tuple[float, float]] = field(default_factory=dict)
    formed: dict[str, list[Instance]] = field(default_factory=dict)
    joined: dict[str, bool] = field(default_factory=dict)
    crown: Crown | None = None

    def form(self, character: str) -> Instance:
        """Put a character down: one of a few instances, each formed when first needed."""
        formed = self.formed.setdefault(character, [])
        choice = int(self.random.integers(_INSTANCES))
        if choice < len(formed):
            return formed[choice]
        instance = self._new(character)
        formed.append(instance)
        return instance

    def shift(self, character: str) -> float:
        """Return how far below its usual place this writer puts a character, in core bands."""
        if character not in self.shifts:
            down = float(self.random.normal(0, 0.8 * self.style.loose))
            if character in _HIGH_OR_LOW and self.style.kind in _INFORMAL:
                down += float(self.random.normal(*_HIGH_OR_LOW[character]))
            self.shifts[character] = down
        return self.shifts[character]

    def joins(self, pair: str) -> bool:
        """Tell whether this writer joins two letters this time: a habit of the pair that may fail."""
        if self.style.join == 0:
            return False
        if pair not in self.joined:
            self.joined[pair] = bool(self.random.random() < self.style.join)
        return self.joined[pair] and bool(self.random.random() < 0.85)

    def _new(self, character: str) -> Instance:
        """Form a new instance of a character."""
        random, style = self.random, self.style
        forms = self.glyphs.get(character)
        if forms is None:
            forms = self.glyphs[character] = [draw_mark(character, random, 0.02 + style.loose)]
        glyph = forms[int(random.integers(len(forms)))]
        loose = style.loose
        wide, tall, down = self._size(character)
        how = Bend(
            wide * float(np.exp(random.normal(0, loose))),
            tall * float(np.exp(random.normal(0, loose))),
            style.shear + float(random.normal(0, 0.6 * loose)),
            float(random.normal(0, 0.6 * loose)),
            style.warp,
        )
        glyph = self._adorned(character, glyph)
        formed = bend(glyph, how, style.pen, style.core / UNIT, random)
        return replace(formed, top=formed.top + down * style.core) if down else formed

    def _adorned(self, character: str, glyph: Glyph) -> Glyph:
        """Do to one instance what goes beyond bending: strokes that stray, stretched roofs, crowns."""
        random, style = self.random, self.style
        if style.parts and character in IN_PARTS and random.random() < 0.7:
            glyph = apart(glyph, *(UNIT * random.normal(0, style.parts, 2)))
        if character in _STRETCHED and random.random() < style.stretch:
            glyph = stretched(glyph, min(2.6, 0.2 + float(random.exponential(0.6))))
        if self.crown is not None and random.random() < style.crowns:
            if character in _CROWNED:
                glyph = crowned(glyph, self.crown, 3, random)
            elif character in _ONE_STROKE and self.crown.everywhere:
                glyph = crowned(glyph, self.crown, 1, random)
        return glyph

    def _size(self, character: str) -> tuple[float, float, float]:
        """Return this writer's factors of a character's width and height, and how far down that moves it."""
        style = self.style
        if character not in self.sizes:
            wide, tall = np.exp(self.random.normal(0, style.unlike, 2))
            if character in _LONG_OR_SHORT and style.kind in _INFORMAL:
                tall *= np.exp(self.random.normal(0, _LONG_OR_SHORT[character]))
            self.sizes[character] = float(wide), float(tall)
        wide, tall = self.sizes[character]
        tall *= style.rise if character in RISING else style.fall if character in HANGING else 1.0
        return style.wide * wide, tall, 1.0 - tall if character in RISING else 0.0


def make_writer(kind: str, hands: Hands, fonts: Fonts, random: np.random.Generator) -> Writer:
    """Make up a writer of a kind of `KINDS`; a kind without fonts falls back to real letters."""
    pool: list[dict[str, Glyph]] = getattr(fonts, kind, [])
    if kind == "hand" or not pool:
        return Writer(cursive_style("hand", random), _borrowed_alphabet(hands, fonts, random), random)
    alphabet = {c: [glyph] for c, glyph in pool[int(random.integers(len(pool)))].items()}
    if "0" not in alphabet or kind == "cursive":
        alphabet |= _digits(fonts, random)
    if kind == "stam" and random.random() < 0.5:
        alphabet["ח"] = [joined_het(alphabet["ז"][0], alphabet["ו"][0], random)]
    style = cursive_style(kind, random) if kind == "cursive" else formal_style(kind, random)
    return Writer(style, alphabet, random, crown=make_crown(random) if style.crowns else None)


def _digits(fonts: Fonts, random: np.random.Generator) -> dict[str, list[Glyph]]:
    """Draw digits, or take those of one handwriting font, now and then mixed with another's."""
    if not fonts.digits:
        return {}
    drawn = draw_digits(random, float(random.uniform(0.01, 0.05))) if random.random() < 0.5 else {}
    first, second = (fonts.digits[int(i)] for i in random.integers(len(fonts.digits), size=2))
    written = {
        c: [glyph, second[c]] if c in second and random.random() < 0.3 else [glyph]
        for c, glyph in first.items()
    }
    return written | drawn


def _borrowed_alphabet(hands: Hands, fonts: Fonts, random: np.random.Generator) -> dict[str, list[Glyph]]:
    """Start from one real writer's letters; similar writers lend what is missing and some second forms."""
    writers = list(hands.alphabets)
    writer = writers[int(random.integers(len(writers)))]
    lenders = hands.similar[writer]
    borrowing = float(random.choice([0.0, 0.1, 0.3, 0.6]))
    alphabet: dict[str, list[Glyph]] = _digits(fonts, random)
    for letter in CLASSES:
        near = [hands.alphabets[other][letter] for other in lenders[:24] if letter in hands.alphabets[other]]
        lent = near[min(len(near) - 1, int(random.exponential(6.0)))]
        own = hands.alphabets[writer].get(letter)
        if own is None or random.random() < borrowing:
            alphabet[letter] = [lent]
        else:
            alphabet[letter] = [own, lent] if random.random() < 0.15 else [own]
        if letter in IN_PARTS and random.random() < 0.6:
            alphabet[letter] = [rearranged(glyph, random) for glyph in alphabet[letter]]
        if letter == "א" and random.random() < 0.5:
            across = UNIT * float(random.uniform(-0.08, 0.35))
            alphabet[letter] = [apart(glyph, across, 0.0) for glyph in alphabet[letter]]
    return alphabet


def known(character: str, writer: Writer) -> bool:
    """Tell whether a writer can put a character down."""
    return character == " " or character in writer.glyphs or character in MARKS
