"""Synthetic writers: an alphabet with several instances of each letter, a pen, a slant, spacing habits."""

from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from ketav_basemodel.fonts import Fonts
from ketav_basemodel.glyphs import UNIT, Bend, Glyph, Instance, Pen, bend
from ketav_basemodel.letters import CLASSES, HANGING, IN_PARTS, RISING, Hands, rearranged
from ketav_basemodel.marks import MARKS, draw_mark
from ketav_basemodel.scribes import crowned, joined_het, stretched

KINDS: Final = {"hand": 0.66, "cursive": 0.12, "stam": 0.13, "scribal": 0.04, "rashi": 0.01, "print": 0.04}
"""Share of each kind of writer: real letters, cursive fonts, STaM, book hands, Rashi, print."""
_INSTANCES: Final = 3
_CROWNED: Final = "שעטנזגץ"
_SHORT_OR_LONG: Final = "וי"
_STRETCHED: Final = "דהלרתםך"


@dataclass(frozen=True, slots=True)
class Style:
    """How one synthetic writer writes. Lengths are in core bands unless said otherwise."""

    kind: str
    core: float  # pixels of the core band in the drawn line
    pen: Pen
    wide: float  # factor of the letters' width
    shear: float  # slant, rightwards positive, as a slope
    loose: float  # spread of size, turn and position of single letters
    warp: float  # smooth distortion of a letter, pixels of the glyph
    gap: float  # mean paper between neighbouring letters; negative touches
    gap_spread: float
    tuck: float  # 0: letters keep to their boxes, 1: they follow each other's outline
    space: float  # mean gap between words
    space_spread: float
    wander: float  # amplitude of the baseline's slow wave
    pitch: float  # distance to the next line
    rise: float = 1.0  # factor of the rising letters' height
    fall: float = 1.0  # factor of the hanging letters' height
    unlike: float = 0.0  # spread of the writer's own proportions of each letter
    apart: float = 0.0  # mean extra paper between a word and the mark that closes it
    hop: float = 0.0  # spread of whole words' height on the line
    stretch: float = 0.0  # chance that a stretchable letter is stretched
    crowns: float = 0.0  # chance that a crowned letter gets its crown


@dataclass(slots=True)
class Writer:
    """A writer at work: keeps the instances of each character it has formed so far."""

    style: Style
    glyphs: dict[str, list[Glyph]]
    random: np.random.Generator
    shifts: dict[str, float] = field(default_factory=dict)
    sizes: dict[str, tuple[float, float]] = field(default_factory=dict)
    formed: dict[str, list[Instance]] = field(default_factory=dict)

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
            self.shifts[character] = float(self.random.normal(0, 0.8 * self.style.loose))
        return self.shifts[character]

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
        if character in _STRETCHED and random.random() < style.stretch:
            glyph = stretched(glyph, float(random.uniform(0.2, 1.3)))
        if character in _CROWNED and random.random() < style.crowns:
            glyph = crowned(glyph, random)
        formed = bend(glyph, how, style.pen, style.core / UNIT, random)
        return replace(formed, top=formed.top + down * style.core) if down else formed

    def _size(self, character: str) -> tuple[float, float, float]:
        """Return this writer's factors of a character's width and height, and how far down that moves it."""
        style = self.style
        if character not in self.sizes:
            wide, tall = np.exp(self.random.normal(0, style.unlike, 2))
            if character in _SHORT_OR_LONG:
                tall *= np.exp(self.random.normal(0, 1.2 * style.unlike))
            self.sizes[character] = float(wide), float(tall)
        wide, tall = self.sizes[character]
        tall *= style.rise if character in RISING else style.fall if character in HANGING else 1.0
        return style.wide * wide, tall, 1.0 - tall if character in RISING else 0.0


def make_writer(kind: str, hands: Hands, fonts: Fonts, random: np.random.Generator) -> Writer:
    """Make up a writer of a kind of `KINDS`; a kind without fonts falls back to real letters."""
    pool: list[dict[str, Glyph]] = getattr(fonts, kind, [])
    if kind == "hand" or not pool:
        return Writer(_cursive_style("hand", random), _borrowed_alphabet(hands, fonts, random), random)
    alphabet = {c: [glyph] for c, glyph in pool[int(random.integers(len(pool)))].items()}
    if "0" not in alphabet or kind == "cursive":
        alphabet |= _digits(fonts, random)
    if kind == "stam" and random.random() < 0.5:
        alphabet["ח"] = [joined_het(alphabet["ז"][0], alphabet["ו"][0], random)]
    style = _cursive_style(kind, random) if kind == "cursive" else _formal_style(kind, random)
    return Writer(style, alphabet, random)


