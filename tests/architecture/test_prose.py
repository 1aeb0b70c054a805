"""The prose check finds rejected words in each kind of text, and the repository passes it."""

from pathlib import Path

import pytest

from tools.prose.__main__ import WORDS, main
from tools.prose.pieces import pieces
from tools.prose.words import Problem, Words

WORD_LISTS = Words.load(WORDS)


def problems(name: str, source: str) -> list[Problem]:
    """Return the problems of a file with this name and content."""
    return [problem for piece in pieces(Path(name), source) for problem in WORD_LISTS.problems(piece)]


def test_the_repository_passes_the_prose_check() -> None:
    """The repository has no rejected word and no misspelling."""
    assert main([]) == 0


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("a.md", "One line.\nThe database is a@way.\n"),
        ("a.py", "x = 1\n# It is a@new here.\n"),
        ("a.py", '"""Module.\n\nIt is kept be@side the page.\n"""\n'),
        ("a.py", "x = 1\nraise ValueError(f'the {x} was to@ld so')\n"),
        ("a.proto", "x\n// No@body calls it.\n"),
        ("Makefile", "x:\n# the rule now and@ then\n"),
        ("a.py", "x = 1\nfo@und = 2\n"),
        ("a.py", "x = 1\ndef f(wan@ted): pass\n"),
        ("a.py", "x = 1\nclass Work@shop: pass\n"),
        ("a.py", 'x = 1\ndef f(): "Gi@ve a number."\n'),
    ],
)
def test_a_rejected_word_is_reported_with_its_line(name: str, source: str) -> None:
    """Documents, comments, docstrings, messages, parameters, classes (an @ keeps this file itself clean)."""
    assert [problem.line for problem in problems(name, source.replace("@", ""))][:1] in ([2], [3])


def test_a_phrase_is_reported_across_a_line_break() -> None:
    """Texts are wrapped; the reported line is the one on which the phrase begins."""
    text = "A correction is based on the text.\nIt re@sts\non a line.\n".replace("@", "")
    assert [(problem.line, problem.word) for problem in problems("a.md", text)] == [(2, "rests on")]


@pytest.mark.parametrize(
    "text",
    [
        "PostgreSQL runs as nobody.",
        "The lines found by the engine are read; each line is kept in memory.",
        "`make run` prints `told` and https://example.org/away.",
        "By hand, in the hand of a writer.",
    ],
)
def test_plain_sentences_and_code_are_not_reported(text: str) -> None:
    """A list that forces unnatural sentences would be worse than none."""
    assert problems("a.md", text) == []


def test_the_sentences_of_tests_may_begin_as_they_like() -> None:
    """A test's docstring states a fact; other docstrings begin with a verb or a noun."""
    source = 'def {}():\n    "What is stored is shown."\n'
    assert problems("a.py", source.format("test_a")) == []
    assert [problem.word for problem in problems("a.py", source.format("a"))] == ["What"]
