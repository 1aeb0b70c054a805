"""`ketav models import` converts a public model in processes of its own, and refuses what is none."""

import asyncio
import warnings
from pathlib import Path

import psutil
import pytest
import torch

from ketav_common.errors import InvalidInput
from ketav_engine import models
from ketav_registry.model_conversion import convert_model

pytestmark = pytest.mark.kraken

SPEC = "[1,48,0,1 Cr3,3,8 Mp2,2 Cr3,3,8 Mp2,2 S1(1x0)1,3 Lbx8 Do]"


async def test_an_mlmodel_is_converted_and_checked(tmp_path: Path) -> None:
    """The result can be loaded and has the alphabet of the original."""
    torch.manual_seed(1)
    source, target = tmp_path / "public.mlmodel", tmp_path / "model.safetensors"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        models.build(SPEC, "אבגד ").eval().save_model(str(source))
    await convert_model(source, target)
    assert models.load(target.read_bytes()).info.alphabet == " אבגד"


async def test_the_reason_of_a_refusal_reaches_the_operator(tmp_path: Path) -> None:
    """A pickle is not a model."""
    (tmp_path / "source").write_bytes(b"\x80\x04K\x01.")
    with pytest.raises(InvalidInput, match="neither safetensors nor CoreML") as caught:
        await convert_model(tmp_path / "source", tmp_path / "model.safetensors")
    assert caught.value.code == "unusable-model"
    assert caught.value.detail.startswith("The file source cannot be imported. The file ")
    assert not (tmp_path / "model.safetensors").exists()


async def test_a_conversion_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    """The child is killed at the deadline, and the sentence does not blame the file."""
    (tmp_path / "source").write_bytes(b"noise" * 10)
    with pytest.raises(InvalidInput, match=r"took more than 0\.01 seconds"):
        await convert_model(tmp_path / "source", tmp_path / "model.safetensors", timeout_s=0.01)


async def test_a_conversion_that_is_killed_does_not_blame_the_file(tmp_path: Path) -> None:
    """The kernel kills the child when memory is full."""
    (tmp_path / "source").write_bytes(b"noise" * 10)
    us = psutil.Process()
    before = {child.pid for child in us.children()}
    conversion = asyncio.create_task(convert_model(tmp_path / "source", tmp_path / "model.safetensors"))
    children: list[psutil.Process] = []
    while not children:
        await asyncio.sleep(0.01)
        children = [child for child in us.children() if child.pid not in before]
    children[0].kill()
    with pytest.raises(InvalidInput, match="ran out of memory"):
        await conversion