def _digits(fonts: Fonts, random: np.random.Generator) -> dict[str, list[Glyph]]:
    """Take the digits of one handwriting font, now and then mixed with another's."""
    if not fonts.digits:
        return {}
    first, second = (fonts.digits[int(i)] for i in random.integers(len(fonts.digits), size=2))
    return {
        c: [glyph, second[c]] if c in second and random.random() < 0.3 else [glyph]
        for c, glyph in first.items()
    }


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
    return alphabet


def _cursive_style(kind: str, random: np.random.Generator) -> Style:
    """Draw the habits of a modern hand."""
    core = float(random.uniform(17, 27))
    retraced = random.random() < 0.6
    thick = float(np.exp(random.normal(np.log(0.062), 0.35)))
    pen = (
        Pen(core * float(np.clip(thick, 0.03, 0.14)))
        if retraced
        else Pen(None, float(np.clip(random.normal(0.1, 0.5), -0.4, 1.2)))
    )
    loose = float(random.uniform(0.02, 0.09))
    return Style(
        kind=kind,
        core=core,
        pen=pen,
        wide=float(np.exp(random.normal(-0.03, 0.14))),
        shear=float(random.normal(0.02, 0.16)),
        loose=loose,
        warp=float(random.uniform(0.3, 1.6)),
        gap=float(random.choice([random.normal(0.16, 0.08), random.normal(0.04, 0.06)])),
        gap_spread=float(random.uniform(0.02, 0.11)),
        tuck=float(random.uniform(0.0, 0.9)),
        space=float(np.exp(random.normal(np.log(0.85), 0.48))),
        space_spread=float(random.uniform(0.05, 0.35)),
        wander=float(random.uniform(0, 0.18)),
        pitch=float(random.uniform(1.7, 3.4)),
        rise=float(np.clip(np.exp(random.normal(-0.16, 0.23)), 0.55, 1.3)),
        fall=float(np.clip(np.exp(random.normal(-0.05, 0.15)), 0.65, 1.3)),
        unlike=float(random.uniform(0.0, 0.12)),
        apart=float(random.choice([0.0, 0.0, random.uniform(0.2, 1.0)])),
        hop=float(random.choice([0.0, 0.0, random.uniform(0.03, 0.3)])),
    )


def _formal_style(kind: str, random: np.random.Generator) -> Style:
    """Draw the habits of a scribe or of a press."""
    core = float(random.uniform(17, 27))
    press, scribe = kind == "print", kind == "stam"
    loose = 0.004 if press else float(random.uniform(0.005, 0.045))
    return Style(
        kind=kind,
        core=core,
        pen=Pen(None, float(np.clip(random.normal(0.2, 0.5), -0.5, 1.2))),
        wide=float(np.exp(random.normal(-0.1 if scribe else 0.0, 0.12))),
        shear=float(random.normal(0, 0.02 if press else 0.04)),
        loose=loose,
        warp=0.0 if press else float(random.uniform(0.1, 1.2)),
        gap=float(random.normal(0.08 if scribe else 0.12, 0.05)),
        gap_spread=float(random.uniform(0.0, 0.04)),
        tuck=float(random.uniform(0.0, 0.6)),
        space=float(np.exp(random.normal(np.log(0.55), 0.3))),
        space_spread=float(random.uniform(0.02, 0.15)),
        wander=float(random.uniform(0, 0.06)),
        pitch=float(random.uniform(1.5, 2.3) if scribe else random.uniform(1.6, 2.6)),
        stretch=float(random.choice([0.0, 0.05, 0.25])) if scribe else 0.0,
        crowns=float(random.choice([0.0, 0.6, 1.0, 1.0])) if scribe else 0.0,
    )


def known(character: str, writer: Writer) -> bool:
    """Tell whether a writer can put a character down."""
    return character == " " or character in writer.glyphs or character in MARKS
