"""The beam search finds what brute force finds, and the language model's probabilities are probabilities."""

import itertools
import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from ketav_basemodel import language_model as training
from ketav_basemodel.running_text import RunningText
from ketav_engine.domain import UnusableModelError
from ketav_engine.engines import make_engine
from ketav_engine.recognition import beam, decode, language_model
from ketav_engine.recognition.language_model import Calibration, LanguageModel, SearchSettings
from ketav_engine.recognition.ngram_tables import hashed, log_probability

ALPHABET = "אב ."
CODEC = SimpleNamespace(l2c_single={1: "א", 2: "ב", 3: " "})
WORDS = {"אב": 0.5, "בא": 0.3, "אבא": 0.2}
RUNNING = RunningText(comments=[], sentences=["אב בא", "אב בא", "אבא בא"], verses=[])


@pytest.fixture(scope="module")
def language() -> LanguageModel:
    """Train on a few words and lines."""
    return training.train(WORDS, RUNNING, ALPHABET)


@pytest.fixture(scope="module")
def tables(language: LanguageModel) -> beam.LanguageTables:
    """Return the language model as searches use it."""
    return beam.LanguageTables(language)


def random_outputs(seed: int, steps: int = 5) -> decode.Probabilities:
    """Draw outputs of three labels and the blank, not too flat."""
    logits = np.random.default_rng(seed).normal(0, 2, (4, steps))
    shares = np.exp(logits) / np.exp(logits).sum(axis=0)
    return np.asarray(shares, dtype=np.float32)


def collapse(path: tuple[int, ...]) -> tuple[int, ...]:
    """Join repeats and drop blanks."""
    return tuple(label for label, _ in itertools.groupby(path) if label != 0)


def brute_force(
    outputs: decode.Probabilities, decoder: beam.BeamDecoder, settings: SearchSettings
) -> tuple[int, ...]:
    """Sum the probability of every path of each text and weigh it with the language model."""
    by_text: dict[tuple[int, ...], float] = {}
    for path in itertools.product(range(4), repeat=outputs.shape[1]):
        probability = float(np.prod([outputs[label, step] for step, label in enumerate(path)]))
        by_text[collapse(path)] = by_text.get(collapse(path), 0.0) + probability

    def score(text: tuple[int, ...]) -> float:
        """Weigh one text."""
        language = settings.weight * decoder.log_probability(text)
        return math.log(by_text[text]) + language + settings.bonus * len(text)

    return max(by_text, key=score)


@pytest.mark.parametrize("weight", [0.0, 0.5, 1.5])
@pytest.mark.parametrize("unknown_share", [0.0, 0.2])
def test_a_wide_beam_finds_what_brute_force_finds(
    tables: beam.LanguageTables, weight: float, unknown_share: float
) -> None:
    """On short outputs the search finds the best text over all paths, with and without the language."""
    settings = SearchSettings(weight, 0.3, 0.4, unknown_share, width=1000, min_probability=0.0)
    decoder = beam.BeamDecoder(tables, CODEC, settings)
    for seed in range(12):
        outputs = random_outputs(seed)
        assert decoder.search(outputs) == brute_force(outputs, decoder, settings)


def test_one_decoder_reads_many_lines_each_as_if_it_were_the_first(tables: beam.LanguageTables) -> None:
    """The search's working memory carries nothing from one line to the next."""
    lines = [random_outputs(seed, steps) for seed, steps in enumerate((9, 3, 14, 1, 6))]
    shared = beam.BeamDecoder(tables, CODEC)
    assert [shared(line) for line in lines] == [beam.BeamDecoder(tables, CODEC)(line) for line in lines]


def test_where_the_network_is_certain_the_beam_reads_what_greedy_reads(tables: beam.LanguageTables) -> None:
    """The language changes nothing there, and labels have the same steps."""
    outputs = np.full((4, 9), 1e-6, np.float32)
    for step, label in enumerate([0, 1, 1, 0, 1, 2, 0, 3, 0]):
        outputs[label, step] = 1 - 3e-6
    assert beam.BeamDecoder(tables, CODEC)(outputs) == decode.greedy(outputs)


