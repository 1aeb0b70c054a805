"""Reading a zip file that anybody may have made.

Names are only names: nothing is unpacked to a path that the archive chose. What is larger, more, deeper,
encrypted, linked or named otherwise than a set of plain files has to be is refused before it is inflated, and
inflated bytes are counted, whatever the headers say (APPNOTE.TXT 6.3.10 of the .ZIP format).
"""

import re
import stat
import unicodedata
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ketav_common.errors import InvalidInput, TooLarge, UnsupportedMedia
from ketav_common.text import clean

_END = b"PK\x05\x06"
_END_BYTES = 22
_LOCATOR = b"PK\x06\x07"
_LOCATOR_BYTES = 20
_RECORD_BYTES = 1024
_PIECE = 256 * 1024
_SHOWN = 200
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_ENCRYPTED = 0x1
_DRIVE = re.compile(r"[A-Za-z]:")
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError)
_INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True)
class Bounds:
    """Most entries of an archive, and most bytes of all of them together once inflated."""

    entries: int
    inflated_bytes: int


@dataclass(frozen=True)
class Refusal:
    """An entry that is left alone: its name as it may be shown, a stable code, a sentence."""

    name: str
    code: str
    reason: str


def shown(name: str) -> str:
    """Return a name without what would disturb its reader, cut to 200 characters."""
    return _INVISIBLE.sub("\ufffd", name)[:_SHOWN]


class Archive:
    """An open archive: `names` of the entries that may be read, `refused` the others."""

    def __init__(self, file: zipfile.ZipFile, bounds: Bounds) -> None:
        """Take a zip file whose directory was bounded; sort its entries. TooLarge: it holds too much."""
        infos = [info for info in file.infolist() if not (info.is_dir() and info.file_size == 0)]
        if sum(info.file_size for info in infos) > bounds.inflated_bytes:
            raise TooLarge(
                f"The archive holds more than {bounds.inflated_bytes} bytes.", code="archive-too-large"
            )
        counts = Counter(_folded(info) for info in infos)
        doubts = [(info, _doubt(info) or _repeated(info, counts)) for info in infos]
        self._file = file
        self._infos = {info.filename: info for info, doubt in doubts if doubt is None}
        self.names = tuple(self._infos)
        self.refused = tuple(
            Refusal(shown(info.orig_filename), *doubt) for info, doubt in doubts if doubt is not None
        )

    def size(self, name: str) -> int:
        """Return the bytes that an entry says it has."""
        return self._infos[name].file_size

    def extract(self, name: str, target: Path, most: int) -> None:
        """Inflate an entry into a file of our choice, at most `most` bytes.

        TooLarge file-too-large: it is larger. InvalidInput damaged-entry: it cannot be inflated.
        """
        left = most
        try:
            with self._file.open(self._infos[name]) as source, target.open("wb") as output:
                while piece := source.read(min(_PIECE, left + 1)):
                    left -= len(piece)
                    if left < 0:
                        raise TooLarge(f"The file has more than {most} bytes.", code="file-too-large")
                    output.write(piece)
        except _BROKEN as error:
            raise InvalidInput("The file is damaged in the archive.", code="damaged-entry") from error

    def read(self, name: str, target: Path, most: int) -> bytes:
        """Return an entry's bytes, by way of a file; errors as `extract`."""
        self.extract(name, target, most)
        return target.read_bytes()


@contextmanager
def opened(path: Path, bounds: Bounds) -> Iterator[Archive]:
    """Open an archive for the block. UnsupportedMedia: no zip. InvalidInput: broken. TooLarge: too much."""
    _check_end(path, bounds.entries)
    try:
        file = zipfile.ZipFile(path)
    except _BROKEN as error:
        raise InvalidInput("The archive is damaged.", code="damaged-archive") from error
    with file:
        if len(file.infolist()) > bounds.entries:
            raise _too_many(bounds.entries)
        yield Archive(file, bounds)


def _too_many(entries: int) -> TooLarge:
    """Say how many entries are read at most."""
    return TooLarge(f"The archive has more than {entries} entries.", code="too-many-entries")


def _check_end(path: Path, entries: int) -> None:
    """Bound the archive's directory before it is read: count and length stand in the last 22 bytes."""
    with path.open("rb") as file:
        start = file.read(4)
        size = file.seek(0, 2)
        file.seek(max(0, size - _END_BYTES - _LOCATOR_BYTES))
        tail = file.read()
    if start not in {b"PK\x03\x04", _END}:
        raise UnsupportedMedia("Only zip archives are read.")
    end = tail[-_END_BYTES:]
    if end[:4] != _END or end[-2:] != b"\0\0":
        raise InvalidInput("The archive is cut off, or has a comment behind it.", code="damaged-archive")
    if tail[:-_END_BYTES].startswith(_LOCATOR):
        raise InvalidInput("Archives in the zip64 format are not read.", code="unsupported-archive")
    if int.from_bytes(end[10:12], "little") > entries:
        raise _too_many(entries)
    if int.from_bytes(end[12:16], "little") > entries * _RECORD_BYTES:
        raise _too_many(entries)


def _folded(info: zipfile.ZipInfo) -> str:
    """Return a name as careless file systems compare it."""
    return unicodedata.normalize("NFC", info.filename).casefold()


def _doubt(info: zipfile.ZipInfo) -> tuple[str, str] | None:
    """Say why an entry is left alone; None when it is a plain file with a plain name."""
    if _is_unsafe(info.orig_filename):
        return "unsafe-name", "The file's name leads out of the archive or holds what no name may hold."
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in {0, stat.S_IFREG}:
        return "unsafe-entry", "The entry is not a plain file."
    if info.flag_bits & _ENCRYPTED:
        return "encrypted-entry", "The file is encrypted."
    if info.compress_type not in _METHODS:
        return "unsupported-compression", "Only stored and deflated files are read."
    return None


def _is_unsafe(name: str) -> bool:
    """Say whether a name is absolute, climbs, or is no text that may be shown."""
    parts = name.split("/")
    try:
        same = clean(name, max_length=1024) != ""
    except InvalidInput:
        return True
    return not same or ".." in parts or parts[0] == "" or "\\" in name or _DRIVE.match(name) is not None


def _repeated(info: zipfile.ZipInfo, counts: Counter[str]) -> tuple[str, str] | None:
    """Say that a name is there twice: which one counts would be a guess."""
    if counts[_folded(info)] < 2:  # noqa: PLR2004 - once is what a name should be there
        return None
    return "duplicate-name", "The archive has more than one file of this name."
