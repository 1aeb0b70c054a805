"""Checkpoints of a fit: one safetensors file, replaced atomically, never pickle."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ketav_common import faults
from ketav_engine.domain import UnusableModelError


@dataclass(frozen=True, slots=True)
class State:
    """The progress of a fit. The names of the fields are part of the file format."""

    epoch: int = 0
    """Epochs done."""
    before: float = 0.0
    """CER of the parent on the holdout."""
    latest: float = 0.0
    """CER that was measured last."""


def store(path: str, net: Any, optimizer: Any, state: State) -> None:  # noqa: ANN401
    """Write weights and the optimizer's moments to a temporary file and rename it to `path`."""
    from safetensors.torch import save

    tensors = {f"net.{name}": value for name, value in net.state_dict().items()}
    for index, moments in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": value for name, value in moments.items()}
    content = save(
        {name: value.detach().clone().contiguous() for name, value in tensors.items()},
        metadata={"ketav_fit": json.dumps(asdict(state))},
    )
    part = Path(f"{path}.part")
    part.write_bytes(content)
    faults.reached(f"at-checkpoint-{state.epoch}")
    part.replace(path)


def restore(path: str, net: Any, optimizer: Any) -> State | None:  # noqa: ANN401
    """Load a checkpoint into network and optimizer; return its state, None without a file.

    Raises UnusableModelError when the file is damaged or of another network.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load

    if not Path(path).is_file():
        return None
    try:
        content = Path(path).read_bytes()
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        state = State(**json.loads(header["__metadata__"]["ketav_fit"]))
        tensors = load(content)
        net.load_state_dict(_under("net.", tensors))
        moments: dict[int, dict[str, Any]] = {}
        for name, value in _under("optimizer.", tensors).items():
            index, key = name.split(".", 1)
            moments.setdefault(int(index), {})[key] = value.to(torch.float32)
        optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})
    except (SafetensorError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise UnusableModelError(
            "The checkpoint is damaged or of another network. Delete it to start the training again."
        ) from error
    return state


def _under(prefix: str, tensors: dict[str, Any]) -> dict[str, Any]:
    """Return the tensors whose names begin with a prefix, by the rest of their names."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
