"""Receiving multipart uploads: bounded, counted while they arrive, spooled to a file, hashed."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, MultipartState, parse_options_header
from starlette.exceptions import HTTPException

from ketav_common.errors import InvalidInput, TooLarge
from ketav_gateway.bodies import refuse_encoded

_MAX_PARTS = 8
_MAX_FIELD = 64 * 1024
_MAX_PART_HEADERS = 16 * 1024
_MAX_HEADER_LINES = 32
_MAX_BOUNDARY = 70  # RFC 2046, section 5.1.1
_OVERHEAD = _MAX_PARTS * (_MAX_FIELD + _MAX_PART_HEADERS)


Fields = TypeVar("Fields", bound=BaseModel)


@dataclass(frozen=True)
class Upload:
    """A received form: where its file lies, the file's SHA-256 and length in bytes, and the other fields."""

    path: Path
    sha256: bytes
    size_bytes: int
    fields: dict[str, str]


@dataclass
class _Part:
    """A part while it arrives."""

    headers: dict[str, bytes] = field(default_factory=dict)
    header_bytes: int = 0
    name: str = ""
    data: bytearray = field(default_factory=bytearray)


class _Form:
    """The callbacks of the multipart parser: checks each event against the bounds."""

    def __init__(self, file: BinaryIO, *, file_field: str, fields: frozenset[str], max_file: int) -> None:
        """Take where the file goes, the fields that may come, and the file's limit in bytes."""
        self._file = file
        self._file_field = file_field
        self._allowed = fields
        self._max_file = max_file
        self._parts = 0
        self._part = _Part()
        self._header = (bytearray(), bytearray())
        self.hash = hashlib.sha256()
        self.size_bytes = 0
        self.seen: set[str] = set()
        self.fields: dict[str, str] = {}

    def on_part_begin(self) -> None:
        """Count the parts."""
        self._parts += 1
        if self._parts > _MAX_PARTS:
            raise TooLarge(f"A form may have {_MAX_PARTS} parts at most.", code="too-many-parts")
        self._part = _Part()

    def on_header_begin(self) -> None:
        """Begin a header."""
        self._header = (bytearray(), bytearray())

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        """Collect a header's name."""
        self._count_header(end - start)
        self._header[0].extend(data[start:end])

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        """Collect a header's value."""
        self._count_header(end - start)
        self._header[1].extend(data[start:end])

    def _count_header(self, size: int) -> None:
        """Bound the headers of a part."""
        self._part.header_bytes += size
        if self._part.header_bytes > _MAX_PART_HEADERS:
            raise TooLarge(f"A part may have {_MAX_PART_HEADERS} bytes of headers.", code="headers-too-large")

    def on_header_end(self) -> None:
        """Keep a header."""
        self._part.headers[bytes(self._header[0]).decode("latin-1").lower()] = bytes(self._header[1])

    def on_headers_finished(self) -> None:
        """Name the part; the file's own name is not even looked at."""
        kind, options = parse_options_header(self._part.headers.get("content-disposition"))
        if kind != b"form-data" or b"name" not in options:
            raise InvalidInput("A part has no name.", code="malformed-multipart")
        name = options[b"name"].decode("latin-1")
        if name != self._file_field and name not in self._allowed:
            raise InvalidInput("The form has a field that is not known here.", code="unknown-field")
        if name in self.seen:
            raise InvalidInput(f"The form has more than one {name}.", code="duplicate-field")
        self.seen.add(name)
        self._part.name = name

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        """Spool the file, collect a field, each within its bound."""
        if self._part.name == self._file_field:
            self.size_bytes += end - start
            if self.size_bytes > self._max_file:
                raise TooLarge(f"The file may have {self._max_file} bytes at most.", code="file-too-large")
            chunk = data[start:end]
            self.hash.update(chunk)
            self._file.write(chunk)
            return
        self._part.data.extend(data[start:end])
        if len(self._part.data) > _MAX_FIELD:
            raise TooLarge(f"A field may have {_MAX_FIELD} bytes at most.", code="field-too-large")

    def on_part_end(self) -> None:
        """Keep a field."""
        if self._part.name == self._file_field:
            return
        try:
            self.fields[self._part.name] = self._part.data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise InvalidInput("A field is not UTF-8.", code="malformed-text") from error


def _boundary(request: Request) -> bytes:
    """Return the boundary between the parts."""
    kind, options = parse_options_header(request.headers.get("content-type"))
    if kind != b"multipart/form-data":
        raise HTTPException(415, "Send the file as multipart/form-data.")
    boundary = options.get(b"boundary", b"")
    if not 0 < len(boundary) <= _MAX_BOUNDARY:
        raise InvalidInput("The form has no usable boundary.", code="malformed-multipart")
    return boundary


async def _parse(request: Request, form: _Form, limit: int) -> None:
    """Feed the body to the parser as it arrives."""
    parser = MultipartParser(
        _boundary(request),
        {
            "on_part_begin": form.on_part_begin,
            "on_part_data": form.on_part_data,
            "on_part_end": form.on_part_end,
            "on_header_begin": form.on_header_begin,
            "on_header_field": form.on_header_field,
            "on_header_value": form.on_header_value,
            "on_header_end": form.on_header_end,
            "on_headers_finished": form.on_headers_finished,
        },
        max_header_count=_MAX_HEADER_LINES,
        max_header_size=_MAX_PART_HEADERS,
    )
    received = 0
    try:
        async for chunk in request.stream():
            received += len(chunk)
            if received > limit:
                raise TooLarge(f"The form may have {limit} bytes at most.")
            if chunk:
                parser.write(chunk)
    except FormParserError as error:
        raise InvalidInput("The form is not multipart/form-data.", code="malformed-multipart") from error
    if parser.state != MultipartState.END:
        raise InvalidInput("The form ends before its last boundary.", code="malformed-multipart")


def form(kind: type[Fields], upload: Upload) -> Fields:
    """Check the fields beside the file."""
    try:
        return kind.model_validate(upload.fields)
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False, include_input=False)) from error


async def receive(
    request: Request, target: Path, *, file_field: str, fields: frozenset[str], max_file: int
) -> Upload:
    """Receive a form with one file into `target`; InvalidInput or TooLarge for anything but that."""
    refuse_encoded(request)
    with target.open("wb") as file:
        form = _Form(file, file_field=file_field, fields=fields, max_file=max_file)
        await _parse(request, form, max_file + _OVERHEAD)
    if file_field not in form.seen:
        raise InvalidInput(f"The form has no {file_field}.", code="missing-file")
    return Upload(target, form.hash.digest(), form.size_bytes, form.fields)
