"""The words of a user: counted within bounds, stored with the model of their lines, read more easily."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from ketav_basemodel import language_model as training
from ketav_basemodel.running_text import RunningText
from ketav_common.limits import MAX_MODEL_HEADER_BYTES
from ketav_engine.domain import FitOptions, FitProgress, Image, TrainingLine, UnusableModelError
from ketav_engine.recognition import beam, decode, user_words
from ketav_engine.recognition.language_model import LanguageModel, SearchSettings

ALPHABET = "אבג ."
CODEC = SimpleNamespace(l2c_single={1: "א", 2: "ב", 3: "ג", 4: " ", 5: "."})
LABELS = {character: label for label, character in CODEC.l2c_single.items()}
SPEC = "[1,48,0,1 Cr3,3,8 Mp2,2 Cr3,3,16 Mp4,2 S1(1x0)1,3 Lbx24]"
HALF_FULL = user_words.FULL_SHARE_WORDS // 2


@pytest.fixture(scope="module")
def language() -> LanguageModel:
    """Train on a few words; ג is in none of them."""
    words = {"אב": 0.5, "בא": 0.3, "אבא": 0.2}
    return training.train(words, RunningText(comments=[], sentences=["אב בא"], verses=[]), ALPHABET)


def labels_of(text: str) -> list[int]:
    """Return the labels of a text in display order."""
    return [LABELS[character] for character in decode.to_display(text)]


def test_words_are_counted_in_display_order_without_marks() -> None:
    """A word before a full stop is the word."""
    counts = user_words.count_words(["אב גד.", "(אב), 12 אב"])
    assert counts == {"בא": 3, "דג": 1, "12": 1}


def test_a_model_holds_the_most_frequent_words_and_no_endless_one() -> None:
    """However much a user writes, the file's header remains within its limit."""
    letters = "אבגדהוזחטיכלמנסעפצקר"
    numbers = range(user_words.MAX_WORDS + 50)
    words = ["".join(letters[number // 20**digit % 20] for digit in range(24)) for number in numbers]
    counts = user_words.count_words([*words, words[-1], "א" * (user_words.MAX_WORD_CHARACTERS + 1)])
    assert len(counts) == user_words.MAX_WORDS
    assert max(counts, key=counts.__getitem__) == decode.to_display(words[-1])
    assert max(map(len, counts)) == user_words.MAX_WORD_CHARACTERS
    largest = dict.fromkeys(counts, user_words.MAX_COUNT)
    escaped_twice = json.dumps(json.dumps(largest, ensure_ascii=False), ensure_ascii=False)
    assert len(escaped_twice.encode()) < MAX_MODEL_HEADER_BYTES / 2


@pytest.mark.parametrize(
    "words",
    [
        ["אב"],
        {"": 1},
        {"א" * (user_words.MAX_WORD_CHARACTERS + 1): 1},
        {"אב": 0},
        {"אב": 1.5},
        {"אב": True},
        {str(number): 1 for number in range(user_words.MAX_WORDS + 1)},
    ],
)
def test_a_file_whose_words_are_no_bounded_counts_is_refused(words: object) -> None:
    """A file from elsewhere fills no memory, and the search gets logarithms of positive numbers."""
    with pytest.raises(UnusableModelError, match="word"):
        user_words.checked_words(words)


def test_the_trie_gives_each_word_its_share_and_each_beginning_the_sum(language: LanguageModel) -> None:
    """With half the words of the full share, half the largest share is added in total."""
    counts = {"בא": HALF_FULL - 10, "אבג": 6, "ג": 4, "ש": 7}  # ש is no character of the network
    trie = user_words.build_trie(counts, CODEC)
    complete = {text: math.exp(_node(trie, text)["complete"]) for text in ("בא", "אבג", "ג", "ב")}
    assert complete["ב"] == 0
    assert complete["אבג"] == pytest.approx(user_words.MAX_SHARE * 6 / user_words.FULL_SHARE_WORDS)
    assert sum(complete.values()) == pytest.approx(user_words.MAX_SHARE / 2)
    assert math.exp(_node(trie, "ב")["begins"]) == pytest.approx(complete["בא"])
    assert _node(trie, "בב") == trie[user_words.NO_WORD]
    assert user_words.build_trie({}, CODEC).shape == user_words.NO_WORDS.shape


def _node(trie: user_words.Trie, text: str) -> np.void:
    """Return the node of a text in display order."""
    index = user_words.WORD_START
    for character in text:
        index = user_words.next_user_node(trie, index, LABELS[character])
    node: np.void = trie[index]
    return node


def test_the_words_of_the_user_gain_and_no_other_text_loses(language: LanguageModel) -> None:
    """Texts without such a word are exactly as probable as before, with marks and in any position."""
    tables = beam.LanguageTables(language)
    plain = beam.BeamDecoder(tables, CODEC)
    own = beam.BeamDecoder(tables, CODEC, user_words=user_words.build_trie({"גגב": HALF_FULL}, CODEC))
    for text in ("בגג", "אב בגג.", "בגג בא"):
        assert own.log_probability(labels_of(text)) > plain.log_probability(labels_of(text)) + 1
    for text in ("אב", "אב בא.", "אבא גגא", "גבג בא"):
        assert own.log_probability(labels_of(text)) == pytest.approx(plain.log_probability(labels_of(text)))


def test_between_two_unknown_words_the_search_reads_the_one_of_the_user(language: LanguageModel) -> None:
    """The network slightly prefers the other one."""
    outputs = np.full((6, 5), 1e-4, np.float32)
    outputs[0, [0, 2, 4]] = 1
    outputs[[2, 3], 1] = 0.45, 0.55
    outputs[3, 3] = 1
    outputs /= outputs.sum(axis=0)
    tables, settings = beam.LanguageTables(language), SearchSettings(weight=1.0, bonus=0.0)
    own = user_words.build_trie({"בג": HALF_FULL}, CODEC)
    other = user_words.build_trie({"גג": HALF_FULL}, CODEC)
    assert beam.BeamDecoder(tables, CODEC, settings, own).search(outputs) == (2, 3)
    assert beam.BeamDecoder(tables, CODEC, settings, other).search(outputs) == (3, 3)


@pytest.fixture(scope="module")
def parent() -> Iterator[bytes]:
    """Save an untrained network that holds a word, as the model of a user would."""
    import torch

    from ketav_engine import models

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        yield models.save(models.build(SPEC, ALPHABET), {"temperature": 1.5, models.WORDS_KEY: {"בא": 9}})


@pytest.mark.kraken
def test_a_candidate_holds_the_words_of_its_training_lines_alone(parent: bytes) -> None:
    """Not those of held-out lines, which judge it, of other writers, or of the lines of its parent.

    So a held-out text is not read with its own words, and a deleted line's words end with its versions.
    """
    from ketav_engine import models
    from ketav_engine.training import blend, fit

    model = models.load(parent)
    lines, holdout, replay = ([_line(text)] for text in ("אב אב", "גב", "גא"))
    result = fit.fit(model, lines, holdout, replay, FitOptions(epochs=1), _proceed)
    tuned = models.load(result.content)
    assert tuned.metadata == {"temperature": 1.5, models.WORDS_KEY: {"בא": 2}}
    assert result.words == 1
    assert models.load(blend.blended_file(model, tuned, 0.5)).metadata == tuned.metadata
    assert model.metadata[models.WORDS_KEY] == {"בא": 9}


@pytest.mark.kraken
def test_lines_are_read_with_the_words_of_the_model_that_reads(
    parent: bytes, language: LanguageModel
) -> None:
    """The recognizer and the gate give a model to the same engine, so both read with its words."""
    from ketav_engine import models
    from ketav_engine.kraken_engine import KrakenEngine

    engine, net = KrakenEngine(language), models.load(parent).net
    lines = [_line("אבגאב").image, _line("גגג").image]
    readings = {
        word: engine.read_lines(lines, models.wrap(net, {models.WORDS_KEY: {word: HALF_FULL}}))
        for word in ("גגגג", "בב")
    }
    without = engine.read_lines(lines, models.wrap(net, {}))
    assert readings["גגגג"] != readings["בב"]
    assert without == engine.read_lines(lines, models.wrap(net, {models.WORDS_KEY: {}}))


@pytest.mark.kraken
def test_an_imported_model_has_no_words(parent: bytes, tmp_path: Path) -> None:
    """It serves every user; the rest of its metadata stays."""
    from ketav_engine import models
    from ketav_engine.models.importing import convert

    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(parent)
    convert(source, target)
    assert models.load(target.read_bytes()).metadata == {"temperature": 1.5}


def _line(text: str) -> TrainingLine:
    """Return a noisy line that is long enough for a text."""
    noise: Image = np.random.default_rng(len(text)).integers(0, 255, (48, 60 * len(text)), dtype=np.uint8)
    return TrainingLine(noise, text)


def _proceed(_: FitProgress) -> bool:
    """Continue the fit."""
    return True
