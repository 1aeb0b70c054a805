"""A character n-gram model of text in display order, compact on disk and quick to ask."""

import io
import math
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ketav_engine.domain import UnusableModelError

BITS: Final = 8
"""Bits of one symbol in a packed n-gram."""
_STEP: Final = 0.05
"""Logarithms are stored in steps of this, as bytes."""
_FLOOR: Final = math.log(1e-5)
_MAX_BYTES: Final = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True, eq=False)
class Ngram:
    """Backing-off model: p(c | context) is stored, or backoff(context) times p(c | shorter context).

    An n-gram is packed into an integer, first character in the highest bits. Contexts and what follows them
    are read in display order, left to right, as a network writes.
    """

    order: int
    symbols: Mapping[str, int]
    """Character to symbol, from 1."""
    likely: Mapping[int, float]
    """Packed n-gram to natural logarithm of its last character's probability."""
    backoff: Mapping[int, float]
    """Packed context to natural logarithm of its backing-off weight."""

    def start(self) -> tuple[int, ...]:
        """Return the context at the left edge of a line."""
        return (self.symbols[" "],)

    def extend(self, context: tuple[int, ...], symbol: int) -> tuple[int, ...]:
        """Return the context after one more symbol."""
        return (*context, symbol)[-(self.order - 1) :]

    def score(self, context: tuple[int, ...], symbol: int) -> float:
        """Return the natural logarithm of a symbol's probability after a context; symbol 0 is unknown."""
        penalty = 0.0
        while True:
            key = pack((*context, symbol))
            value = self.likely.get(key)
            if value is not None:
                return penalty + value
            if not context:
                return penalty + _FLOOR
            penalty += self.backoff.get(pack(context), 0.0)
            context = context[1:]


def pack(symbols: tuple[int, ...]) -> int:
    """Pack symbols into one integer; the leading bit tells lengths apart."""
    key = 1
    for symbol in symbols:
        key = key << BITS | symbol
    return key


def write(model: Ngram, path: Path) -> None:
    """Write a model as a compressed npz of integers: no pickle is needed to read it."""
    arrays: dict[str, NDArray[np.generic]] = {
        "order": np.array(model.order),
        "alphabet": np.array([ord(character) for character in model.symbols], dtype=np.uint32),
    }
    for name, table in (("likely", model.likely), ("backoff", model.backoff)):
        keys = np.array(sorted(table), dtype=np.uint64)
        values = np.array([table[int(key)] for key in keys])
        arrays[f"{name}_keys"] = np.diff(keys, prepend=np.uint64(0))
        arrays[name] = np.clip(np.rint(-values / _STEP), 0, 255).astype(np.uint8)
    np.savez_compressed(path, allow_pickle=False, **arrays)


def read(path: Path) -> Ngram:
    """Read a model; raise UnusableModelError when the file is not one."""
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES)
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            symbols = {chr(point): place for place, point in enumerate(arrays["alphabet"].tolist(), start=1)}
            tables = [
                dict(
                    zip(
                        np.cumsum(arrays[f"{name}_keys"]).tolist(),
                        (arrays[name] * -_STEP).tolist(),
                        strict=True,
                    )
                )
                for name in ("likely", "backoff")
            ]
            return Ngram(int(arrays["order"]), symbols, tables[0], tables[1])
    except (OSError, EOFError, KeyError, ValueError, TypeError, zipfile.BadZipFile, zlib.error) as error:
        raise UnusableModelError("the file is not a language model") from error
