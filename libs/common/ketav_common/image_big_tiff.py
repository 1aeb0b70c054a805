"""Big-endian BigTIFF as TIFF: Pillow reads only the little-endian one.

BigTIFF has offsets of 8 bytes. An upload has less than 4 GiB, so each directory is written again behind the
file with offsets of 4 bytes; the pixels stay where they are. Formats: TIFF 6.0, section 2; the BigTIFF
design of libtiff.
"""

import struct
from typing import Final

BIG_ENDIAN: Final = b"MM\x00+"
"""First bytes of such a file."""
_HEADER: Final = ">4sHHQ"
_ENTRY: Final = ">HHQ8s"
_SIZES: Final = {
    **dict.fromkeys((1, 2, 6, 7), 1),
    **dict.fromkeys((3, 8), 2),
    **dict.fromkeys((4, 9, 11, 13), 4),
    **dict.fromkeys((5, 10, 12, 16, 17, 18), 8),
}
"""Bytes of a value of each type."""
_SHORTENED: Final = {16: (4, "Q", "I"), 17: (9, "q", "i"), 18: (13, "Q", "I")}
"""Types of 8 bytes: the type of 4 bytes that replaces each, and how both are packed."""
_OFFSET_BYTES: Final = 4
_MAX_GROWTH: Final = 2
"""Size of the TIFF at most, in sizes of the file: directories may share values and would repeat them."""
_MAX_DIRECTORIES: Final = 2000
_MAX_ENTRIES: Final = 1000
"""More directories or entries than any scanner writes."""


def as_tiff(data: bytes) -> bytes:
    """Return a big-endian BigTIFF as TIFF with the same pixels; any other file as it is.

    Raises ValueError or struct.error for a file that is damaged.
    """
    if not data.startswith(BIG_ENDIAN):
        return data
    _, offset_size, zero, first = struct.unpack_from(_HEADER, data)
    if (offset_size, zero) != (8, 0):
        raise ValueError("BigTIFF has offsets of 8 bytes")
    out = bytearray(data)
    link, directory, seen = 4, first, set[int]()
    while directory and directory not in seen:
        seen.add(directory)
        if len(seen) > _MAX_DIRECTORIES:
            raise ValueError("too many directories")
        if len(out) % 2:
            out += b"\0"
        struct.pack_into(">I", out, link, len(out))
        link, directory = _append_directory(out, data, directory)
    out[:4] = b"MM\x00*"
    struct.pack_into(">I", out, link, 0)
    return bytes(out)


def _append_directory(out: bytearray, data: bytes, offset: int) -> tuple[int, int]:
    """Append the directory of a BigTIFF at `offset` to a TIFF.

    Returns where the TIFF has the offset of the next directory, and the offset of that one in `data`.
    """
    (count,) = struct.unpack_from(">Q", data, offset)
    if count > _MAX_ENTRIES:
        raise ValueError("too many entries")
    start = len(out)
    link = start + 2 + 12 * count
    out += struct.pack(">H", count) + bytes(12 * count + 4)
    for number in range(count):
        tag, kind, values, field = struct.unpack_from(_ENTRY, data, offset + 8 + 20 * number)
        size = _SIZES[kind] * values
        where = struct.unpack(">Q", field)[0] if size > len(field) else None
        content = field[:size] if where is None else data[where : where + size]
        if len(content) < size:
            raise ValueError("values beyond the end of the file")
        if kind in _SHORTENED:
            kind, long, short = _SHORTENED[kind]
            content = struct.pack(f">{values}{short}", *struct.unpack(f">{values}{long}", content))
        if len(content) > _OFFSET_BYTES:
            if len(out) + len(content) > _MAX_GROWTH * len(data):
                raise ValueError("values that several directories share")
            position, content = len(out), bytes(content)
            out += content + bytes(len(content) % 2)
            content = struct.pack(">I", position)
        struct.pack_into(">HHI4s", out, start + 2 + 12 * number, tag, kind, values, content)
    (following,) = struct.unpack_from(">Q", data, offset + 8 + 20 * count)
    return link, following
