"""The beam search agrees with brute force, and the language model is a probability."""

import functools
import itertools
import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from ketav_basemodel import lm
from ketav_engine.domain import UnusableModelError
from ketav_engine.engines import make_engine
from ketav_engine.recognition import beam, decode, ngram

ALPHABET = "אב ."
CODEC = SimpleNamespace(l2c_single={1: "א", 2: "ב", 3: " "})


@pytest.fixture(scope="module")
def language() -> ngram.Ngram:
    """Train on a few words."""
    return lm.train({"אב": 0.5, "בא": 0.3, "אבא": 0.2}, ALPHABET, order=4)


def random_outputs(seed: int, steps: int = 5) -> decode.Probabilities:
    """Draw outputs of three labels and the blank, not too flat."""
    logits = np.random.default_rng(seed).normal(0, 2, (4, steps))
    shares = np.exp(logits) / np.exp(logits).sum(axis=0)
    return np.asarray(shares, dtype=np.float32)


def collapse(path: tuple[int, ...]) -> tuple[int, ...]:
    """Join repeats and drop blanks."""
    return tuple(label for label, _ in itertools.groupby(path) if label != 0)


def brute_force(
    outputs: decode.Probabilities, language: ngram.Ngram, options: beam.BeamOptions
) -> tuple[int, ...]:
    """Sum the probability of every path of each text and weigh it with the language model."""
    seen: dict[tuple[int, ...], float] = {}
    for path in itertools.product(range(4), repeat=outputs.shape[1]):
        share = float(np.prod([outputs[label, step] for step, label in enumerate(path)]))
        seen[collapse(path)] = seen.get(collapse(path), 0.0) + share

    def score(text: tuple[int, ...]) -> float:
        """Weigh one text."""
        total, context = 0.0, language.start()
        for label in text:
            symbol = language.symbols[CODEC.l2c_single[label]]
            total += language.score(context, symbol)
            context = language.extend(context, symbol)
        return math.log(seen[text]) + options.weight * total + options.bonus * len(text)

    return max(seen, key=score)


@pytest.mark.parametrize("weight", [0.0, 0.5, 1.5])
def test_a_wide_beam_finds_what_brute_force_finds(language: ngram.Ngram, weight: float) -> None:
    """On short outputs the best text over all paths is found, with and without the language."""
    options = beam.BeamOptions(weight=weight, bonus=0.3, width=100_000, min_probability=0.0)
    for seed in range(12):
        outputs = random_outputs(seed)
        text = beam.BeamDecoder(language, CODEC, options).search(outputs)
        assert text == brute_force(outputs, language, options)


def test_where_the_network_is_certain_the_beam_search_equals_greedy_decoding(language: ngram.Ngram) -> None:
    """The language model then changes neither the labels nor their steps."""
    outputs = np.full((4, 9), 1e-6, np.float32)
    for step, label in enumerate([0, 1, 1, 0, 1, 2, 0, 3, 0]):
        outputs[label, step] = 1 - 3e-6
    assert beam.BeamDecoder(language, CODEC)(outputs) == decode.greedy(outputs)


def test_the_language_model_decides_where_the_network_is_uncertain(language: ngram.Ngram) -> None:
    """Between a known word and an unknown one that looks slightly better, the known one is read."""
    outputs = np.full((4, 5), 1e-4, np.float32)
    outputs[0, [0, 2, 4]] = 1
    outputs[[1, 2], 1] = 0.5, 0.5
    outputs[[1, 2], 3] = 0.55, 0.45
    outputs /= outputs.sum(axis=0)
    decoder = beam.BeamDecoder(language, CODEC, beam.BeamOptions(weight=1.0, bonus=0.0))
    assert decoder.search(outputs) in {(1, 2), (2, 1)}
    assert [label.label for label in decode.greedy(outputs)] == [1, 1]


