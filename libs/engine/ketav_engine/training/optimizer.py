"""The optimizer of a fit and its learning rate."""

import math
from typing import Any, Final

from ketav_engine.domain import FitOptions

_WEIGHT_DECAY: Final = 1e-2
_WARM_UP: Final = 0.05
"""Share of the fit over which the learning rate rises."""
_FIRST_RATE: Final = 0.1
"""Share of the top rate at the first step."""
_LAST_RATE: Final = 0.05
"""Share of the top rate at the last step."""


def build(net: Any, options: FitOptions) -> Any:  # noqa: ANN401
    """Build AdamW over the layers that a scope trains, convolutions at a lower rate; the rest is frozen.

    Each parameter group has its `top_rate`, which `schedule` scales.
    """
    import torch

    layers = list(net.nn.children())
    recurrent = [
        index for index, layer in enumerate(layers) if type(layer).__name__ == "TransposedSummarizingRNN"
    ]
    first = recurrent[0] if recurrent else len(layers) - 1
    last = recurrent[-1] if recurrent else len(layers) - 1
    start = {"all": 0, "late": first // 2, "last": last}[options.scope]
    groups = []
    for index, layer in enumerate(layers):
        trained = index >= start
        weights = list(layer.requires_grad_(requires_grad=trained).parameters())
        if weights and trained:
            rate = options.rate * (options.early_share if index < first else 1.0)
            groups.append({"params": weights, "lr": rate, "top_rate": rate})
    return torch.optim.AdamW(groups, weight_decay=_WEIGHT_DECAY)


def schedule(progress: float) -> float:
    """Return the share of the top rate at a progress from 0 to 1: a short warm-up, then a cosine."""
    warm_up = min(1.0, progress / _WARM_UP + _FIRST_RATE)
    return warm_up * (_LAST_RATE + (1 - _LAST_RATE) * (1 + math.cos(math.pi * progress)) / 2)
