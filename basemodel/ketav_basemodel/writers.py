"""Synthetic writers: an alphabet with several instances of each letter, and the habits of a style."""

from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from ketav_basemodel.digits import draw_digits
from ketav_basemodel.fonts import Fonts
from ketav_basemodel.glyphs import UNIT, Distortion, Glyph, Instance, draw_instance
from ketav_basemodel.letters import CLASSES, HANGING, IN_PARTS, RISING, LetterCollection
from ketav_basemodel.marks import MARKS, draw_mark
from ketav_basemodel.scribes import Crown, add_crown, joined_het, make_crown, stretch_roof
from ketav_basemodel.strokes import separate, vary_small_stroke
from ketav_basemodel.styles import Style, cursive_style, formal_style

KINDS: Final = {"hand": 0.66, "cursive": 0.12, "stam": 0.13, "scribal": 0.04, "rashi": 0.01, "print": 0.04}
"""Share of each kind of writer: real letters, cursive fonts, STaM, book hands, Rashi, print."""
_INSTANCES: Final = 3
"""Instances of a character that a writer alternates between."""
_CROWNED: Final = "שעטנזגץ"
"""Letters with a crown of three strokes."""
_SINGLE_CROWN: Final = "בדקחיה"
"""Letters that some scribes give a crown of a single stroke."""
_LENGTH_SPREAD: Final = {"ו": 0.15, "י": 0.18, "ל": 0.15, "ן": 0.2, "ף": 0.15, "ץ": 0.15, "ך": 0.15, "ק": 0.1}
"""Letters whose length differs from writer to writer, and the spread of its logarithm."""
_HEIGHT_SHIFT: Final = {
    "ל": (0.1, 0.2),
    "ף": (0.12, 0.22),
    "ץ": (0.12, 0.22),
    "ג": (0.05, 0.1),
    "ז": (0.05, 0.1),
}
"""Letters that writers position at other heights: mean and spread of the shift downwards, in core bands."""
_INFORMAL: Final = {"hand", "cursive"}
"""Kinds of writers of modern cursive."""
_STRETCHED: Final = "דהלרתםך"
"""Letters whose roof scribes lengthen."""
_JOIN_REPEAT: Final = 0.85
"""Probability that a writer joins a pair that is habitually joined."""
_LENDERS: Final = 24
"""Most similar writers that lend letters."""


@dataclass(slots=True)
class Writer:
    """A synthetic writer with the habits and the instances of characters that were drawn so far."""

    style: Style
    glyphs: dict[str, list[Glyph]]
    random: np.random.Generator
    shifts: dict[str, float] = field(default_factory=dict)
    """Shift downwards of each character, in core bands."""
    sizes: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Factors of each character's width and height."""
    instances: dict[str, list[Instance]] = field(default_factory=dict)
    joined: dict[str, bool] = field(default_factory=dict)
    """Whether the writer joins a pair of letters."""
    crown: Crown | None = None

    def form(self, character: str) -> Instance:
        """Return one of a few instances of a character; each is drawn when it is first needed."""
        instances = self.instances.setdefault(character, [])
        choice = int(self.random.integers(_INSTANCES))
        if choice < len(instances):
            return instances[choice]
        instance = self._new(character)
        instances.append(instance)
        return instance

    def shift(self, character: str) -> float:
        """Return the shift of a character below its usual position, in core bands."""
        if character not in self.shifts:
            down = float(self.random.normal(0, 0.8 * self.style.looseness))
            if character in _HEIGHT_SHIFT and self.style.kind in _INFORMAL:
                down += float(self.random.normal(*_HEIGHT_SHIFT[character]))
            self.shifts[character] = down
        return self.shifts[character]

    def joins(self, pair: str) -> bool:
        """Return whether the writer joins two letters this time, which is likely for a habitual pair."""
        if self.style.join_chance == 0:
            return False
        if pair not in self.joined:
            self.joined[pair] = bool(self.random.random() < self.style.join_chance)
        return self.joined[pair] and bool(self.random.random() < _JOIN_REPEAT)

    def _new(self, character: str) -> Instance:
        """Draw a new instance of a character."""
        random, style = self.random, self.style
        forms = self.glyphs.get(character)
        if forms is None:
            forms = self.glyphs[character] = [draw_mark(character, random, 0.02 + style.looseness)]
        glyph = forms[int(random.integers(len(forms)))]
        looseness = style.looseness
        width, height, down = self._size(character)
        distortion = Distortion(
            width * float(np.exp(random.normal(0, looseness))),
            height * float(np.exp(random.normal(0, looseness))),
            style.slant + float(random.normal(0, 0.6 * looseness)),
            float(random.normal(0, 0.6 * looseness)),
            style.warp,
        )
        glyph = self._with_extras(character, glyph)
        instance = draw_instance(glyph, distortion, style.pen, style.core / UNIT, random)
        return replace(instance, top=instance.top + down * style.core) if down else instance

    def _with_extras(self, character: str, glyph: Glyph) -> Glyph:
        """Return a glyph as the writer draws the character this time.

        With the probabilities of the style, strokes are shifted, the roof is longer, or a crown is added.
        """
        random, style = self.random, self.style
        if style.stroke_spread and character in IN_PARTS and random.random() < 0.7:
            glyph = separate(glyph, *(UNIT * random.normal(0, style.stroke_spread, 2)))
        if character in _STRETCHED and random.random() < style.stretch_chance:
            glyph = stretch_roof(glyph, min(2.6, 0.2 + float(random.exponential(0.6))))
        if self.crown is not None and random.random() < style.crown_chance:
            if character in _CROWNED:
                glyph = add_crown(glyph, self.crown, 3, random)
            elif character in _SINGLE_CROWN and self.crown.single:
                glyph = add_crown(glyph, self.crown, 1, random)
        return glyph

    def _size(self, character: str) -> tuple[float, float, float]:
        """Return the factors of a character's width and height, and its shift downwards in core bands."""
        style = self.style
        if character not in self.sizes:
            width, height = np.exp(self.random.normal(0, style.proportion_spread, 2))
            if character in _LENGTH_SPREAD and style.kind in _INFORMAL:
                height *= np.exp(self.random.normal(0, _LENGTH_SPREAD[character]))
            self.sizes[character] = float(width), float(height)
        width, height = self.sizes[character]
        height *= style.rise if character in RISING else style.fall if character in HANGING else 1.0
        return style.width * width, height, 1.0 - height if character in RISING else 0.0


