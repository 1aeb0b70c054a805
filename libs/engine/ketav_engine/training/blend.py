"""Blend the weights of a parent and of its fine-tuned copy: as near to the copy as general lines allow.

Weights on the straight line between a model and its fine-tuned copy keep much of what both can read (Wortsman
et al., Robust fine-tuning of zero-shot models, 2022). `mix` computes them; a fit uses it with
`largest_share`, the trainer calls `blended_file` if the CER of a finished candidate still increases too much.
"""

import copy
from collections.abc import Callable
from typing import Any, Final

from ketav_engine import models
from ketav_engine.domain import UnusableModelError
from ketav_engine.models import LoadedModel

MIN_SHARE: Final = 0.25
"""The smallest share of the tuned weights; the gate decides whether such a model serves."""
MAX_GENERAL_CER_INCREASE: Final = 0.01
"""Largest allowed increase of the CER on lines of other writers: one percentage point."""
_HALVINGS: Final = 3
"""Halvings of the interval in which the share is sought: it is found within 0.1."""

Weights = dict[str, Any]
"""Tensors by name, as `state_dict` returns them."""


def largest_share(parent: Weights, tuned: Weights, general_cer: Callable[[Weights], float]) -> float:
    """Return the largest share of the tuned weights with which general lines stay within the allowed CER.

    `general_cer` returns the CER of lines of other writers with given weights. It is assumed to grow with the
    share, so the interval is halved; `MIN_SHARE` is returned even if its CER exceeds the allowed one.
    """
    allowed = general_cer(mix(parent, tuned, 0.0)) + MAX_GENERAL_CER_INCREASE
    if general_cer(tuned) <= allowed:
        return 1.0
    share, too_large = MIN_SHARE, 1.0
    for _ in range(_HALVINGS):
        middle = (share + too_large) / 2
        if general_cer(mix(parent, tuned, middle)) <= allowed:
            share = middle
        else:
            too_large = middle
    return share


def blended_file(parent: LoadedModel, tuned: LoadedModel, share: float) -> bytes:
    """Return the file of a model between a parent and its fine-tuned copy: 0 the parent, 1 the copy.

    Raises UnusableModelError when the networks differ in more than the characters that the copy adds.
    """
    before, after = parent.net.state_dict(), tuned.net.state_dict()
    labels = tuned.net.codec.c2l
    same_labels = all(labels.get(key) == value for key, value in parent.net.codec.c2l.items())
    if not (
        same_labels
        and before.keys() == after.keys()
        and all(_extends(after[name], before[name]) for name in before)
    ):
        raise UnusableModelError(
            "The model is no fine-tuned copy of its parent. Blend a model with the one it was trained from."
        )
    net = copy.deepcopy(tuned.net)
    net.load_state_dict(mix(before, after, share))
    return models.save(net.eval(), tuned.metadata)


def mix(parent: Weights, tuned: Weights, share: float) -> Weights:
    """Return the weights at a share of the way from parent to tuned.

    Rows that a new character added have no parent and stay as they were tuned.
    """
    mixed = {}
    for name, value in tuned.items():
        base = value.clone()
        if value.dim():
            base[: len(parent[name])] = parent[name]
        mixed[name] = base.lerp(value, share) if value.is_floating_point() else value
    return mixed


def _extends(tensor: Any, shorter: Any) -> bool:  # noqa: ANN401
    """Return whether a tensor has the other's shape except for further rows."""
    return bool(tensor.shape[1:] == shorter.shape[1:] and tensor.shape[:1] >= shorter.shape[:1])
