"""What hands do to letters: crowns, stretched roofs, strokes apart, joined letters, things struck out."""

from dataclasses import replace

import numpy as np
import pytest

from ketav_basemodel.compose import draw_line
from ketav_basemodel.digits import FORMS, draw_digits
from ketav_basemodel.fonts import Fonts
from ketav_basemodel.glyphs import UNIT, Bend, Glyph, Pen, bend, make_glyph
from ketav_basemodel.joins import Placed, cross_out, join
from ketav_basemodel.letters import CLASSES, Hands
from ketav_basemodel.scribes import crowned, joined_het, make_crown, stretched
from ketav_basemodel.strokes import apart, rearranged
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
    hands = Hands({w: {c: _block() for c in CLASSES} for w in range(2)}, {0: [1], 1: [0]})
    writer = make_writer("hand", hands, Fonts([], [], [], [], [], []), np.random.default_rng(seed))
    return replace(writer, style=style)


def _calm() -> Style:
    """Return the style of a hand that stands still: even gaps, no joins, nothing struck out."""
    return replace(
        cursive_style("hand", np.random.default_rng(1)),
        core=20.0,
        pen=Pen(None),
        gap=0.3,
        gap_spread=0.0,
        tuck=0.0,
        apart=0.0,
        join=0.0,
        strike=0.0,
    )


def test_a_scribe_stretches_crowns_and_joins_without_losing_ink() -> None:
    """Stretching widens, a crown rises above the letter, a joined het is as wide as its two legs."""
    random, letter = np.random.default_rng(1), _block()
    assert stretched(letter, 0.5).ink.shape[1] == letter.ink.shape[1] + UNIT // 2
    crown = make_crown(random)
    one, three = (crowned(letter, crown, strokes, random) for strokes in (1, 3))
    assert three.top < letter.top
    assert letter.ink.astype(int).sum() < one.ink.astype(int).sum() < three.ink.astype(int).sum()
    assert joined_het(letter, letter, random).ink.shape[1] > 2 * 20


def test_a_letter_of_two_strokes_keeps_both_when_they_move() -> None:
    """A he's leg may shrink and shift; it does not vanish."""
    glyph = _two_strokes()
    for seed in range(20):
        moved = rearranged(glyph, np.random.default_rng(seed))
        assert (moved.ink[:, : glyph.ink.shape[1] // 2] > 128).any()
        assert moved.spine.shape == moved.ink.shape


def test_strokes_set_apart_leave_as_much_more_paper_between_them() -> None:
    """Six pixels apart are six more columns of paper, with all the ink still there."""
    glyph = _two_strokes()
    wide = apart(glyph, 6.0, 0.0)
    inked, before = (np.flatnonzero((g.ink > 128).any(axis=0)) for g in (wide, glyph))
    assert inked[-1] - inked[0] == before[-1] - before[0] + 6
    assert len(inked) == len(before)
    assert apart(_block(), 6.0, 0.0).ink.shape == _block().ink.shape


def test_a_joining_writer_closes_the_paper_between_letters_and_nothing_else() -> None:
    """Joined letters are one piece of ink; words stay apart; text and spans are what they were."""
    calm = _calm()
    loose = draw_line("אבגד הוזח", _writer(calm, 3))
    joined = draw_line("אבגד הוזח", _writer(replace(calm, join=1.0, join_high=1.0), 3))
    blank = [np.count_nonzero(~(line.ink > 60).any(axis=0)) for line in (loose, joined)]
    assert joined.text == loose.text
    assert len(joined.spans) == len(loose.spans) == 8
    assert 0 < blank[1] < 0.7 * blank[0]


def test_letters_far_apart_and_marks_are_not_joined() -> None:
    """A joining stroke bridges a short way between letters only."""
    style, random = _calm(), np.random.default_rng(4)
    ink = np.full((20, 10), 255, np.uint8)
    at = [
        Placed("א", ink, 28, 0),
        Placed("ב", ink, 28, 14),
        Placed("ב", ink, 28, 60),
        Placed(".", ink, 28, 14),
    ]
    assert join(at[0], at[1], style, 28, random) is not None
    assert join(at[0], at[2], style, 28, random) is None
    assert join(at[0], at[3], style, 28, random) is None


def test_what_is_struck_out_is_no_part_of_the_text() -> None:
    """A writer who strikes out at every gap leaves more ink, the same text and the same number of spans."""
    calm = _calm()
    plain, struck = (draw_line("אב גד הו", _writer(replace(calm, strike=strike), 5)) for strike in (0.0, 1.0))
    assert struck.text == plain.text
    assert len(struck.spans) == len(plain.spans)
    assert struck.ink.astype(int).sum() > 1.3 * plain.ink.astype(int).sum()
    assert cross_out(calm, np.random.default_rng(6)).max() == 255


@pytest.mark.parametrize("digit", sorted(FORMS))
def test_a_hand_draws_every_digit_at_one_height(digit: str) -> None:
    """Digits stand on the line and are as high as each other within a third."""
    drawn = draw_digits(np.random.default_rng(7), 0.02)
    heights = {name: glyphs[0].ink.shape[0] for name, glyphs in drawn.items()}
    assert heights[digit] > 0.6 * max(heights.values())
    assert abs(drawn[digit][0].top + heights[digit] - 16 - UNIT) < 0.3 * UNIT


def test_pressure_and_a_broad_nib_change_a_strokes_thickness() -> None:
    """The same path retraced has one thickness with a plain pen and several with pressure or a nib."""
    ink = np.zeros((UNIT, UNIT), dtype=np.uint8)
    ink[14:18, :], ink[:, 14:18] = 255, 255
    glyph, how = make_glyph(ink, 0.0), Bend(1, 1, 0, 0, 0)
    drawn = [
        bend(glyph, how, pen, 1.0, np.random.default_rng(8)).ink
        for pen in (Pen(2.0), Pen(2.0, pressure=0.3), Pen(2.0, nib=0.5))
    ]
    across, down = (int((drawn[2][:, 4] > 128).sum()), int((drawn[2][4] > 128).sum()))
    assert abs(across - down) >= 2
    assert len({int((drawn[1][:, x] > 128).sum()) for x in range(2, 30)}) > len(
        {int((drawn[0][:, x] > 128).sum()) for x in range(2, 12)}
    )
