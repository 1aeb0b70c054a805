"""The pass of lines through a network of Kraken."""

from typing import Any


def logits(net: Any, inputs: Any) -> Any:  # noqa: ANN401  # kraken is untyped
    """Return a network's outputs before the softmax, shape (N, labels, 1, steps), for inputs (N, 1, H, W).

    The last recurrent layer returns its features ordered by step, not by line. Kraken's output layer
    multiplies them in that order, for which torch copies the weights for each step of each line: in bfloat16,
    32 lines of 640 pixels took 438 ms instead of 141. Ordered by line it is one product.
    """
    import torch

    features, _ = net.nn[:-1](inputs)
    outputs, _ = net.nn[-1](features.contiguous(memory_format=torch.channels_last))
    return outputs
