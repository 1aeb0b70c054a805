"""The frames that a service and its child processes exchange, and the limits of a child.

A frame is eight bytes (two big-endian 32-bit lengths), a JSON object in UTF-8, and bytes of any content.
Frames travel on a socket of their own, so nothing that a library prints can mix with them. A child sends data
only, never pickled objects: one that hostile bytes have taken over can send wrong answers, but run nothing
in its parent.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ketav_common.limits import MAX_IMAGE_BYTES

LENGTHS: Final = struct.Struct(">II")
"""The lengths before a frame: of the JSON object and of the bytes."""
MAX_PART_BYTES: Final = 2 * MAX_IMAGE_BYTES
"""Bytes of either part of a frame: images are the largest, and a broken child must not fill the memory."""
BEAT: Final = "beat"
"""Key of the frames by which a working child shows that it runs; they answer nothing."""
BEAT_S: Final = 1.0
"""Seconds between two of them."""
OUT_OF_MEMORY: Final = 71
"""Exit status of a child that ran out of memory: `EX_OSERR` of sysexits.h."""


class BadFrameError(Exception):
    """The bytes that arrived are not a frame."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message between a service and a child."""

    message: dict[str, Any]
    payload: bytes = b""


@dataclass(frozen=True, slots=True)
class ChildLimits:
    """The limits of a child; 0 means no limit. Core files are never written: they would hold pages."""

    memory_bytes: int = 0
    """Address space (RLIMIT_AS), on Linux only: other systems refuse or ignore it."""
    data_bytes: int = 0
    """Data segment and private mappings (RLIMIT_DATA)."""
    file_bytes: int = 0
    """Longest file that the child may write (RLIMIT_FSIZE)."""
    request_cpu_seconds: int = 0
    """Processor time for one request (RLIMIT_CPU), counted again from each frame that the child receives."""


def encode(frame: Frame) -> bytes:
    """Return the lengths and the JSON object of a frame; its payload follows them."""
    message = json.dumps(frame.message, ensure_ascii=False).encode()
    return LENGTHS.pack(len(message), len(frame.payload)) + message


def decode_lengths(head: bytes) -> tuple[int, int]:
    """Return the lengths of a frame's parts; raises BadFrameError when one is over `MAX_PART_BYTES`."""
    lengths: tuple[int, int] = LENGTHS.unpack(head)
    if max(lengths) > MAX_PART_BYTES:
        raise BadFrameError(f"a frame of {lengths} bytes")
    return lengths


def decode(message: bytes, payload: bytes) -> Frame:
    """Return the frame of two parts; raises BadFrameError unless the message is a JSON object."""
    try:
        content = json.loads(message)
    except (ValueError, RecursionError) as error:
        raise BadFrameError("a message that is not JSON") from error
    if not isinstance(content, Mapping):
        raise BadFrameError("a message that is not a JSON object")
    return Frame(dict(content), payload)
