"""Between parent and tuned weights: as far towards the writer as the general hand allows.

Weights on the straight line between a model and its fine-tuned copy keep much of what both can do (Wortsman
et al., Robust fine-tuning of zero-shot models, 2022).
"""

from collections.abc import Callable
from typing import Any, Final

LEAST: Final = 0.25
"""The smallest share of the tuned weights: whether it serves is for the gate to say."""
TOLERANCE: Final = 0.0075
"""CER that general lines may lose: less than the gate allows on lines that nobody has chosen by."""
_HALVINGS: Final = 3

Weights = dict[str, Any]


def choose(parent: Weights, tuned: Weights, general_cer: Callable[[Weights], float]) -> tuple[float, Weights]:
    """Return the largest share, and its weights, at which general lines lose no more than `TOLERANCE`.

    `general_cer` reads lines of other hands with given weights. What is lost grows with the share, so that
    halving finds it; where even `LEAST` loses more, it is taken.
    """
    allowed = general_cer(mix(parent, tuned, 0.0)) + TOLERANCE
    if general_cer(tuned) <= allowed:
        return 1.0, tuned
    kept, lost = LEAST, 1.0
    for _ in range(_HALVINGS):
        middle = (kept + lost) / 2
        if general_cer(mix(parent, tuned, middle)) <= allowed:
            kept = middle
        else:
            lost = middle
    return kept, mix(parent, tuned, kept)


def mix(parent: Weights, tuned: Weights, share: float) -> Weights:
    """Blend weights; rows that a new character added have no parent and stay as they were tuned."""
    mixed = {}
    for name, value in tuned.items():
        base = value.clone()
        if value.dim():
            base[: len(parent[name])] = parent[name]
        mixed[name] = base + share * (value - base)
    return mixed
