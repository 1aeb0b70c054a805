"""The weights of the beam search are fitted on held-out texts of unseen writers."""

import math
from pathlib import Path

import numpy as np
import pytest

from ketav_basemodel import language_model, running_text, sentences, tune
from ketav_basemodel.alphabet import DIGITS
from ketav_basemodel.calibrate import fit_calibration, matches
from ketav_basemodel.corpora import part_of
from ketav_basemodel.running_text import RunningText
from ketav_basemodel.unseen_writers import Instance, UnseenWriter, write_line
from ketav_engine.recognition.beam import BeamDecoder, LanguageTables
from ketav_engine.recognition.decode import Probabilities
from ketav_engine.recognition.language_model import Calibration


def test_running_text_keeps_the_order_of_its_words() -> None:
    """A drawn line is successive words of one sentence or one verse."""
    source = sentences.RunningTexts(["אחת שתיים שלוש ארבע"], [["אבא", "בא"]])
    random = np.random.default_rng(1)
    for biblical, whole in ((0.0, "אחת שתיים שלוש ארבע"), (1.0, "אבא בא")):
        drawn = {source.draw(random, biblical, 3) for _ in range(30)}
        assert all(text in whole and len(text.split()) <= 3 for text in drawn)
        assert len(drawn) > 1 or whole in drawn


def test_random_texts_have_only_their_characters() -> None:
    """Words are of two to seven digits."""
    words = " ".join(sentences.RandomTexts(DIGITS).draw(np.random.default_rng(2)) for _ in range(20)).split()
    assert all(set(word) <= set(DIGITS) and 2 <= len(word) <= 7 for word in words)


def test_without_fetched_sentences_no_weights_are_fitted(tmp_path: Path) -> None:
    """Missing sentences are an error; no other text replaces them."""
    with pytest.raises(FileNotFoundError):
        sentences.read(tmp_path)


def write_texts(bench: Path, comments: str) -> None:
    """Write comments and one evaluation line of six words."""
    for name, text in (("comments", comments), ("iahlt", "משפט אחד")):
        path = bench / "texts" / f"{name}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    scroll = bench / "stam" / "scroll"
    scroll.mkdir(parents=True)
    (scroll / "1.gt.txt").write_text("שמע ישראל יהוה אלהינו", encoding="utf-8")
    (scroll / "2.gt.txt").write_text("יהוה אחד", encoding="utf-8")


def test_a_line_that_shares_five_words_with_an_evaluation_text_is_left_out(tmp_path: Path) -> None:
    """Five words that run over the end of an evaluation line count; four words in common do not."""
    quoting = ["אמר שמע ישראל יהוה אלהינו יהוה", "ישראל יהוה אלהינו יהוה אחד"]
    allowed = ["שמע ישראל יהוה אלהינו אמר", "דבר אחר"]
    write_texts(tmp_path, "\n".join(quoting + allowed))
    loaded = [running_text.load(tmp_path, tmp_path, part).comments for part in ("training", "validation")]
    assert sorted(loaded[0] + loaded[1]) == sorted(allowed)


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ("ראשית , בהצלחה . נו ?!", "ראשית, בהצלחה. נו?!"),
        ('" מי אמר " " שלום " " , ומתי ? "', 'מי אמר "שלום", ומתי?'),
        ('" אמי ז""ל באה ( ברכות נח ) "', 'אמי ז"ל באה (ברכות נח)'),
        ('" שורה , שנקטעה', "שורה, שנקטעה"),
        ("אוהד בית ״ ר , בע ׳ ה", "אוהד בית״ר, בע׳ה"),
        ("הוא אמר ״ לא ולא ״ והלך", "הוא אמר ״לא ולא״ והלך"),
        ("דגן - שעורה", "דגן - שעורה"),
        ("כתוב כהלכה, בלי רווח.", "כתוב כהלכה, בלי רווח."),
    ],
)
def test_comments_are_counted_as_people_write_them(stored: str, expected: str) -> None:
    """A tokeniser has put spaces around every mark; counted so, the reader writes them too."""
    assert running_text.written(stored) == expected


def test_no_line_is_on_both_sides_of_the_split(tmp_path: Path) -> None:
    """Training and validation have all lines between them, each once."""
    lines = [f"שורה {index}" for index in range(200)]
    write_texts(tmp_path, "\n".join(lines))
    training, validation = (
        running_text.load(tmp_path, tmp_path, part).comments for part in ("training", "validation")
    )
    assert sorted(training + validation) == sorted(lines)
    assert {part_of(line) for line in validation} == {"validation"}
    assert 5 < len(validation) < 45


