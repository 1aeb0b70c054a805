"""The optimiser of a fit and its learning rate."""

import math
from typing import Any, Final

from ketav_engine.domain import FitOptions

_WEIGHT_DECAY: Final = 1e-2


def build(net: Any, options: FitOptions) -> Any:  # noqa: ANN401
    """Build AdamW over the layers that a scope trains, convolutions at a lower rate; the rest is frozen."""
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
        share = options.early_share if index < first else 1.0
        trained = index >= start
        weights = list(layer.requires_grad_(requires_grad=trained).parameters())
        if weights and trained:
            rate = options.rate * share
            groups.append({"params": weights, "lr": rate, "top_rate": rate})
    return torch.optim.AdamW(groups, weight_decay=_WEIGHT_DECAY)


def schedule(progress: float) -> float:
    """Return the share of the top rate: a short warm-up, then a cosine down to a twentieth."""
    warm = min(1.0, progress / 0.05 + 0.1)
    return warm * (0.05 + 0.95 * (1 + math.cos(math.pi * progress)) / 2)
