"""The figures of the words of users: what they save, and how many of a page's words are known from others."""

from pathlib import Path

import pytest

from bench.user_words import Stage, shares_of_notebook, table


def test_the_table_adds_the_errors_of_all_writers_and_states_how_sure_the_gain_is() -> None:
    """Two writers with ten errors in a hundred characters, of which the words save two each."""
    stages = [Stage(writer, 16, 5, 0.25, 100, [5, 5], [4, 4]) for writer in range(2)]
    *_, row = table(stages).splitlines()
    assert row == "| 16 | 2 | 25 % | 10.00 % | 8.00 % | 20.0 % (20.0 to 20.0) |"


def test_a_word_counts_as_known_if_another_page_of_the_same_text_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lines of a page do not know each other's words; those of the other page count, the rest not."""
    folder = tmp_path / "notebook" / "diary"
    folder.mkdir(parents=True)
    for name, text in (("1_seg0", "שלום עולם"), ("1_seg1", "שלום בית"), ("2_seg0", "שלום גן")):
        (folder / f"{name}.png").write_bytes(b"")
        (folder / f"{name}.gt.txt").write_text(text, "utf-8")
    monkeypatch.setenv("KETAV_BENCH_DATA", str(tmp_path))
    assert shares_of_notebook() == {"diary": {"each": 0.5, "different": 0.4}}