def test_alignment_is_the_best_over_all_paths(language: ngram.Ngram) -> None:
    """The steps given to labels are those of the most probable path of the text."""
    del language
    for seed in range(12):
        outputs = random_outputs(seed)
        for text in ((1,), (1, 1), (1, 2), (3, 2, 3)):
            paths = [path for path in itertools.product(range(4), repeat=5) if collapse(path) == text]
            best = max(paths, key=lambda path: math.prod(float(outputs[v, t]) for t, v in enumerate(path)))
            runs = [(label, list(run)) for label, run in itertools.groupby(range(5), key=lambda t: best[t])]
            spans = [(label, run[0], run[-1]) for label, run in runs if label != 0]
            assert [(label.label, label.start, label.end) for label in beam.align(text, outputs)] == spans


def test_probabilities_after_any_context_sum_to_one(language: ngram.Ngram) -> None:
    """Backing off preserves the total probability."""
    for length in range(4):
        for text in itertools.product(language.symbols.values(), repeat=length):
            context = functools.reduce(language.extend, text, language.start())
            total = sum(math.exp(language.score(context, symbol)) for symbol in language.symbols.values())
            assert total == pytest.approx(1, abs=1e-6)


def test_a_language_model_survives_its_file(language: ngram.Ngram, tmp_path: Path) -> None:
    """Writing and reading keep every probability to within a step of the stored bytes."""
    path = tmp_path / "language.npz"
    ngram.write(language, path)
    stored = ngram.read(path)
    for text in ("אב", "בא אב", "ב"):
        context = language.start()
        for character in text:
            symbol = language.symbols[character]
            assert stored.score(context, symbol) == pytest.approx(language.score(context, symbol), abs=0.15)
            context = language.extend(context, symbol)


def test_after_a_sign_a_word_begins_as_after_a_space(language: ngram.Ngram) -> None:
    """In display order a closing sign comes first; the letters are as likely with it as without."""
    space, sign, letter = (language.symbols[character] for character in " .ב")
    plain = language.extend(language.start(), letter)
    signed = language.extend(language.extend(language.start(), sign), letter)
    assert plain == signed == ngram.pack((space, letter))
    assert language.extend(plain, space) == language.start()


def test_a_context_has_fewer_symbols_than_the_order(language: ngram.Ngram) -> None:
    """A word longer than the order pushes its own first letters out."""
    first, second = language.symbols["א"], language.symbols["ב"]
    context = functools.reduce(language.extend, [first, second, second, second], language.start())
    assert context == ngram.pack((second, second, second))


def test_text_like_the_training_costs_fewer_bits_than_text_unlike_it(language: ngram.Ngram) -> None:
    """The cross-entropy of a known word is lower than that of its letters in another order."""
    assert lm.bits(language, ["אב אב"]) < 1.5 < lm.bits(language, ["אאא בבב"])


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04", b"\x80\x04pickle"])
def test_a_damaged_language_model_is_refused(damage: bytes, tmp_path: Path) -> None:
    """Anything that is not the expected arrays is an unusable model, pickles included."""
    path = tmp_path / "language.npz"
    path.write_bytes(damage)
    with pytest.raises(UnusableModelError):
        ngram.read(path)


def test_words_are_learnt_in_display_order(language: ngram.Ngram) -> None:
    """Hebrew runs from right to left, so a word's last letter is the first that a network writes."""
    context = language.start()
    assert language.score(context, language.symbols["ב"]) > language.score(context, language.symbols["א"]) - 1
    whole = lm.train({"אב": 1.0}, ALPHABET)
    assert whole.score(whole.start(), whole.symbols["ב"]) > math.log(0.5)


@pytest.mark.kraken
def test_an_engine_reads_the_file_of_its_language_model(language: ngram.Ngram, tmp_path: Path) -> None:
    """The file is read when the engine is built; a damaged one is an error then, not at the first page."""
    path = tmp_path / "language.npz"
    ngram.write(language, path)
    assert make_engine("kraken", path).find_lines(np.full((9, 9), 255, np.uint8), "page") == ()
    path.write_bytes(b"damage")
    with pytest.raises(UnusableModelError):
        make_engine("kraken", path)
