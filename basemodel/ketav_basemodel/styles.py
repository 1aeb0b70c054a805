"""The habits of synthetic writers: pen, slant, proportions, spacing, and how far each of them strays."""

from dataclasses import dataclass

import numpy as np

from ketav_basemodel.glyphs import Pen


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
    join: float = 0.0  # chance that a pair of letters is one that this writer joins
    join_high: float = 0.5  # chance that a joining stroke ends at the next letter's head, not at its foot
    strike: float = 0.0  # chance of a struck-out word between two words
    parts: float = 0.0  # spread, from letter to letter, of the place of strokes that stand apart


def cursive_style(kind: str, random: np.random.Generator) -> Style:
    """Draw the habits of a modern hand."""
    core = float(random.uniform(17, 27))
    loose = float(random.uniform(0.02, 0.09))
    return Style(
        kind=kind,
        core=core,
        pen=_cursive_pen(core, random),
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
        join=float(random.choice([0.0, 0.0, random.uniform(0.02, 0.2), random.uniform(0.1, 0.5)])),
        join_high=float(random.random()),
        strike=0.012 if random.random() < 0.25 else 0.0,
        parts=float(random.uniform(0, 0.06)),
    )


def _cursive_pen(core: float, random: np.random.Generator) -> Pen:
    """Draw a pen: mostly a ballpoint or pencil, now and then a broad nib, now and then a marker."""
    chance = float(random.random())
    pressure = float(random.choice([0.0, random.uniform(0.05, 0.3)]))
    if chance < 0.4:
        return Pen(None, float(np.clip(random.normal(0.1, 0.5), -0.4, 1.2)), pressure)
    if chance < 0.46:
        thick, nib = float(random.uniform(0.11, 0.19)), float(random.choice([0.0, 0.35]))
    else:
        thick = float(np.clip(np.exp(random.normal(np.log(0.062), 0.35)), 0.03, 0.14))
        nib = float(random.uniform(0.1, 0.5)) if random.random() < 0.15 else 0.0
    return Pen(core * thick, 0.0, pressure, nib, float(random.uniform(0, np.pi)))


def formal_style(kind: str, random: np.random.Generator) -> Style:
    """Draw the habits of a scribe or of a press."""
    core = float(random.uniform(17, 27))
    press, scribe = kind == "print", kind == "stam"
    loose = 0.004 if press else float(random.uniform(0.005, 0.045))
    return Style(
        kind=kind,
        core=core,
        pen=Pen(None, float(np.clip(random.normal(0.35, 0.4), 0.05, 1.2))),
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
