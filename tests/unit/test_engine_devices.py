"""The device of the networks: refused where it does not exist, and the same network on the CPU as before."""

import ctypes
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from ketav_common.child_process import ChildDiedError, ChildLimits, ChildProcess
from ketav_common.setting_types import check_device
from ketav_engine.devices import NoDeviceError, check_available
from ketav_engine.engines import make_engine
from ketav_recognizer.domain import ReaderConfig
from tests.parts.training import training_config

HAS_GPU = Path("/dev/nvidiactl").exists()
without_gpu = pytest.mark.skipif(HAS_GPU, reason="this machine has an NVIDIA GPU")


@without_gpu
def test_cuda_is_refused_as_a_setting_where_no_driver_finds_a_gpu() -> None:
    """Before anything is imported that takes seconds."""
    with pytest.raises(ValueError, match="names the device cuda, and this process finds no NVIDIA GPU"):
        check_device("cuda")


@pytest.mark.parametrize(("status", "count", "is_accepted"), [(0, 1, True), (0, 0, False), (100, 1, False)])
def test_the_driver_is_asked_for_the_number_of_gpus(
    status: int, count: int, is_accepted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A driver that reports an error, or no GPU, is as good as none."""

    def set_count(pointer: object) -> int:
        """Set the integer behind a pointer, as the driver does."""
        pointer._obj.value = count  # type: ignore[attr-defined]
        return 0

    driver = SimpleNamespace(cuInit=lambda _flags: status, cuDeviceGetCount=set_count)
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: driver)
    if is_accepted:
        assert check_device("cuda") == "cuda"
    else:
        with pytest.raises(ValueError, match="finds no NVIDIA GPU"):
            check_device("cuda")


def test_a_process_with_cuda_has_no_limit_of_its_address_space() -> None:
    """CUDA reserves more of it than any machine has memory."""
    assert ReaderConfig("kraken", 1, 2**30).address_space_bytes == 2**30
    assert ReaderConfig("kraken", 1, 2**30, device="cuda").address_space_bytes == 0
    config = replace(training_config(Path(), heartbeat_s=1), memory_bytes=2**30)
    assert config.address_space_bytes == 2**30
    assert replace(config, device="cuda").address_space_bytes == 0


@pytest.mark.kraken
@without_gpu
def test_an_engine_is_refused_on_a_device_that_torch_cannot_use() -> None:
    """The sentence says what to do."""
    with pytest.raises(NoDeviceError, match=r"KETAV_DEVICE is cuda, and torch .*set KETAV_DEVICE to cpu\."):
        make_engine("kraken", None, "cuda")
    assert check_available("cpu") == "cpu"


@pytest.mark.kraken
@without_gpu
async def test_a_reader_without_its_device_ends_with_a_sentence(capfd: pytest.CaptureFixture[str]) -> None:
    """The process ends at once, and its last line is no traceback."""
    setup = {"engine": "kraken", "models": 1, "language": None, "device": "cuda"}
    child = await ChildProcess.start("ketav_recognizer.reader", ChildLimits(), setup=setup)
    with pytest.raises(ChildDiedError):
        await child.ask({"warm_up": True}, seconds=60)
    await child.end()
    assert capfd.readouterr().err.strip().splitlines()[-1].startswith("KETAV_DEVICE is cuda, and torch")