def test_the_language_model_decides_where_the_network_is_uncertain(tables: beam.LanguageTables) -> None:
    """Between a known word and an unknown one that looks slightly better, the beam reads the known one."""
    outputs = np.full((4, 5), 1e-4, np.float32)
    outputs[0, [0, 2, 4]] = 1
    outputs[[1, 2], 1] = 0.5, 0.5
    outputs[[1, 2], 3] = 0.55, 0.45
    outputs /= outputs.sum(axis=0)
    decoder = beam.BeamDecoder(tables, CODEC, SearchSettings(weight=1.0, bonus=0.0))
    assert decoder.search(outputs) in {(1, 2), (2, 1)}
    assert [label.label for label in decode.greedy(outputs)] == [1, 1]


def test_a_line_without_ink_has_no_text(tables: beam.LanguageTables) -> None:
    """Blanks alone are the empty text; a label that the codec lacks is never read."""
    outputs = np.full((9, 4), 1e-6, np.float32)
    outputs[0] = 1
    outputs[8, 2] = 0.9
    assert beam.BeamDecoder(tables, CODEC)(outputs[:4]) == []
    assert beam.BeamDecoder(tables, CODEC)(outputs) == []


def test_an_alignment_is_the_best_over_all_paths() -> None:
    """The steps given to labels are those of the most probable path of the text."""
    for seed in range(12):
        outputs = random_outputs(seed)
        for text in ((1,), (1, 1), (1, 2), (3, 2, 3)):
            paths = [path for path in itertools.product(range(4), repeat=5) if collapse(path) == text]
            best = max(paths, key=lambda path: math.prod(float(outputs[v, t]) for t, v in enumerate(path)))
            runs = [(label, list(run)) for label, run in itertools.groupby(range(5), key=lambda t: best[t])]
            spans = [(label, run[0], run[-1]) for label, run in runs if label != 0]
            assert [(label.label, label.start, label.end) for label in beam.align(text, outputs)] == spans


@pytest.mark.parametrize("name", ["words", "running"])
def test_probabilities_after_any_context_sum_to_one(language: LanguageModel, name: str) -> None:
    """Backing off loses and invents nothing, but for the steps of the stored bytes."""
    table, symbols = hashed(getattr(language, name)), set(language.symbols.values())
    for length in range(4):
        for text in itertools.product(symbols, repeat=length):
            context = np.uint64(language_model.pack(text))
            total = sum(math.exp(log_probability(table, context, symbol)) for symbol in symbols)
            assert total == pytest.approx(1, abs=0.03)


def test_running_text_tells_which_word_follows(tables: beam.LanguageTables) -> None:
    """In display order the next word comes first: after its space the words that precede it are likely."""
    decoder = beam.BeamDecoder(tables, CODEC, SearchSettings(running_share=1.0, unknown_share=0.0))
    label = {character: number for number, character in CODEC.l2c_single.items()}
    known = [label[character] for character in decode.to_display("אב בא")]
    swapped = [label[character] for character in decode.to_display("בא אב")]
    assert decoder.log_probability(known) > decoder.log_probability(swapped) + 0.5


def test_an_unknown_word_costs_no_more_than_its_spelling(language: LanguageModel) -> None:
    """A name is not read as a known word because each of its letters is improbable."""
    tables, word = beam.LanguageTables(language), [2, 2, 2, 2, 2, 2]
    strict, lenient = (
        beam.BeamDecoder(tables, CODEC, replace(language.settings, unknown_share=share)) for share in (0, 0.2)
    )
    spelled = math.log(0.2) + 6 * float(language.spelling[language.symbols["ב"]])
    assert strict.log_probability(word) < spelled - 3
    assert lenient.log_probability(word) == pytest.approx(spelled, abs=0.1)


