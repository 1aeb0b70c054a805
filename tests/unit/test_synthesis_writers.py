"""The letters of synthetic writers: crowns, roofs, separate strokes, joined letters, struck-out words."""

from dataclasses import replace

import numpy as np
import pytest

from ketav_basemodel.compose import draw_line
from ketav_basemodel.digits import FORMS, draw_digits
from ketav_basemodel.fonts import Fonts
from ketav_basemodel.glyphs import UNIT, Distortion, Glyph, Pen, draw_instance, make_glyph
from ketav_basemodel.joins import PlacedInk, cross_out, join
from ketav_basemodel.letters import CLASSES, LetterCollection
from ketav_basemodel.scribes import add_crown, joined_het, make_crown, stretch_roof
from ketav_basemodel.strokes import separate, vary_small_stroke
from ketav_basemodel.styles import Style, cursive_style
from ketav_basemodel.writers import Writer, make_writer


def _block(height: int = UNIT, width: int = 20) -> Glyph:
    """Return a filled rectangle standing on the core band's lower edge."""
    return make_glyph(np.full((height, width), 255, np.uint8), float(UNIT - height))


def _two_strokes() -> Glyph:
    """Return a letter of a tall stroke on the right and a short one on the left."""
    ink = np.zeros((UNIT, 30), dtype=np.uint8)
    ink[:, 20:25], ink[14:, 4:8] = 255, 255
    return make_glyph(ink, 0.0)


def _writer(style: Style, seed: int) -> Writer:
    """Return a writer of rectangles with a style."""
    collection = LetterCollection({w: {c: _block() for c in CLASSES} for w in range(2)}, {0: [1], 1: [0]})
    writer = make_writer("hand", collection, Fonts([], [], [], [], [], []), np.random.default_rng(seed))
    return replace(writer, style=style)


def _even_style() -> Style:
    """Return the style of a regular writer: even gaps, no joins, no struck-out words."""
    return replace(
        cursive_style("hand", np.random.default_rng(1)),
        core=20.0,
        pen=Pen(None),
        gap=0.3,
        gap_spread=0.0,
        kerning=0.0,
        mark_gap=0.0,
        join_chance=0.0,
        strike_chance=0.0,
    )


def test_a_scribe_stretches_crowns_and_joins_without_losing_ink() -> None:
    """Stretching widens, a crown rises above the letter, a joined het is as wide as its two legs."""
    random, letter = np.random.default_rng(1), _block()
    assert stretch_roof(letter, 0.5).ink.shape[1] == letter.ink.shape[1] + UNIT // 2
    crown = make_crown(random)
    one, three = (add_crown(letter, crown, strokes, random) for strokes in (1, 3))
    assert three.top < letter.top
    assert letter.ink.astype(int).sum() < one.ink.astype(int).sum() < three.ink.astype(int).sum()
    assert joined_het(letter, letter, random).ink.shape[1] > 2 * 20


def test_a_letter_of_two_strokes_keeps_both_when_one_moves() -> None:
    """The leg of a he may shrink and shift; it does not vanish."""
    glyph = _two_strokes()
    for seed in range(20):
        moved = vary_small_stroke(glyph, np.random.default_rng(seed))
        assert (moved.ink[:, : glyph.ink.shape[1] // 2] > 128).any()
        assert moved.spine.shape == moved.ink.shape


def test_separated_strokes_have_as_much_more_paper_between_them() -> None:
    """A distance of six pixels is six more columns of paper, and all the ink stays."""
    glyph = _two_strokes()
    wide = separate(glyph, 6.0, 0.0)
    inked, before = (np.flatnonzero((g.ink > 128).any(axis=0)) for g in (wide, glyph))
    assert inked[-1] - inked[0] == before[-1] - before[0] + 6
    assert len(inked) == len(before)
    assert separate(_block(), 6.0, 0.0).ink.shape == _block().ink.shape


def test_a_joining_writer_closes_the_paper_between_letters_and_nothing_else() -> None:
    """Joined letters are one piece of ink; words stay separate; text and spans do not change."""
    even = _even_style()
    unjoined = draw_line("אבגד הוזח", _writer(even, 3))
    joined = draw_line("אבגד הוזח", _writer(replace(even, join_chance=1.0, join_high_chance=1.0), 3))
    blank = [np.count_nonzero(~(line.ink > 60).any(axis=0)) for line in (unjoined, joined)]
    assert joined.text == unjoined.text
    assert len(joined.spans) == len(unjoined.spans) == 8
    assert 0 < blank[1] < 0.7 * blank[0]


def test_distant_letters_and_marks_are_not_joined() -> None:
    """A joining stroke bridges a short distance between letters only."""
    style, random = _even_style(), np.random.default_rng(4)
    ink = np.full((20, 10), 255, np.uint8)
    alef, near, far, mark = (
        PlacedInk(ink, 28, column, character)
        for character, column in (("א", 0), ("ב", 14), ("ב", 60), (".", 14))
    )
    assert join(alef, near, style, 28, random) is not None
    assert join(alef, far, style, 28, random) is None
    assert join(alef, mark, style, 28, random) is None


def test_struck_out_words_are_no_part_of_the_text() -> None:
    """A writer who strikes out at every gap leaves more ink, the same text and the same number of spans."""
    even = _even_style()
    plain, struck = (
        draw_line("אב גד הו", _writer(replace(even, strike_chance=chance), 5)) for chance in (0.0, 1.0)
    )
    assert struck.text == plain.text
    assert len(struck.spans) == len(plain.spans)
    assert struck.ink.astype(int).sum() > 1.3 * plain.ink.astype(int).sum()
    assert cross_out(even, np.random.default_rng(6)).max() == 255


@pytest.mark.parametrize("digit", sorted(FORMS))
def test_a_writer_draws_every_digit_at_one_height(digit: str) -> None:
    """Digits end on the line, and their heights differ by a third at most."""
    drawn = draw_digits(np.random.default_rng(7), 0.02)
    heights = {name: glyphs[0].ink.shape[0] for name, glyphs in drawn.items()}
    assert heights[digit] > 0.6 * max(heights.values())
    assert abs(drawn[digit][0].top + heights[digit] - 16 - UNIT) < 0.3 * UNIT


def test_pressure_and_a_broad_nib_change_a_strokes_thickness() -> None:
    """The same path retraced has one thickness with a plain pen and several with pressure or a nib."""
    ink = np.zeros((UNIT, UNIT), dtype=np.uint8)
    ink[14:18, :], ink[:, 14:18] = 255, 255
    glyph, distortion = make_glyph(ink, 0.0), Distortion(1, 1, 0, 0, 0)
    drawn = [
        draw_instance(glyph, distortion, pen, 1.0, np.random.default_rng(8)).ink
        for pen in (Pen(2.0), Pen(2.0, pressure=0.3), Pen(2.0, nib=0.5))
    ]
    across, down = (int((drawn[2][:, 4] > 128).sum()), int((drawn[2][4] > 128).sum()))
    assert abs(across - down) >= 2
    assert len({int((drawn[1][:, x] > 128).sum()) for x in range(2, 30)}) > len(
        {int((drawn[0][:, x] > 128).sum()) for x in range(2, 12)}
    )
