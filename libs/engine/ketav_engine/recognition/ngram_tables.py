"""N-gram tables for lookups by the compiled search: open addressing, ten bytes a slot."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ketav_engine.recognition.compiled import compiled
from ketav_engine.recognition.language_model import LOG_STEP, SYMBOL_BITS, UNSEEN_LOG, NgramTable

_HASH: Final = np.uint64(0x9E3779B97F4A7C15)
"""2**64 divided by the golden ratio: Fibonacci hashing (Knuth, The Art of Computer Programming, 6.4)."""
_BITS: Final = np.uint64(SYMBOL_BITS)
_ZERO: Final = np.uint64(0)
_ONE: Final = np.uint64(1)
_HALF: Final = np.uint64(32)
_FILLED: Final = 0.55
"""Share of the slots that hold an n-gram: an unsuccessful lookup probes three of them; at 0.8 thirteen."""


SLOT: Final = np.dtype([("key", np.uint64), ("log", np.uint8), ("backoff", np.uint8)])
"""A slot of a hash table: a packed n-gram, 0 in an empty slot, with its logarithms as in `NgramTable`."""

Slots = NDArray[np.void]
"""An n-gram table as a hash table, an array of `SLOT`; one array, for passing each costs time."""


def hashed(table: NgramTable) -> Slots:
    """Return a table in hashed form."""
    slots = np.zeros(int(len(table.keys) / _FILLED) + 1, dtype=SLOT)
    _fill(slots, table.keys, table.logs, table.backoffs)
    return slots


@compiled
def _slot(key: np.uint64, count: int) -> np.int64:
    """Return the first slot to probe for a key."""
    return np.int64((((key * _HASH) >> _HALF) * np.uint64(count)) >> _HALF)


@compiled
def _fill(
    slots: Slots, keys: NDArray[np.uint64], logs: NDArray[np.uint8], backoffs: NDArray[np.uint8]
) -> None:
    """Insert n-grams into an empty table."""
    count = len(slots)
    for index in range(len(keys)):
        slot = _slot(keys[index], count)
        while slots[slot].key != _ZERO:
            slot = slot + 1 if slot + 1 < count else np.int64(0)
        slots[slot].key = keys[index]
        slots[slot].log = logs[index]
        slots[slot].backoff = backoffs[index]


@compiled
def _find(slots: Slots, key: np.uint64) -> np.int64:
    """Return the slot of an n-gram, -1 when the table does not hold it."""
    count = len(slots)
    slot = _slot(key, count)
    while slots[slot].key != _ZERO:
        if slots[slot].key == key:
            return slot
        slot = slot + 1 if slot + 1 < count else np.int64(0)
    return np.int64(-1)


@compiled
def symbols_of(key: np.uint64) -> int:
    """Return how many symbols a packed n-gram has."""
    count = 0
    while key > _ONE:
        key >>= _BITS
        count += 1
    return count


@compiled
def last_symbols(key: np.uint64, count: int) -> np.uint64:
    """Return a packed n-gram's last `count` symbols, packed."""
    room = np.uint64(SYMBOL_BITS * count)
    return (key & ((_ONE << room) - _ONE)) | (_ONE << room)


@compiled
def log_probability(slots: Slots, context: np.uint64, symbol: int) -> float:
    """Return log p(symbol | context): of the longest stored n-gram, with the back-off weights before it."""
    key = (context << _BITS) | np.uint64(symbol)
    count = symbols_of(key)
    steps = 0
    while True:
        slot = _find(slots, key)
        if slot >= 0:
            return float(-LOG_STEP * (steps + slots[slot].log))
        if count == 1:
            return UNSEEN_LOG - LOG_STEP * steps
        context_slot = _find(slots, key >> _BITS)
        if context_slot >= 0:
            steps += slots[context_slot].backoff
        count -= 1
        key = last_symbols(key, count)
