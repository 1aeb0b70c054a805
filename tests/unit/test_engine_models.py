"""Model files are checked before anything is built from them."""

import json
import struct
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ketav_engine import models
from ketav_engine.domain import UnusableModelError

pytestmark = pytest.mark.kraken

SPEC = "[1,48,0,1 Cr3,3,8 Mp2,2 Cr3,3,8 Mp2,2 S1(1x0)1,3 Lbx8 Do0.1,2]"


@pytest.fixture(scope="module")
def content() -> bytes:
    """Write a small untrained model."""
    return models.save(models.build(SPEC, "אבג "), {"temperature": 1.5})


def altered(content: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    """Rewrite a file's metadata."""
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    described = json.loads(header["__metadata__"]["kraken_meta"])
    change(next(iter(described.values())))
    header["__metadata__"]["kraken_meta"] = json.dumps(described)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + content[8 + length :]


def test_a_saved_model_loads_again_with_its_alphabet_and_temperature(content: bytes) -> None:
    """Saving and loading keep what a model is, and saving again gives the same bytes."""
    loaded = models.load(content)
    assert loaded.info.alphabet == " אבג"
    assert loaded.info.height == 48
    assert loaded.info.temperature == 1.5
    assert models.save(loaded.net, loaded.metadata) == content


def test_plain_kraken_loads_a_saved_model(content: bytes, tmp_path: Path) -> None:
    """The codec is stored as a mapping, which Kraken's own loader needs."""
    from kraken.models import load_models

    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    (model,) = load_models(path, tasks=["recognition"])
    assert set(model.codec.c2l) == set("אבג ")
    assert models.save(model, {"temperature": 1.5}) == content


@pytest.mark.parametrize(
    "spec",
    [
        "[1,48,0,1 Lbx99999 O1c5]",
        "[1,48,0,3 Cr3,3,8 O1c5]",
        "[1,4800,0,1 Cr3,3,8 O1c5]",
        "[1,48,0,1 CTr3,3,8,2,2 O1c5]",
        "[1,48,0,1 (Cr3,3,8 Cr3,3,8) O1c5]",
        "[1,48,0,1 W2v O1c5]",
        "[1,48,0,1 Cr3,3,8" + " Cr3,3,8" * 500 + " O1c5]",
        "1,48,0,1 O1c5",
        "",
        None,
        7,
    ],
)
def test_a_specification_outside_the_allowlist_is_refused(content: bytes, spec: object) -> None:
    """Too large, unknown, upsampling or parallel layers are refused before a network is built."""
    with pytest.raises(UnusableModelError):
        models.load(altered(content, lambda meta: meta.update(vgsl=spec)))


def test_a_specification_that_demands_more_than_the_file_holds_is_refused(content: bytes) -> None:
    """An allowed but larger network than the tensors of the file is refused without taking its memory."""
    for size in (9000, 16):
        demanded = f"{SPEC.replace('Lbx8', f'Lbx{size}')[:-1]} O1c5]"
        larger = altered(content, partial(dict.update, vgsl=demanded))
        with pytest.raises(UnusableModelError):
            models.load(larger)


@pytest.mark.parametrize(
    "changed",
    [
        {"codec": json.dumps({"א": [1]})},
        {"codec": {}},
        {"codec": {"א": [99]}},
        {"_model": "os.system"},
        {"_tasks": ["segmentation"]},
        {"ketav": {"temperature": "hot"}},
        {"ketav": {"temperature": 0}},
    ],
)
def test_metadata_that_does_not_fit_is_refused(content: bytes, changed: dict[str, object]) -> None:
    """A codec as a string (Kraken's trap), foreign labels, other classes and tasks are refused."""
    with pytest.raises(UnusableModelError):
        models.load(altered(content, lambda meta: meta.update(changed)))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(content: bytes, value: float) -> None:
    """A training that diverged leaves such a file; it would read nothing and is never served."""
    start = 8 + int.from_bytes(content[:8], "little")
    with pytest.raises(UnusableModelError, match="no numbers"):
        models.load(content[:start] + struct.pack("<f", value) + content[start + 4 :])


def test_a_pickle_or_an_overlong_header_is_refused() -> None:
    """Nothing but safetensors is parsed, and a header cannot claim gigabytes."""
    for damage in (
        b"\x80\x04\x95" + b"\x00" * 64,
        struct.pack("<Q", 1 << 40) + b"{}",
        b"",
        b"PK\x03\x04" * 8,
    ):
        with pytest.raises(UnusableModelError):
            models.load(damage)
