"""Model files: the header of safetensors (https://github.com/huggingface/safetensors, "Format").

A file has 8 bytes with the little-endian length of the header, a JSON header, then the tensors' bytes.
"""

import json

from ketav_common.limits import MAX_MODEL_HEADER_BYTES

_LENGTH_BYTES = 8
HEAD_BYTES = _LENGTH_BYTES + MAX_MODEL_HEADER_BYTES
"""Bytes at the start of a file that contain every allowed header."""


def is_safetensors(head: bytes, size_bytes: int) -> bool:
    """Return whether a file of this length has a safetensors header whose tensors fill the file exactly.

    `head` has the first HEAD_BYTES bytes of the file.
    """
    length = int.from_bytes(head[:_LENGTH_BYTES], "little")
    if len(head) < _LENGTH_BYTES or length > MAX_MODEL_HEADER_BYTES or _LENGTH_BYTES + length > len(head):
        return False
    try:
        header = json.loads(head[_LENGTH_BYTES : _LENGTH_BYTES + length])
        ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
        return _LENGTH_BYTES + length + max(ends, default=0) == size_bytes
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        return False


def read_alphabet(head: bytes) -> str | None:
    """Return the characters that a Kraken network can write; None when the header does not list them.

    Kraken stores the codec, a mapping from characters to labels, in the header's `kraken_meta`, a JSON object
    with one entry a network. `head` has the first HEAD_BYTES bytes of the file.
    """
    length = int.from_bytes(head[:_LENGTH_BYTES], "little")
    try:
        header = json.loads(head[_LENGTH_BYTES : _LENGTH_BYTES + length])
        [network] = json.loads(header["__metadata__"]["kraken_meta"]).values()
        characters = set("".join(network["codec"].keys()))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return "".join(sorted(characters - {"\0"})) or None
