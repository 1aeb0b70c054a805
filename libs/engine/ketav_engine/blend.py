"""Between parent and tuned weights: as far towards the writer as the general hand allows.

Weights on the straight line between a model and its fine-tuned copy keep much of what both can do (Wortsman
et al., Robust fine-tuning of zero-shot models, 2022).
"""

from collections.abc import Callable
from typing import Any, Final

SHARES: Final = (1.0, 0.75, 0.5, 0.3)
"""Shares of the tuned weights that are tried, the writer's first."""
TOLERANCE: Final = 0.01
"""CER that general lines may lose."""

Weights = dict[str, Any]


def choose(parent: Weights, tuned: Weights, general_cer: Callable[[Weights], float]) -> tuple[float, Weights]:
    """Return the largest share, and its weights, at which general lines lose no more than `TOLERANCE`.

    `general_cer` reads lines of other hands with given weights. Where even the smallest share loses more, the
    smallest is taken: whether it serves is for the gate to say.
    """
    allowed = general_cer(mix(parent, tuned, 0.0)) + TOLERANCE
    for share in SHARES:
        weights = mix(parent, tuned, share)
        if general_cer(weights) <= allowed:
            break
    return share, weights


def mix(parent: Weights, tuned: Weights, share: float) -> Weights:
    """Blend weights; rows that a new character added have no parent and stay as they were tuned."""
    mixed = {}
    for name, value in tuned.items():
        base = value.clone()
        if value.dim():
            base[: len(parent[name])] = parent[name]
        mixed[name] = base + share * (value - base)
    return mixed
