"""The character language model of the beam search: two n-gram tables, the classes of characters, the weights.

Text is scored in display order, left to right, as a network writes it. The probability of a symbol is a
mixture of two n-gram models: `words` knows single words (its contexts begin with each word), `running` knows
running text (its contexts cross word boundaries). A word can also be unknown: then the unigram probabilities
`spelling` give the probability of its letters. The digits share one symbol, and so do the Latin small letters
and the Latin capital letters: a number is as probable as any other number of the same form.
"""

import io
import math
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ketav_engine.domain import UnusableModelError

SYMBOL_BITS: Final = 7
"""Bits of one symbol in a packed n-gram."""
MAX_SYMBOLS: Final = (1 << SYMBOL_BITS) - 1
MAX_ORDER: Final = 8
"""Longest n-gram that fits into 64 bits together with the leading one that marks its length."""
LOG_STEP: Final = 0.05
"""Natural logarithms are stored as bytes in steps of this: 255 means exp(-12.75)."""
UNSEEN_LOG: Final = math.log(1e-5)
"""Logarithm of the probability of a symbol that no table holds."""
MIN_CERTAINTY: Final = 1e-6
"""Certainties are kept this far from 0 and 1, whose logits are infinite."""
MAX_FILE_BYTES: Final = 16 * 2**20
_FORMAT: Final = 3

Keys = NDArray[np.uint64]
Logs = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class NgramTable:
    """A back-off n-gram model (Katz 1987).

    `keys` (N,) are packed n-grams in ascending order: the first symbol in the highest bits, after a leading
    one. `logs` (N,) hold -log p(last symbol | the symbols before it) and `backoffs` (N,) -log of the back-off
    weight of the n-gram as a context, both in steps of `LOG_STEP`.
    """

    order: int
    keys: Keys
    logs: Logs
    backoffs: Logs


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """The weights and limits of the beam search; a language model's file holds those fitted with it."""

    weight: float = 0.8
    """Exponent of the language model's probability."""
    bonus: float = 1.6
    """Added to the logarithm for each character, against the language model's preference for short texts."""
    running_share: float = 0.35
    """Share of the running-text model in the mixture with the word model, 0 to 1."""
    unknown_share: float = 0.05
    """Probability that a word is unknown, 0 to 1."""
    width: int = 32
    """Hypotheses kept after each step."""
    min_probability: float = 5e-3
    """Labels less probable than this at a step do not extend hypotheses."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Turns the network's certainty of a character into the probability that the character is correct.

    The search outputs characters that the network alone would not, and the network's certainty knows nothing
    of the language, so it is too low. The probability is sigmoid(slope * logit(certainty) + offset): Platt,
    Probabilistic Outputs for Support Vector Machines, 1999.
    """

    slope: float = 1.0
    offset: float = 0.0

    def probability(self, certainty: float) -> float:
        """Return the probability for a certainty, both from 0 to 1."""
        bounded = min(max(certainty, MIN_CERTAINTY), 1 - MIN_CERTAINTY)
        logit = self.slope * math.log(bounded / (1 - bounded)) + self.offset
        return 1 / (1 + math.exp(-logit))


@dataclass(frozen=True, slots=True, eq=False)
class LanguageModel:
    """A language model with the settings of the search and the calibration that were fitted with it."""

    symbols: Mapping[str, int]
    """The symbol of each character, from 1; the characters of a class share one."""
    shares: Mapping[str, float]
    """Logarithm of a character's share in its class; 0 for a character that has a symbol of its own."""
    marks: frozenset[int]
    """Symbols of the marks around words: after one a word begins as after a space."""
    words: NgramTable
    running: NgramTable
    spelling: NDArray[np.float32]
    """Logarithm of each symbol's probability within an unknown word, shape (MAX_SYMBOLS + 1,)."""
    settings: SearchSettings = SearchSettings()
    calibration: Calibration = Calibration()


def pack(symbols: tuple[int, ...]) -> int:
    """Pack symbols into one integer below 2**64, with a leading one that marks the length."""
    key = 1
    for symbol in symbols:
        key = key << SYMBOL_BITS | symbol
    return key


