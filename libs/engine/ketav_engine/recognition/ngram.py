"""A character n-gram model of words in display order, compact on disk and in memory."""

import io
import math
import zipfile
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ketav_engine.domain import UnusableModelError

BITS: Final = 6
"""Bits of one symbol in a packed n-gram."""
MAX_SYMBOLS: Final = (1 << BITS) - 1
"""Characters of a model; symbol 0 is an unknown one."""
MAX_ORDER: Final = 10
"""Longest n-gram that fits into 64 bits together with the leading bit that marks its length."""
_STEP: Final = 0.05
"""Logarithms are stored in steps of this, as bytes."""
_UNKNOWN: Final = math.log(1e-5)
"""Logarithm of the probability of a character that the model does not have."""
_MAX_FILE_BYTES: Final = 8 * 1024 * 1024
"""Bytes of a model file that are read; the shipped one has 3.4 MB."""
_CACHED: Final = 200_000
"""Scores that are cached at most."""
_SYMBOL: Final = (1 << BITS) - 1


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Packed n-grams in ascending order with a logarithm each: 12 bytes an n-gram."""

    keys: "array[int]"
    values: "array[float]"

    def get(self, key: int) -> float | None:
        """Return the logarithm of an n-gram, None when the table does not have it."""
        index = bisect_left(self.keys, key)
        return self.values[index] if index < len(self.keys) and self.keys[index] == key else None


@dataclass(frozen=True, slots=True, eq=False)
class Ngram:
    """Backing-off model: p(c | context) is stored, or backoff(context) times p(c | shorter context).

    An n-gram is packed into an integer, first character in the highest bits, with a leading one. It is read
    in display order, left to right, as a network writes; each word begins with an empty context.
    """

    order: int
    symbols: Mapping[str, int]
    """Character to symbol, from 1."""
    signs: frozenset[int]
    """Symbols of the signs around words: after one of them a word begins as after a space."""
    likely: Table
    """Packed n-gram to natural logarithm of its last character's probability."""
    backoff: Table
    """Packed context to natural logarithm of its backing-off weight."""
    weight: float = 0.25
    """Share of the model's logarithm in a beam search, fitted with the model."""
    bonus: float = 0.4
    """What a character adds in a beam search, fitted with the model."""
    _scores: dict[int, float] = field(default_factory=dict)
    """Cache: the scores of recent packed n-grams."""

    def start(self) -> int:
        """Return the context at the left edge of a line."""
        return pack((self.symbols[" "],))

    def extend(self, context: int, symbol: int) -> int:
        """Return the context after one more symbol: at most `order` - 1 symbols of one word."""
        space = self.symbols[" "]
        if symbol == space:
            return 1 << BITS | space
        if context >> BITS == 1 and ((last := context & _SYMBOL) == space or last in self.signs):
            return 1 << BITS | symbol if symbol in self.signs else (1 << BITS | space) << BITS | symbol
        longer, room = context << BITS | symbol, BITS * (self.order - 1)
        return longer if longer >> room <= 1 else longer & ((1 << room) - 1) | 1 << room

    def score(self, context: int, symbol: int) -> float:
        """Return the natural logarithm of a symbol's probability after a context; symbol 0 is unknown."""
        key = context << BITS | symbol
        known = self._scores.get(key)
        if known is None:
            if len(self._scores) >= _CACHED:
                self._scores.clear()
            known = self._scores[key] = self._look_up(key)
        return known

    def _look_up(self, key: int) -> float:
        """Return the score of a packed n-gram by its longest stored end and the weights of the steps back."""
        penalty = 0.0
        while key >> BITS > 1:
            value = self.likely.get(key)
            if value is not None:
                return penalty + value
            penalty += self.backoff.get(key >> BITS) or 0.0
            key = shorter(key)
        value = self.likely.get(key)
        return penalty + (_UNKNOWN if value is None else value)


def pack(symbols: tuple[int, ...]) -> int:
    """Pack symbols into one integer; its leading bit marks the length."""
    key = 1
    for symbol in symbols:
        key = key << BITS | symbol
    return key


def shorter(key: int) -> int:
    """Drop the first symbol of a packed n-gram."""
    room = (key.bit_length() - 1) // BITS * BITS - BITS
    return key & ((1 << room) - 1) | 1 << room


def write(model: Ngram, path: Path) -> None:
    """Write a model as a compressed npz of integers: no pickle is needed to read it."""
    arrays: dict[str, NDArray[np.generic]] = {
        "order": np.array(model.order),
        "alphabet": np.array([ord(character) for character in model.symbols], dtype=np.uint32),
        "signs": np.array(sorted(model.signs), dtype=np.uint8),
        "search": np.array([model.weight, model.bonus]),
    }
    for name, table in (("likely", model.likely), ("backoff", model.backoff)):
        keys = np.array(table.keys, dtype=np.uint64)
        arrays[f"{name}_keys"] = np.diff(keys, prepend=np.uint64(0))
        arrays[name] = np.clip(np.rint(-np.array(table.values) / _STEP), 0, 255).astype(np.uint8)
    np.savez_compressed(path, allow_pickle=False, **arrays)


def read(path: Path) -> Ngram:
    """Read a model; raise UnusableModelError when the file is not one."""
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_FILE_BYTES)
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            symbols = {
                chr(point): symbol for symbol, point in enumerate(arrays["alphabet"].tolist(), start=1)
            }
            tables = [table(np.cumsum(arrays[f"{name}_keys"]), arrays[name] * -_STEP) for name in _TABLES]
            order, signs = int(arrays["order"]), frozenset(arrays["signs"].tolist())
            weight, bonus = arrays["search"].tolist()
    except (OSError, EOFError, KeyError, ValueError, TypeError, zipfile.BadZipFile, zlib.error) as error:
        raise UnusableModelError(
            "The file is not a language model of Ketav. Use models/hebrew_lm.npz."
        ) from error
    if " " not in symbols or len(symbols) > MAX_SYMBOLS or not 2 <= order <= MAX_ORDER:
        raise UnusableModelError("The language model has another format. Use models/hebrew_lm.npz.")
    return Ngram(order, symbols, signs, tables[0], tables[1], weight, bonus)


_TABLES: Final = ("likely", "backoff")


def table(keys: NDArray[np.uint64], logs: NDArray[np.float64], kind: str = "f") -> Table:
    """Return a table of ascending packed n-grams; `kind` is the array type of the logarithms."""
    if len(keys) != len(logs):
        raise ValueError("a table needs a logarithm for each n-gram")
    return Table(array("Q", keys.astype(np.uint64).tobytes()), array(kind, logs.astype(kind).tobytes()))
