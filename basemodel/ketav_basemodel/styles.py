"""The habits of synthetic writers: pen, slant, proportions, spacing, and the spread of each."""

from dataclasses import dataclass

import numpy as np

from ketav_basemodel.glyphs import Pen


@dataclass(frozen=True, slots=True)
class Style:
    """The habits of one synthetic writer. Lengths are in core bands unless noted otherwise."""

    kind: str
    """Kind of writer (`writers.KINDS`)."""
    core: float
    """Pixels of the core band in the drawn line."""
    pen: Pen
    width: float
    """Factor of the letters' width."""
    slant: float
    """Slope of upright strokes, positive rightwards."""
    looseness: float
    """Spread of size, turn and position of single letters."""
    warp: float
    """Smooth distortion of a letter, in pixels of the glyph."""
    gap: float
    """Mean paper between neighbouring letters; negative when they touch."""
    gap_spread: float
    kerning: float
    """0: letters keep to their boxes; 1: they follow each other's outline."""
    space: float
    """Mean gap between words."""
    space_spread: float
    wave: float
    """Amplitude of the baseline's slow wave."""
    line_distance: float
    """Distance to the next line."""
    rise: float = 1.0
    """Factor of the rising letters' height."""
    fall: float = 1.0
    """Factor of the hanging letters' height."""
    proportion_spread: float = 0.0
    """Spread of the writer's own proportions of each letter."""
    mark_gap: float = 0.0
    """Mean extra paper between a word and the mark that closes it."""
    word_shift: float = 0.0
    """Spread of the vertical position of whole words."""
    stretch_chance: float = 0.0
    """Probability that a stretchable letter is stretched."""
    crown_chance: float = 0.0
    """Probability that a letter with a crown gets it."""
    join_chance: float = 0.0
    """Probability that a pair of letters is one that this writer joins."""
    join_high_chance: float = 0.5
    """Probability that a joining stroke ends at the head of the next letter and not at its foot."""
    strike_chance: float = 0.0
    """Probability of a struck-out word between two words."""
    stroke_spread: float = 0.0
    """Spread, from letter to letter, of the position of separate strokes."""


def cursive_style(kind: str, random: np.random.Generator) -> Style:
    """Draw the habits of a writer of modern cursive."""
    core = float(random.uniform(17, 27))
    looseness = float(random.uniform(0.02, 0.09))
    return Style(
        kind=kind,
        core=core,
        pen=_cursive_pen(core, random),
        width=float(np.exp(random.normal(-0.03, 0.14))),
        slant=float(random.normal(0.02, 0.16)),
        looseness=looseness,
        warp=float(random.uniform(0.3, 1.6)),
        gap=float(random.choice([random.normal(0.16, 0.08), random.normal(0.04, 0.06)])),
        gap_spread=float(random.uniform(0.02, 0.11)),
        kerning=float(random.uniform(0.0, 0.9)),
        space=float(np.exp(random.normal(np.log(0.85), 0.48))),
        space_spread=float(random.uniform(0.05, 0.35)),
        wave=float(random.uniform(0, 0.18)),
        line_distance=float(random.uniform(1.7, 3.4)),
        rise=float(np.clip(np.exp(random.normal(-0.16, 0.23)), 0.55, 1.3)),
        fall=float(np.clip(np.exp(random.normal(-0.05, 0.15)), 0.65, 1.3)),
        proportion_spread=float(random.uniform(0.0, 0.12)),
        mark_gap=float(random.choice([0.0, 0.0, random.uniform(0.2, 1.0)])),
        word_shift=float(random.choice([0.0, 0.0, random.uniform(0.03, 0.3)])),
        join_chance=float(random.choice([0.0, 0.0, random.uniform(0.02, 0.2), random.uniform(0.1, 0.5)])),
        join_high_chance=float(random.random()),
        strike_chance=0.012 if random.random() < 0.25 else 0.0,
        stroke_spread=float(random.uniform(0, 0.06)),
    )


def _cursive_pen(core: float, random: np.random.Generator) -> Pen:
    """Draw a pen: mostly a ballpoint or pencil, sometimes a broad nib or a marker."""
    chance = float(random.random())
    pressure = float(random.choice([0.0, random.uniform(0.05, 0.3)]))
    if chance < 0.4:
        return Pen(None, float(np.clip(random.normal(0.1, 0.5), -0.4, 1.2)), pressure)
    if chance < 0.46:
        thickness, nib = float(random.uniform(0.11, 0.19)), float(random.choice([0.0, 0.35]))
    else:
        thickness = float(np.clip(np.exp(random.normal(np.log(0.062), 0.35)), 0.03, 0.14))
        nib = float(random.uniform(0.1, 0.5)) if random.random() < 0.15 else 0.0
    return Pen(core * thickness, 0.0, pressure, nib, float(random.uniform(0, np.pi)))


def formal_style(kind: str, random: np.random.Generator) -> Style:
    """Draw the habits of a scribe or of a printing press."""
    core = float(random.uniform(17, 27))
    press, scribe = kind == "print", kind == "stam"
    looseness = 0.004 if press else float(random.uniform(0.005, 0.045))
    return Style(
        kind=kind,
        core=core,
        pen=Pen(None, float(np.clip(random.normal(0.35, 0.4), 0.05, 1.2))),
        width=float(np.exp(random.normal(-0.1 if scribe else 0.0, 0.12))),
        slant=float(random.normal(0, 0.02 if press else 0.04)),
        looseness=looseness,
        warp=0.0 if press else float(random.uniform(0.1, 1.2)),
        gap=float(random.normal(0.08 if scribe else 0.12, 0.05)),
        gap_spread=float(random.uniform(0.0, 0.04)),
        kerning=float(random.uniform(0.0, 0.6)),
        space=float(np.exp(random.normal(np.log(0.55), 0.3))),
        space_spread=float(random.uniform(0.02, 0.15)),
        wave=float(random.uniform(0, 0.06)),
        line_distance=float(random.uniform(1.5, 2.3) if scribe else random.uniform(1.6, 2.6)),
        stretch_chance=float(random.choice([0.0, 0.05, 0.25])) if scribe else 0.0,
        crown_chance=float(random.choice([0.0, 0.6, 1.0, 1.0])) if scribe else 0.0,
    )