def test_a_line_of_an_unseen_writer_has_its_letters_from_right_to_left() -> None:
    """Each letter has its position in the text and its height; one that the writer lacks is left out."""
    wide, thin = np.zeros((20, 16), np.uint8), np.zeros((10, 4), np.uint8)
    writer = UnseenWriter("w", 20.0, {"א": [Instance(wide, -20.0)], "ב": [Instance(thin, -10.0)]})
    line = write_line(writer, "אגב", np.random.default_rng(1))
    assert line.text == "אב"
    columns = np.flatnonzero((line.image == 0).any(axis=0))
    heights = (line.image == 0).sum(axis=0)[columns]
    assert set(heights[:4]) == {10}
    assert set(heights[-16:]) == {20}
    assert np.flatnonzero((line.image == 0).any(axis=1))[[0, -1]].tolist() == [30, 49]


def outputs_between(nats: float) -> Probabilities:
    """Return outputs that prefer the labels 1, 2 to 2, 1 by a difference of their logarithms."""
    likely = 1 / (1 + math.exp(-nats / 2))
    outputs = np.full((3, 5), 1e-6, np.float32)
    outputs[0, [0, 2, 4]] = 1
    outputs[[1, 2], 1] = likely, 1 - likely
    outputs[[1, 2], 3] = 1 - likely, likely
    return np.asarray(outputs / outputs.sum(axis=0), dtype=np.float32)


@pytest.mark.kraken
def test_settings_that_break_a_guard_are_not_chosen() -> None:
    """The best trial has the lowest cost of those that keep random letters and numbers readable."""
    from kraken.lib.codec import PytorchCodec

    codec = PytorchCodec("אב")
    words = language_model.train({"אב": 0.8, "בא": 0.2}, RunningText([], ["אב", "אב", "בא"], []), "אב ")
    decoder = BeamDecoder(LanguageTables(words), codec)
    preferred = decoder.log_probability([2, 1]) - decoder.log_probability([1, 2])
    difference = dict.fromkeys(tune.DECIDING, 0.9 * preferred) | dict.fromkeys(
        tune.MAX_GUARD_CER, 0.6 * preferred
    )
    nothing = np.zeros((1, 1), np.uint8)
    lines = {
        name: [tune.ValidationLine("w", "אב" if name in tune.DECIDING else "בא", nothing)]
        for name in difference
    }
    outputs = {name: [outputs_between(nats)] for name, nats in difference.items()}
    trials = tune.fit(words, codec, outputs, lines)
    assert trials[0].rates["random"] == 0
    assert any(trial.cost < trials[0].cost for trial in trials)


@pytest.mark.kraken
def test_the_cer_of_a_writer_counts_the_lines_of_running_text() -> None:
    """One writer is read without an error, the other with two errors in two letters."""
    from kraken.lib.codec import PytorchCodec

    codec = PytorchCodec("אב")
    words = language_model.train({"אב": 0.5, "בא": 0.5}, RunningText([], ["אב", "בא"], []), "אב ")
    nothing, read_as_written = np.zeros((1, 1), np.uint8), outputs_between(20)
    correct, wrong = tune.ValidationLine("a", "אב", nothing), tune.ValidationLine("b", "בא", nothing)
    lines = {name: [correct, wrong] for name in tune.UNSEEN}
    rates = tune.writer_rates(words, codec, {name: [read_as_written] * 2 for name in lines}, lines)
    assert (min(rates.values()), max(rates.values())) == (0, 1)


def test_a_calibration_finds_the_probabilities_that_it_was_made_with() -> None:
    """Certainties whose characters are correct by a known curve give that curve back."""
    random = np.random.default_rng(3)
    certainties = random.uniform(0.02, 0.98, 40_000)
    true = Calibration(slope=0.6, offset=0.9)
    correct = random.random(len(certainties)) < [true.probability(float(c)) for c in certainties]
    fitted = fit_calibration(certainties, correct)
    assert fitted.slope == pytest.approx(true.slope, abs=0.05)
    assert fitted.offset == pytest.approx(true.offset, abs=0.05)


def test_a_character_is_correct_where_the_alignment_keeps_it() -> None:
    """A substituted and an inserted character are wrong; the others are correct."""
    assert matches("שלום לכם", "שלוס לכרם").tolist() == [True] * 3 + [False] + [True] * 3 + [False, True]
