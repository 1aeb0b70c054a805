"""BigTIFF as TIFF: Pillow does not read the big-endian one, and neither a SubIFD of the little-endian one.

BigTIFF has offsets of 8 bytes. An upload has less than 4 GiB, so each directory is written again behind the
file with offsets of 4 bytes; the pixels stay where they are. Formats: TIFF 6.0, section 2; the BigTIFF
design of libtiff.
"""

import struct
from typing import Final

_BYTE_ORDERS: Final = {b"II+\x00": "<", b"MM\x00+": ">"}
"""First bytes of such a file, and the order of the bytes of its numbers for `struct`."""
_SUB_IFDS: Final = 330
"""Tag of the offsets of further directories (TIFF Technical Note 1)."""
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
_MAX_SUB_IFDS: Final = 16
"""SubIFDs of a directory that are copied: cameras write two to four."""
_MAX_DIRECTORIES: Final = 2000
_MAX_ENTRIES: Final = 1000
"""More directories or entries than any scanner writes."""


def as_tiff(data: bytes) -> bytes:
    """Return a BigTIFF as TIFF with the same pixels; any other file as it is.

    Raises ValueError or struct.error for a file that is damaged.
    """
    order = _BYTE_ORDERS.get(data[:4])
    if order is None:
        return data
    offset_size, zero, first = struct.unpack_from(f"{order}HHQ", data, 4)
    if (offset_size, zero) != (8, 0):
        raise ValueError("BigTIFF has offsets of 8 bytes")
    writer = _Writer(data, order)
    writer.out[:4] = b"II*\x00" if order == "<" else b"MM\x00*"
    link, directory = 4, first
    while directory and directory not in writer.written:
        start = writer.append_directory(directory)
        struct.pack_into(f"{order}I", writer.out, link, start)
        link, directory = writer.following
    struct.pack_into(f"{order}I", writer.out, link, 0)
    return bytes(writer.out)


class _Writer:
    """Appends the directories of a BigTIFF to a TIFF that begins as the same file."""

    def __init__(self, data: bytes, order: str) -> None:
        """Take a BigTIFF and the order of its bytes."""
        self.data, self.order = data, order
        self.out = bytearray(data)
        self.written: dict[int, int] = {}
        """Where the TIFF has each directory, by its offset in the BigTIFF."""
        self.following = (0, 0)
        """Of the last directory: where the TIFF has the offset of the next, and that in the BigTIFF."""

    def append_directory(self, offset: int) -> int:
        """Append the directory at `offset` of the BigTIFF, with its SubIFDs; return where the TIFF has it."""
        if len(self.written) > _MAX_DIRECTORIES:
            raise ValueError("too many directories")
        (count,) = struct.unpack_from(f"{self.order}Q", self.data, offset)
        if count > _MAX_ENTRIES:
            raise ValueError("too many entries")
        self.out += bytes(len(self.out) % 2)
        start = self.written[offset] = len(self.out)
        self.out += struct.pack(f"{self.order}H", count) + bytes(12 * count + 4)
        for number in range(count):
            entry = self._entry(offset + 8 + 20 * number)
            struct.pack_into(f"{self.order}HHI4s", self.out, start + 2 + 12 * number, *entry)
        (following,) = struct.unpack_from(f"{self.order}Q", self.data, offset + 8 + 20 * count)
        self.following = start + 2 + 12 * count, following
        return start

    def _entry(self, offset: int) -> tuple[int, int, int, bytes]:
        """Return an entry of a directory for the TIFF: tag, type, number of values, and values or offset."""
        tag, kind, values, field = struct.unpack_from(f"{self.order}HHQ8s", self.data, offset)
        size = _SIZES[kind] * values
        if size > len(field):
            (where,) = struct.unpack(f"{self.order}Q", field)
            content = self.data[where : where + size]
        else:
            content = field[:size]
        if len(content) < size:
            raise ValueError("values beyond the end of the file")
        if kind in _SHORTENED:
            kind, long, short = _SHORTENED[kind]
            numbers = struct.unpack(f"{self.order}{values}{long}", content)
            if tag == _SUB_IFDS:
                numbers = tuple(self._sub_ifd(number) for number in numbers[:_MAX_SUB_IFDS])
                values = len(numbers)
            content = struct.pack(f"{self.order}{values}{short}", *numbers)
        return tag, kind, values, self._placed(content)

    def _sub_ifd(self, offset: int) -> int:
        """Return where the TIFF has a SubIFD."""
        return self.written[offset] if offset in self.written else self.append_directory(offset)

    def _placed(self, content: bytes) -> bytes:
        """Return values of at most 4 bytes as they are, and the offset of others, which are appended."""
        if len(content) <= _OFFSET_BYTES:
            return content
        if len(self.out) + len(content) > _MAX_GROWTH * len(self.data):
            raise ValueError("values that several directories share")
        position = len(self.out)
        self.out += content + bytes(len(content) % 2)
        return struct.pack(f"{self.order}I", position)
