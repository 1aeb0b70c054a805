"""The synthesis of lines: text and ink agree, a seed fixes everything, evaluation texts stay out."""

import re
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from ketav_basemodel.alphabet import ALPHABET, LETTERS, as_typed, plain
from ketav_basemodel.compose import ABOVE, draw_line
from ketav_basemodel.corpora import forbidden_triples
from ketav_basemodel.degrade import Neighbours, photograph
from ketav_basemodel.glyphs import UNIT, Distortion, Pen, draw_instance
from ketav_basemodel.letters import CLASSES
from ketav_basemodel.marks import MARKS, draw_mark
from ketav_basemodel.shards import read_shard, write_shard
from ketav_basemodel.synthesis import Material, Sample, curriculum, samples
from ketav_basemodel.texts import Texts
from ketav_basemodel.writers import make_writer
from ketav_engine.recognition.decode import to_display
from tests.parts.letters import NO_FONTS, WORDS, block, block_collection


@pytest.fixture
def material() -> Material:
    """Material without files: rectangles for letters, four words, no fonts."""
    return Material(block_collection(), NO_FONTS, Texts(WORDS, []))


def _first(material: Material, seed: int, count: int) -> list[Sample]:
    """Return the first lines of a seed."""
    return list(islice(samples(material, seed, 48), count))


def test_the_same_seed_writes_the_same_lines_and_another_seed_others(material: Material) -> None:
    """Synthesis is a function of its seed."""
    one, again, other = (_first(material, seed, 6) for seed in (1, 1, 2))
    assert [s.text for s in one] == [s.text for s in again]
    assert all(np.array_equal(a.image, b.image) for a, b in zip(one, again, strict=True))
    assert [s.text for s in one] != [s.text for s in other]


def test_a_line_has_the_height_of_the_network_and_is_dark_on_white(material: Material) -> None:
    """The network gets ink near 0 on paper near 255, at one height."""
    for sample in _first(material, 3, 8):
        assert sample.image.shape[0] == 48
        assert sample.image.dtype == np.uint8
        assert np.median(sample.image) > 200
        assert sample.image.min() < 100


def test_every_inked_character_of_a_text_has_its_ink_in_display_order() -> None:
    """Text and ink agree: as many spans as inked characters, from left to right as on paper."""
    writer = make_writer("hand", block_collection(), NO_FONTS, np.random.default_rng(5))
    line = draw_line("שלום עולם.", writer)
    assert line.text == "שלום עולם."
    assert len(line.spans) == len(line.text.replace(" ", ""))
    middles = [(left + right) / 2 for left, right in line.spans]
    assert middles == sorted(middles)
    for left, right in line.spans:
        assert line.ink[:, left:right].max() > 200


def test_the_core_band_is_at_the_rows_of_the_drawn_line() -> None:
    """Letters of core height fill the core band within a quarter of it."""
    random = np.random.default_rng(6)
    writer = make_writer("hand", block_collection(), NO_FONTS, random)
    line = draw_line("אבהחמס", writer)
    inked = np.flatnonzero((line.ink > 128).sum(axis=1) > 0.3 * line.ink.shape[1] / 2)
    assert line.top == round(ABOVE * line.core)
    assert abs(inked[0] - line.top) < 0.4 * line.core
    assert abs(inked[-1] - line.top - line.core) < 0.4 * line.core


def test_characters_that_a_writer_has_no_form_of_are_in_neither_text_nor_ink() -> None:
    """A font without digits does not fill the page with empty boxes."""
    writer = make_writer("hand", block_collection(), NO_FONTS, np.random.default_rng(7))
    assert draw_line("דבר 2026 ספר", writer).text == "דבר ספר"


def test_display_order_mirrors_brackets_and_keeps_numbers() -> None:
    """Targets are the characters on paper from left to right."""
    assert to_display("(אב) 31") == "31 (בא)"


def test_no_line_repeats_three_words_of_an_evaluation_sentence() -> None:
    """Evaluation texts never enter a training line."""
    forbidden = forbidden_triples(["שלום עולם דבר"])
    texts = Texts(WORDS, [["שלום", "עולם", "דבר", "ספר"]], forbidden)
    random = np.random.default_rng(8)
    for _ in range(400):
        assert "שלום עולם דבר" not in plain(texts.draw(random, biblical=0.5)).replace(",", "")


def test_texts_have_only_characters_of_the_alphabet() -> None:
    """Every drawn text can be encoded."""
    texts, random = Texts(WORDS | {"naïve": 0.5}, []), np.random.default_rng(9)
    assert all(set(texts.draw(random)) <= set(ALPHABET) for _ in range(300))