def quantised(logs: NDArray[np.float64]) -> Logs:
    """Return natural logarithms (at most 0) in stored form."""
    return np.clip(np.rint(-logs / LOG_STEP), 0, 255).astype(np.uint8)


def write(model: LanguageModel, path: Path) -> None:
    """Write a model as a compressed npz of numbers; reading one needs no pickle."""
    characters = list(model.symbols)
    arrays: dict[str, NDArray[np.generic]] = {
        "format": np.array(_FORMAT),
        "characters": np.array([ord(character) for character in characters], dtype=np.uint32),
        "symbols": np.array([model.symbols[character] for character in characters], dtype=np.uint8),
        "shares": np.array([model.shares[character] for character in characters], dtype=np.float32),
        "marks": np.array(sorted(model.marks), dtype=np.uint8),
        "spelling": model.spelling,
        "settings": np.array(astuple(model.settings), dtype=np.float64),
        "calibration": np.array(astuple(model.calibration), dtype=np.float64),
    }
    for name, table in (("words", model.words), ("running", model.running)):
        arrays[f"{name}_order"] = np.array(table.order)
        arrays[f"{name}_keys"] = np.diff(table.keys, prepend=np.uint64(0))
        arrays[f"{name}_logs"], arrays[f"{name}_backoffs"] = table.logs, table.backoffs
    np.savez_compressed(path, allow_pickle=False, **arrays)


def read(path: Path) -> LanguageModel:
    """Read a model. Raises UnusableModelError when the file is no language model of this format."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            if int(arrays["format"]) != _FORMAT:
                raise UnusableModelError(
                    "The language model has another format. Use the one of this version."
                )
            model = _from_arrays(arrays)
    except (OSError, EOFError, KeyError, ValueError, TypeError, zipfile.BadZipFile, zlib.error) as error:
        raise UnusableModelError(f"{path.name} is not a language model. Use hebrew_lm.npz.") from error
    _require_sound(model)
    return model


def _from_arrays(arrays: Mapping[str, NDArray[np.generic]]) -> LanguageModel:
    """Return the model that a file's arrays describe."""
    characters = [chr(int(point)) for point in arrays["characters"]]
    weight, bonus, running_share, unknown_share, width, min_probability = arrays["settings"].tolist()
    return LanguageModel(
        dict(zip(characters, arrays["symbols"].tolist(), strict=True)),
        dict(zip(characters, arrays["shares"].tolist(), strict=True)),
        frozenset(arrays["marks"].tolist()),
        _table(arrays, "words"),
        _table(arrays, "running"),
        arrays["spelling"].astype(np.float32),
        SearchSettings(weight, bonus, running_share, unknown_share, int(width), min_probability),
        Calibration(*arrays["calibration"].tolist()),
    )


def _table(arrays: Mapping[str, NDArray[np.generic]], name: str) -> NgramTable:
    """Return one n-gram table of a file."""
    keys = np.cumsum(arrays[f"{name}_keys"], dtype=np.uint64)
    logs, backoffs = arrays[f"{name}_logs"].astype(np.uint8), arrays[f"{name}_backoffs"].astype(np.uint8)
    if not len(keys) == len(logs) == len(backoffs):
        raise ValueError("an n-gram without a logarithm")
    return NgramTable(int(arrays[f"{name}_order"]), keys, logs, backoffs)


def _require_sound(model: LanguageModel) -> None:
    """Raise UnusableModelError when the search could not use a model: it indexes arrays by symbols."""
    table_orders = {model.words.order, model.running.order}
    symbols = {*model.symbols.values(), *model.marks}
    sound = (
        " " in model.symbols
        and all(0 < symbol <= MAX_SYMBOLS for symbol in symbols)
        and all(2 <= order <= MAX_ORDER for order in table_orders)
        and model.spelling.shape == (MAX_SYMBOLS + 1,)
        and 1 <= model.settings.width <= 1024
    )
    if not sound:
        raise UnusableModelError("The language model is damaged. Use the file that came with this version.")
