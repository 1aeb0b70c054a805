"""The pass through a network gives Kraken's own outputs, without its detour in memory."""

import pytest

from ketav_engine import models
from ketav_engine.models.network import logits

pytestmark = pytest.mark.kraken

SPEC = "[1,48,0,1 Cr3,3,8 Mp2,2 Cr3,3,8 Mp2,2 S1(1x0)1,3 Lbx8 Do0.1,2]"


def test_the_outputs_are_those_of_kraken() -> None:
    """The same network with the same lines gives the same numbers, whatever their order in memory."""
    import torch

    net = models.load(models.save(models.build(SPEC, "אבג "))).net
    lines = torch.rand(5, 1, 48, 128).contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        expected, _ = net.nn(lines)
        assert torch.allclose(logits(net, lines), expected, atol=1e-6)


def test_no_weights_are_copied_for_each_step() -> None:
    """The output layer is one product of matrices: a batched product would repeat its weights."""
    import torch

    net = models.load(models.save(models.build(SPEC, "אבג "))).net
    lines = torch.rand(5, 1, 48, 128).contiguous(memory_format=torch.channels_last)
    with (
        torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile,
        torch.inference_mode(),
        torch.autocast("cpu", torch.bfloat16),
    ):
        logits(net, lines)
    operations = {event.key for event in profile.key_averages()}
    assert "aten::addmm" in operations
    assert "aten::bmm" not in operations