def test_plain_spells_signs_one_way_and_drops_niqqud() -> None:
    """Geresh, gershayim, maqaf and points become characters that the model writes."""
    assert plain("רַבֵּנוּ  ז״ל – ר׳ כל־בו…") == "רבנו ז\"ל - ר' כל-בו..."


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("בן-אדם", "בן־אדם"),
        ("3-5", "3-5"),
        ("כן - לא", "כן – לא"),
        ("רח' הרצל", "רח׳ הרצל"),
        ('ד"ר', "ד״ר"),
        ("ועוד...", "ועוד…"),
    ],
)
def test_typed_signs_replace_marks_of_the_same_form(text: str, typed: str) -> None:
    """Maqaf, geresh, gershayim, dash and ellipsis replace marks; a range of numbers keeps its hyphen."""
    results = {as_typed(text, np.random.default_rng(seed)) for seed in range(8)}
    assert typed in results
    assert {result.replace("־", " ").replace("-", " ") for result in results} == {
        typed.replace("־", " ").replace("-", " ")
    }


def test_typed_quotation_marks_have_one_of_two_forms_and_plain_restores_the_marks() -> None:
    """A quoted word has low and high or twice high quotation marks; measuring spells them one way."""
    results = {as_typed('אמר "שלום" וכו\'', np.random.default_rng(seed)) for seed in range(40)}
    quoted = {next(word for word in re.split("[ ־]", result) if "שלום" in word) for result in results}
    assert quoted == {"„שלום”", "”שלום”"}
    assert {plain(result).replace("-", " ") for result in results} == {'אמר "שלום" וכו\''}


def test_typed_texts_have_only_characters_of_the_alphabet() -> None:
    """Every sign that replaces a mark is one that the base model knows."""
    random = np.random.default_rng(15)
    for _ in range(50):
        assert set(as_typed('בן-אדם ד"ר - רח\' "כן"...', random)) <= set(ALPHABET)


def test_every_class_of_letters_is_in_the_alphabet_once() -> None:
    """The collection's classes are the Hebrew letters."""
    assert sorted(CLASSES) == sorted(LETTERS)
    assert len(set(ALPHABET)) == len(ALPHABET)


@pytest.mark.parametrize("mark", sorted(MARKS))
def test_a_mark_is_drawn_with_the_writers_pen(mark: str) -> None:
    """Punctuation is a stroke: a thicker pen leaves more ink."""
    glyph = draw_mark(mark, np.random.default_rng(10))
    random, distortion = np.random.default_rng(11), Distortion(1, 1, 0, 0, 0)
    thin, thick = (draw_instance(glyph, distortion, Pen(radius), 1.0, random).ink for radius in (1.0, 3.0))
    assert 0 < np.count_nonzero(thin > 128) < np.count_nonzero(thick > 128)


def test_an_instance_is_scaled_and_keeps_its_position() -> None:
    """Half the scale is half the ink's height, from the core band's upper edge on."""
    instance = draw_instance(
        block(UNIT, 20), Distortion(1, 1, 0, 0, 0), Pen(None), 0.5, np.random.default_rng(12)
    )
    assert abs(instance.ink.shape[0] - UNIT / 2) <= 1
    assert abs(instance.ink.shape[1] - 10) <= 1
    assert abs(instance.top) <= 1


def test_neighbouring_lines_reach_into_a_loose_crop() -> None:
    """A crop shows parts of the lines above and below, like a line cut from a page."""
    writer = make_writer("hand", block_collection(), NO_FONTS, np.random.default_rng(13))
    line, other = (draw_line("שלום עולם דבר", writer) for _ in range(2))
    alone, crowded = (
        np.mean(
            [
                np.mean(
                    photograph(
                        line, Neighbours(near, near, 1.5 * line.core), 0.0, np.random.default_rng(seed)
                    )
                )
                for seed in range(20)
            ]
        )
        for near in (None, other)
    )
    assert crowded < alone


def test_the_curriculum_never_gets_easier() -> None:
    """Lines are short and clean at first and have the full difficulty in the end."""
    course = [curriculum(written) for written in range(0, 60_000, 5_000)]
    assert [c.strength for c in course] == sorted(c.strength for c in course)
    assert course[0].max_words < course[-1].max_words
    assert course[-1].strength == 1.0


def test_a_shard_returns_the_lines_that_were_written(tmp_path: Path, material: Material) -> None:
    """The ring keeps images and targets as they were."""
    lines = _first(material, 14, 4)
    path = tmp_path / "0.npz"
    write_shard(path, [line.image for line in lines], [line.target for line in lines])
    shard = read_shard(path)
    assert shard.targets == [line.target for line in lines]
    assert np.array_equal(shard.images, np.concatenate([line.image for line in lines], axis=1))
    assert shard.widths.tolist() == [line.image.shape[1] for line in lines]
