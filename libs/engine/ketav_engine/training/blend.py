"""Between parent and tuned weights: as far towards the writer as the general hand allows.

Weights on the straight line between a model and its fine-tuned copy keep much of what both can do (Wortsman
et al., Robust fine-tuning of zero-shot models, 2022).
"""

import copy
from collections.abc import Callable
from typing import Any, Final

from ketav_engine import models
from ketav_engine.domain import UnusableModelError
from ketav_engine.models import LoadedModel

LEAST: Final = 0.25
"""The smallest share of the tuned weights: whether it serves is for the gate to say."""
TOLERANCE: Final = 0.01
"""CER that general lines may lose."""
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


def between(parent: LoadedModel, tuned: LoadedModel, share: float) -> bytes:
    """Return the file of a model so far on the way from a parent to its fine-tuned copy.

    Raises UnusableModelError when the networks differ in more than the characters that the copy adds.
    """
    before, after = parent.net.state_dict(), tuned.net.state_dict()
    letters = tuned.net.codec.c2l
    if any(letters.get(character) != labels for character, labels in parent.net.codec.c2l.items()) or not (
        before.keys() == after.keys() and all(_extends(after[name], before[name]) for name in before)
    ):
        raise UnusableModelError("the model is no fine-tuned copy of its parent")
    net = copy.deepcopy(tuned.net)
    net.load_state_dict(mix(before, after, share))
    return models.save(net.eval(), tuned.metadata)


def _extends(tensor: Any, shorter: Any) -> bool:  # noqa: ANN401
    """Tell whether a tensor has the other's shape but for further rows."""
    return bool(tensor.shape[1:] == shorter.shape[1:] and tensor.shape[:1] >= shorter.shape[:1])


def mix(parent: Weights, tuned: Weights, share: float) -> Weights:
    """Blend weights; rows that a new character added have no parent and stay as they were tuned."""
    mixed = {}
    for name, value in tuned.items():
        base = value.clone()
        if value.dim():
            base[: len(parent[name])] = parent[name]
        mixed[name] = base.lerp(value, share) if value.is_floating_point() else value
    return mixed
