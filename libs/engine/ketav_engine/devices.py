"""The processor that networks run on: the CPU, or an NVIDIA GPU, which torch calls `cuda`."""

from functools import cache
from typing import Any, Final

from ketav_engine.domain import EngineError

CPU: Final = "cpu"


class NoDeviceError(EngineError):
    """The processor that KETAV_DEVICE names is not available. Set KETAV_DEVICE to cpu."""


def check_available(device: str) -> str:
    """Return the device, `cpu` or `cuda`; raises NoDeviceError for `cuda` when torch cannot use a GPU."""
    import torch

    if device != CPU and not torch.cuda.is_available():
        build = "has no CUDA" if torch.version.cuda is None else "finds no NVIDIA GPU"
        raise NoDeviceError(
            f"KETAV_DEVICE is {device}, and torch {build}. Use the image with the tag -cuda on a node with a "
            "GPU, or set KETAV_DEVICE to cpu."
        )
    return device


def device_of(net: Any) -> Any:  # noqa: ANN401
    """Return the torch device that a network's weights are on."""
    return next(net.parameters()).device


def bfloat16_autocast(kind: str) -> Any:  # noqa: ANN401
    """Return an autocast to bfloat16 on a kind of device; it does nothing where bfloat16 is not native."""
    import torch

    return torch.autocast(kind, dtype=torch.bfloat16, enabled=_has_bf16(kind))


@cache
def _has_bf16(kind: str) -> bool:
    """Return whether the processor multiplies bfloat16 matrices natively."""
    import torch

    if kind != CPU:
        return bool(torch.cuda.is_bf16_supported())
    capabilities = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16") or capabilities.get("bf16"))
