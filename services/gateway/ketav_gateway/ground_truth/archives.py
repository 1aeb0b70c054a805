"""Zip archives from untrusted clients, read within limits.

No entry is unpacked to a path that the archive names. Archives with too many entries or bytes are refused
before anything is inflated, and so are entries that are encrypted, links, or have unsafe names. Inflated
bytes are counted, whatever the headers say (APPNOTE.TXT 6.3.10 of the .ZIP format).
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

_END_SIGNATURE = b"PK\x05\x06"
_END_BYTES = 22
_ZIP64_SIGNATURE = b"PK\x06\x07"
_ZIP64_LOCATOR_BYTES = 20
_MAX_DIRECTORY_ENTRY_BYTES = 1024
"""Mean bytes of a directory entry above which the directory is refused: names have about a hundred."""
_READ_BYTES = 256 * 1024
_MAX_NAME_CHARACTERS = 1024
_MAX_PRINTED_CHARACTERS = 200
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_ENCRYPTED_FLAG = 0x1
_DRIVE = re.compile(r"[A-Za-z]:")
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    OSError,
    ValueError,
)
_INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True)
class ArchiveLimits:
    """Most entries of an archive, and most bytes of all entries after inflation."""

    entries: int
    inflated_bytes: int


@dataclass(frozen=True)
class Refusal:
    """A file that is skipped: its name, a stable code and a sentence."""

    name: str
    code: str
    reason: str


def printable(name: str) -> str:
    """Return a name cut to 200 characters, with U+FFFD for control and bidi characters."""
    return _INVISIBLE.sub("\ufffd", name)[:_MAX_PRINTED_CHARACTERS]


class Archive:
    """An open archive: `names` of the entries that can be read, `refusals` of the others."""

    def __init__(self, file: zipfile.ZipFile, limits: ArchiveLimits) -> None:
        """Take a zip file whose directory is within the limits; raises TooLarge above `inflated_bytes`."""
        infos = [info for info in file.infolist() if not (info.is_dir() and info.file_size == 0)]
        if sum(info.file_size for info in infos) > limits.inflated_bytes:
            raise TooLarge(
                f"The archive has more than {limits.inflated_bytes:,} bytes after decompression. "
                "Divide it into several archives.",
                code="archive-too-large",
            )
        counts = Counter(_folded(info) for info in infos)
        refusals = {id(info): _entry_refusal(info) or _duplicate_refusal(info, counts) for info in infos}
        self._file = file
        self._infos = {info.filename: info for info in infos if refusals[id(info)] is None}
        self.names = tuple(self._infos)
        self.refusals = tuple(refusal for refusal in refusals.values() if refusal is not None)

    def extract(self, name: str, target: Path, max_bytes: int) -> None:
        """Inflate an entry into `target`, at most `max_bytes` bytes.

        Raises TooLarge file-too-large above that, InvalidInput damaged-entry if the entry cannot be inflated.
        """
        left = max_bytes
        try:
            with self._file.open(self._infos[name]) as source, target.open("wb") as output:
                while chunk := source.read(min(_READ_BYTES, left + 1)):
                    left -= len(chunk)
                    if left < 0:
                        raise TooLarge(
                            f"The file has more than {max_bytes:,} bytes. Add a smaller file.",
                            code="file-too-large",
                        )
                    output.write(chunk)
        except _DAMAGED as error:
            raise InvalidInput(
                "The file is damaged in the archive. Make the archive again.", code="damaged-entry"
            ) from error

    def read(self, name: str, target: Path, max_bytes: int) -> bytes:
        """Return an entry's bytes, through the file `target`; raises as `extract`."""
        self.extract(name, target, max_bytes)
        return target.read_bytes()


