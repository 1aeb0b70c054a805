"""The split for validation: writers, words and verses of one part are never in the other."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from ketav_basemodel.corpora import bible_verses, is_held_out, modern_words, part_of
from ketav_basemodel.language_model import biblical_words
from ketav_basemodel.letters import CLASSES, MISLABELLED, held_out, load_collection

VERSE = '<verse osisID="Gen.1.{n}"><w>{words}</w></verse>'


def _collection(folder: Path, writers: range) -> Path:
    """Write a collection of letters in which each writer's strokes have a width of their own."""
    for index in range(len(CLASSES)):
        (folder / str(index)).mkdir(parents=True)
        for writer in writers:
            image = np.full((40, 40), 255, dtype=np.uint8)
            image[5:35, 5 : 10 + writer % 20] = 0
            image[5 + index : 8 + index, 5:35] = 0
            cv2.imwrite(str(folder / str(index) / f"{index}_{writer}.png"), image)
    return folder


def test_a_held_out_writer_neither_writes_nor_lends_in_training(tmp_path: Path) -> None:
    """Alphabets and lenders of training have no held-out writer; validation has them alone."""
    writers = range(40)
    validation = {writer for writer in writers if held_out(writer)}
    assert 0 < len(validation) < 10
    folder = _collection(tmp_path, writers)
    for part, own in (("training", set(writers) - validation), ("validation", validation)):
        collection = load_collection([folder], part)  # type: ignore[arg-type]  # both are parts
        assert set(collection.alphabets) == own
        assert {other for lenders in collection.similar.values() for other in lenders} <= own


def test_mislabelled_writers_are_in_no_part(tmp_path: Path) -> None:
    """Writers whose files have wrong letters are left out, also when both parts are read."""
    writers = range(min(MISLABELLED) - 3, max(MISLABELLED) + 3)
    collection = load_collection([_collection(tmp_path, writers)], None)
    assert set(writers) - collection.alphabets.keys() == MISLABELLED
    assert not MISLABELLED & {other for others in collection.similar.values() for other in others}


def test_two_folders_are_one_collection(tmp_path: Path) -> None:
    """A writer with letters in both folders has one alphabet; without any letter there is an error."""
    folders = [_collection(tmp_path / "one", range(4)), _collection(tmp_path / "two", range(2, 6))]
    assert set(load_collection(folders, None).alphabets) == set(range(6))
    with pytest.raises(FileNotFoundError, match="no letters"):
        load_collection([tmp_path / "none"], None)


def test_a_verse_belongs_to_one_part(tmp_path: Path) -> None:
    """Together the parts have every verse, and none is in both."""
    verses = "".join(VERSE.format(n=n, words="א" * (n % 20 + 1) + "ב" * (n // 20 + 1)) for n in range(1, 200))
    xml = f'<osis xmlns="http://www.bibletechnologies.net/2003/OSIS/namespace">{verses}</osis>'
    (tmp_path / "Gen.xml").write_text(xml, encoding="utf-8")
    training, validation = (
        {" ".join(verse) for verse in bible_verses(tmp_path, part)} for part in ("training", "validation")
    )
    assert not training & validation
    assert len(training) + len(validation) == 199
    assert len(validation) > 5


def test_rarer_words_are_held_out_and_common_ones_are_not() -> None:
    """A tenth of the rarer words is kept from training."""
    training, everything = modern_words(5000), modern_words(5000, "validation")
    held_out_words = everything.keys() - training.keys()
    assert training.keys() <= everything.keys()
    assert all(is_held_out(word, everything[word]) for word in held_out_words)
    assert 0.05 < len(held_out_words) / len(everything) < 0.15
    assert "של" in training


def test_the_language_model_counts_no_held_out_word_and_no_evaluation_verse() -> None:
    """Rare words of verses follow the same hash; a verse with a forbidden triple is left out."""
    known = modern_words(600_000, "validation")
    rare = [f"{a}{b}{c}" for a in "קרשת" for b in "בגד" for c in "זחט"]
    verses = [[word, "של"] for word in rare] + [["אחת", "שתים", "שלוש", "ארבע"]]
    counts = biblical_words(verses, {("שתים", "שלוש", "ארבע")})
    held_out_words = {word for word in rare if is_held_out(word, known.get(word, 0.0))}
    assert held_out_words
    assert counts == {"של": float(len(rare))} | {word: 1.0 for word in rare if word not in held_out_words}


def test_the_split_never_changes() -> None:
    """The hash is fixed: these writers and this verse keep their part."""
    assert [writer for writer in range(30) if held_out(writer)] == [3, 22, 26, 29]
    assert part_of("בראשית ברא אלהים את השמים ואת הארץ") == "training"