def test_digits_share_one_symbol_and_its_probability() -> None:
    """A number is as likely as any other of its form."""
    model = training.train({"00": 0.5, "א": 0.5}, RUNNING, "א 0123456789")
    assert len({model.symbols[digit] for digit in "0123456789"}) == 1
    assert model.shares["7"] == pytest.approx(-math.log(10))
    codec = SimpleNamespace(l2c_single=dict(enumerate("0123456789", start=1)))
    decoder = beam.BeamDecoder(beam.LanguageTables(model), codec)
    assert decoder.log_probability([2, 3]) == pytest.approx(decoder.log_probability([9, 9]))


def test_confidences_are_probabilities_by_the_calibration(language: LanguageModel) -> None:
    """A calibrated search reads the same text; a certainty c becomes sigmoid(slope * logit(c) + offset)."""
    outputs = np.full((len(CODEC.l2c_single) + 1, 3), 0.01, dtype=np.float32)
    outputs[0], outputs[1] = (0.1, 0.9, 0.1), (0.8, 0.05, 0.1)
    outputs[2] = (0.05, 0.02, 0.7)
    plain, calibrated = (
        beam.BeamDecoder(beam.LanguageTables(replace(language, calibration=calibration)), CODEC)(outputs)
        for calibration in (Calibration(), Calibration(slope=0.5, offset=1.0))
    )
    assert [label[:3] for label in plain] == [label[:3] for label in calibrated]
    assert plain
    for before, after in zip(plain, calibrated, strict=True):
        logit = 0.5 * math.log(before.confidence / (1 - before.confidence)) + 1.0
        assert after.confidence == pytest.approx(1 / (1 + math.exp(-logit)))


def test_a_language_model_survives_its_file(language: LanguageModel, tmp_path: Path) -> None:
    """Writing and reading keep everything."""
    path = tmp_path / "language.npz"
    language = replace(language, calibration=Calibration(0.7, 1.5))
    language_model.write(language, path)
    stored = language_model.read(path)
    for name in ("symbols", "marks", "settings", "calibration"):
        assert getattr(stored, name) == getattr(language, name)
    for name in ("words", "running"):
        before, after = getattr(language, name), getattr(stored, name)
        assert after.order == before.order
        assert np.array_equal(after.keys, before.keys)
        assert np.array_equal(after.logs, before.logs)
        assert np.array_equal(after.backoffs, before.backoffs)


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04", b"\x80\x04pickle"])
def test_a_damaged_language_model_is_refused(damage: bytes, tmp_path: Path) -> None:
    """Anything that is not the expected arrays is an unusable model, pickles included."""
    path = tmp_path / "language.npz"
    path.write_bytes(damage)
    with pytest.raises(UnusableModelError):
        language_model.read(path)


@pytest.mark.parametrize(
    "change",
    [{"symbols": {"א": 1}}, {"symbols": {" ": 200}}, {"spelling": np.zeros(3, np.float32)}],
    ids=["no space", "a symbol out of range", "too few spellings"],
)
def test_a_language_model_that_would_break_the_search_is_refused(
    language: LanguageModel, change: dict[str, object], tmp_path: Path
) -> None:
    """The compiled search checks no bounds: the file's numbers are checked when it is read."""
    path = tmp_path / "language.npz"
    shares = {"shares": dict.fromkeys(change["symbols"], 0.0)} if "symbols" in change else {}  # type: ignore[call-overload]
    language_model.write(replace(language, **change, **shares), path)  # type: ignore[arg-type]
    with pytest.raises(UnusableModelError):
        language_model.read(path)


def test_text_like_the_training_costs_fewer_bits_than_text_unlike_it(language: LanguageModel) -> None:
    """Cross-entropy tells a known word from letters in another order."""
    assert training.bits(language, ["אב אב"]) < 1.5 < training.bits(language, ["אאא בבב"])


@pytest.mark.kraken
def test_an_engine_takes_the_language_model_it_is_pointed_to(language: LanguageModel, tmp_path: Path) -> None:
    """The engine reads the file when it is built; it refuses a damaged one then, not at the first page."""
    path = tmp_path / "language.npz"
    language_model.write(language, path)
    assert make_engine("kraken", path).find_lines(np.full((9, 9), 255, np.uint8), "page") == ()
    path.write_bytes(b"damage")
    with pytest.raises(UnusableModelError):
        make_engine("kraken", path)