@contextmanager
def open_archive(path: Path, limits: ArchiveLimits) -> Iterator[Archive]:
    """Open an archive for the block.

    Raises UnsupportedMedia for other files, InvalidInput for damaged archives, TooLarge above the limits.
    """
    _check_end(path, limits.entries)
    try:
        file = zipfile.ZipFile(path)
    except _DAMAGED as error:
        raise InvalidInput("The archive is damaged. Make it again.", code="damaged-archive") from error
    with file:
        if len(file.infolist()) > limits.entries:
            raise _too_many_entries(limits.entries)
        yield Archive(file, limits)


def _too_many_entries(entries: int) -> TooLarge:
    """Return the error for an archive with too many entries."""
    return TooLarge(
        f"The archive has more than {entries:,} entries. Divide it into several archives.",
        code="too-many-entries",
    )


def _check_end(path: Path, entries: int) -> None:
    """Check the directory's entry count and length, in the last 22 bytes, before the directory is read."""
    with path.open("rb") as file:
        start = file.read(4)
        size = file.seek(0, 2)
        file.seek(max(0, size - _END_BYTES - _ZIP64_LOCATOR_BYTES))
        tail = file.read()
    if start not in {b"PK\x03\x04", _END_SIGNATURE}:
        raise UnsupportedMedia("The file is not a zip archive. Send a zip archive.")
    end = tail[-_END_BYTES:]
    if end[:4] != _END_SIGNATURE or end[-2:] != b"\0\0":
        raise InvalidInput(
            "The archive is incomplete, or has a comment at its end. Send it whole and without a comment.",
            code="damaged-archive",
        )
    if tail[:-_END_BYTES].startswith(_ZIP64_SIGNATURE):
        raise InvalidInput(
            "The archive has the zip64 format, which is not read. Divide it into archives below 4 GiB.",
            code="unsupported-archive",
        )
    if int.from_bytes(end[10:12], "little") > entries:
        raise _too_many_entries(entries)
    if int.from_bytes(end[12:16], "little") > entries * _MAX_DIRECTORY_ENTRY_BYTES:
        raise _too_many_entries(entries)


def _folded(info: zipfile.ZipInfo) -> str:
    """Return a name as file systems compare it that ignore case and normal form."""
    return unicodedata.normalize("NFC", info.filename).casefold()


def _entry_refusal(info: zipfile.ZipInfo) -> Refusal | None:
    """Return why an entry is skipped; None for a plain file with a safe name."""
    name = printable(info.orig_filename)
    if _is_unsafe(info.orig_filename):
        reason = (
            "The name of the file leads outside the archive or has forbidden characters. Rename the file."
        )
        return Refusal(name, "unsafe-name", reason)
    file_type = stat.S_IFMT(info.external_attr >> 16)
    if file_type not in {0, stat.S_IFREG}:
        return Refusal(name, "unsafe-entry", "The entry is a link or device. Add the file itself.")
    if info.flag_bits & _ENCRYPTED_FLAG:
        return Refusal(name, "encrypted-entry", "The file is encrypted. Make the archive without a password.")
    if info.compress_type not in _METHODS:
        reason = (
            "The file is compressed with an unsupported method. Make the archive with the method deflate."
        )
        return Refusal(name, "unsupported-compression", reason)
    return None


def _is_unsafe(name: str) -> bool:
    """Return whether a name is absolute, has a part `..` or a backslash, or cannot be printed."""
    parts = name.split("/")
    try:
        empty = clean(name, max_length=_MAX_NAME_CHARACTERS) == ""
    except InvalidInput:
        return True
    return empty or ".." in parts or parts[0] == "" or "\\" in name or _DRIVE.match(name) is not None


def _duplicate_refusal(info: zipfile.ZipInfo, counts: Counter[str]) -> Refusal | None:
    """Return the refusal of an entry whose name another entry has too: either could be meant."""
    if counts[_folded(info)] == 1:
        return None
    reason = "The archive has several files of this name. Rename or remove the others."
    return Refusal(printable(info.orig_filename), "duplicate-name", reason)
