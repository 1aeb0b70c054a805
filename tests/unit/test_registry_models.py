"""Model files and the names of their objects."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from ketav_registry.domain.models import Model, ModelKind, ModelState, ModelVersion, object_key
from ketav_registry.domain.models_files import is_safetensors, read_alphabet


def test_the_object_of_a_model_is_named_by_its_user_and_that_of_a_base_by_its_digest() -> None:
    """models/{user}/{version}.safetensors, models/base/{digest}.safetensors."""
    digest = bytes([0xAB]) * 32
    user_id = UUID(int=5)
    model = Model("v", ModelKind.USER, digest, 1)
    version = ModelVersion(model, None, ModelState.AVAILABLE, datetime.now(UTC), user_id)
    assert object_key(version) == f"models/{user_id}/v.safetensors"
    assert object_key(replace(version, user_id=None)) == f"models/base/{'ab' * 32}.safetensors"


def test_a_safetensors_file_is_recognised_by_its_header() -> None:
    """The tensors must fill the file exactly; every other file is rejected."""
    header = b'{"w":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}'
    file = len(header).to_bytes(8, "little") + header + b"abc"
    assert is_safetensors(file, len(file))
    assert not is_safetensors(file, len(file) + 1)
    for other in (
        b"",
        b"\x80\x04pickle" * 9,
        (5).to_bytes(8, "little") + b"[1,2]",
        (2**60).to_bytes(8, "little") + b"{}",
        (7).to_bytes(8, "little") + b'{"a":1}',
        (4).to_bytes(8, "little") + b"{\xff}}",
    ):
        assert not is_safetensors(other, len(other))


def head_with(metadata: object) -> bytes:
    """Return the head of a safetensors file with this metadata."""
    text = json.dumps({"__metadata__": metadata}).encode()
    return len(text).to_bytes(8, "little") + text


def test_the_alphabet_is_the_codec_of_a_kraken_file() -> None:
    """Ligatures are split into characters; a file without a codec has no alphabet."""
    kraken = json.dumps({"net": {"codec": {"א": [1], "בג": [2, 3]}}})
    assert read_alphabet(head_with({"kraken_meta": kraken})) == "אבג"
    for metadata in ({}, {"kraken_meta": "[]"}, {"kraken_meta": "{}"}, {"kraken_meta": '{"n": {}}'}, 7, None):
        assert read_alphabet(head_with(metadata)) is None
    assert read_alphabet(b"") is None
    assert read_alphabet(b"\xff" * 40) is None