def make_writer(kind: str, collection: LetterCollection, fonts: Fonts, random: np.random.Generator) -> Writer:
    """Make a writer of a kind of `KINDS`; a kind without fonts has real letters instead."""
    pool: list[dict[str, Glyph]] = getattr(fonts, kind, [])
    if kind == "hand" or not pool:
        return Writer(cursive_style("hand", random), _borrowed_alphabet(collection, fonts, random), random)
    alphabet = {c: [glyph] for c, glyph in pool[int(random.integers(len(pool)))].items()}
    if "0" not in alphabet or kind == "cursive":
        alphabet |= _digits(fonts, random)
    if kind == "stam" and random.random() < 0.5:
        alphabet["ח"] = [joined_het(alphabet["ז"][0], alphabet["ו"][0], random)]
    style = cursive_style(kind, random) if kind == "cursive" else formal_style(kind, random)
    return Writer(style, alphabet, random, crown=make_crown(random) if style.crown_chance else None)


def _digits(fonts: Fonts, random: np.random.Generator) -> dict[str, list[Glyph]]:
    """Draw digits, or take those of one handwriting font, some of them mixed with another's."""
    if not fonts.digits:
        return {}
    drawn = draw_digits(random, float(random.uniform(0.01, 0.05))) if random.random() < 0.5 else {}
    first, second = (fonts.digits[int(i)] for i in random.integers(len(fonts.digits), size=2))
    from_fonts = {
        c: [glyph, second[c]] if c in second and random.random() < 0.3 else [glyph]
        for c, glyph in first.items()
    }
    return from_fonts | drawn


def _borrowed_alphabet(
    collection: LetterCollection, fonts: Fonts, random: np.random.Generator
) -> dict[str, list[Glyph]]:
    """Return one real writer's letters; similar writers lend the missing ones and some second forms."""
    alphabets = collection.alphabets
    writers = list(alphabets)
    writer = writers[int(random.integers(len(writers)))]
    lenders = collection.similar[writer]
    borrowing = float(random.choice([0.0, 0.1, 0.3, 0.6]))
    alphabet: dict[str, list[Glyph]] = _digits(fonts, random)
    for letter in CLASSES:
        available = [alphabets[other][letter] for other in lenders[:_LENDERS] if letter in alphabets[other]]
        lent = available[min(len(available) - 1, int(random.exponential(6.0)))]
        own = alphabets[writer].get(letter)
        if own is None or random.random() < borrowing:
            alphabet[letter] = [lent]
        else:
            alphabet[letter] = [own, lent] if random.random() < 0.15 else [own]
        if letter in IN_PARTS and random.random() < 0.6:
            alphabet[letter] = [vary_small_stroke(glyph, random) for glyph in alphabet[letter]]
        if letter == "א" and random.random() < 0.5:
            across = UNIT * float(random.uniform(-0.08, 0.35))
            alphabet[letter] = [separate(glyph, across, 0.0) for glyph in alphabet[letter]]
    return alphabet


def can_write(character: str, writer: Writer) -> bool:
    """Return whether a writer has a form of a character."""
    return character == " " or character in writer.glyphs or character in MARKS
