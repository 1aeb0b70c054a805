"""Multipart forms with one file: bounded, counted and hashed while they arrive, the file written to disk."""

import hashlib
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, MultipartState, parse_options_header
from starlette.exceptions import HTTPException

from ketav_common.errors import InvalidInput, TooLarge
from ketav_gateway.http.bodies import refuse_encoded
from ketav_gateway.http.openapi import CURL_ARGUMENTS
from ketav_gateway.http.spool import SpooledBytes
from ketav_gateway.http.validation import invalid_fields, naming_field, pointer_step

FILE_FIELD = "file"
_FILE_POINTER = f"/{FILE_FIELD}"
_MAX_PARTS = 8
"""Parts of a form: the largest form has six fields."""
_MAX_FIELD_BYTES = 64 * 1024
_MAX_PART_HEADER_BYTES = 16 * 1024
_MAX_HEADER_LINES = 32
_MAX_BOUNDARY_BYTES = 70
"""RFC 2046, section 5.1.1."""
_OVERHEAD_BYTES = _MAX_PARTS * (_MAX_FIELD_BYTES + _MAX_PART_HEADER_BYTES)
"""Most bytes of a form in addition to its file."""
_MAX_NAME_CHARACTERS = 64
_MALFORMED_DETAIL = (
    "The body is not valid multipart/form-data. Send the form with a library for HTTP or with curl -F."
)

Form = TypeVar("Form", bound=BaseModel)


@dataclass(frozen=True)
class Upload:
    """A received form: the file's path, SHA-256 and length in bytes, and the values of the other fields."""

    path: Path
    sha256: bytes
    size_bytes: int
    fields: dict[str, str]


@dataclass
class _Part:
    """A part of the form while it arrives."""

    headers: dict[str, bytes] = field(default_factory=dict)
    header_bytes: int = 0
    header_name: bytearray = field(default_factory=bytearray)
    header_value: bytearray = field(default_factory=bytearray)
    name: str = ""
    data: bytearray = field(default_factory=bytearray)


class _FormReceiver:
    """The callbacks of the multipart parser; each checks its event against the limits."""

    def __init__(
        self, file: BinaryIO, spooled: SpooledBytes, *, fields: frozenset[str], max_file_bytes: int
    ) -> None:
        """Take the file, where its bytes are counted, the allowed fields, and the limit of the file."""
        self._file = file
        self._spooled = spooled
        self._fields = fields
        self._max_file_bytes = max_file_bytes
        self._parts = 0
        self._part = _Part()
        self.hash = hashlib.sha256()
        self.size_bytes = 0
        self.names: set[str] = set()
        self.values: dict[str, str] = {}

    def on_part_begin(self) -> None:
        """Count the parts."""
        self._parts += 1
        if self._parts > _MAX_PARTS:
            raise TooLarge(
                f"The form has more than {_MAX_PARTS} parts. Send the file and the fields once each.",
                code="too-many-parts",
            )
        self._part = _Part()

    def on_header_begin(self) -> None:
        """Start a header."""
        self._part.header_name.clear()
        self._part.header_value.clear()

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        """Collect a header's name."""
        self._count_header(end - start)
        self._part.header_name.extend(data[start:end])

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        """Collect a header's value."""
        self._count_header(end - start)
        self._part.header_value.extend(data[start:end])

    def _count_header(self, size: int) -> None:
        """Count the header bytes of a part."""
        self._part.header_bytes += size
        if self._part.header_bytes > _MAX_PART_HEADER_BYTES:
            raise TooLarge(
                f"A part of the form has more than {_MAX_PART_HEADER_BYTES} bytes of headers. Send fewer "
                "headers.",
                code="headers-too-large",
            )

    def on_header_end(self) -> None:
        """Store a header."""
        name = bytes(self._part.header_name).decode("latin-1").lower()
        self._part.headers[name] = bytes(self._part.header_value)

    def on_headers_finished(self) -> None:
        """Check the part's name; the name of the file is ignored."""
        disposition, options = parse_options_header(self._part.headers.get("content-disposition"))
        if disposition != b"form-data" or b"name" not in options:
            raise InvalidInput(
                "A part of the form has no name. Send each part with Content-Disposition: form-data and a "
                "name.",
                code="malformed-multipart",
            )
        name = options[b"name"].decode("utf-8", "replace")
        if name != FILE_FIELD and name not in self._fields:
            allowed = ", ".join(sorted({FILE_FIELD, *self._fields}))
            raise InvalidInput(
                f"The form has no field {_printable(name)!r}. Remove it; the fields are {allowed}.",
                code="unknown-field",
                details={"pointer": pointer_step(_printable(name))},
            )
        if name in self.names:
            raise InvalidInput(
                f"The form has the field {name!r} more than once. Send it once.",
                code="duplicate-field",
                details={"pointer": f"/{name}"},
            )
        self.names.add(name)
        self._part.name = name

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        """Write the file, collect a field, each up to its limit."""
        if self._part.name == FILE_FIELD:
            self.size_bytes += end - start
            if self.size_bytes > self._max_file_bytes:
                raise TooLarge(
                    f"The file has more than {self._max_file_bytes:,} bytes. Send a smaller file.",
                    code="file-too-large",
                    details={"pointer": _FILE_POINTER},
                )
            self._spooled.add(end - start)
            chunk = data[start:end]
            self.hash.update(chunk)
            self._file.write(chunk)
            return
        self._part.data.extend(data[start:end])
        if len(self._part.data) > _MAX_FIELD_BYTES:
            raise TooLarge(
                f"The form field {self._part.name!r} has more than {_MAX_FIELD_BYTES:,} bytes. Shorten it.",
                code="field-too-large",
                details={"pointer": f"/{self._part.name}"},
            )

    def on_part_end(self) -> None:
        """Store a field's value."""
        if self._part.name == FILE_FIELD:
            return
        try:
            self.values[self._part.name] = self._part.data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise InvalidInput(
                f"The form field {self._part.name!r} is not UTF-8. Send it in UTF-8.",
                code="malformed-text",
                details={"pointer": f"/{self._part.name}"},
            ) from error


def naming_file() -> AbstractContextManager[None]:
    """Add the pointer of the file to the errors about its content that are raised in the block."""
    return naming_field(FILE_FIELD)


def _printable(name: str) -> str:
    """Return a name that a client chose, cut to 64 characters, without unprintable ones."""
    return "".join(c if c.isprintable() else "\ufffd" for c in name[:_MAX_NAME_CHARACTERS])


def _boundary(request: Request) -> bytes:
    """Return the boundary between the parts; raises HTTPException 415 or InvalidInput without one."""
    media_type, options = parse_options_header(request.headers.get("content-type"))
    if media_type != b"multipart/form-data":
        raise HTTPException(
            415,
            "The Content-Type of the body is not multipart/form-data. Send the file as the form field file.",
        )
    boundary = options.get(b"boundary", b"")
    if not 0 < len(boundary) <= _MAX_BOUNDARY_BYTES:
        raise InvalidInput(
            "The Content-Type of the form has no boundary of 1 to 70 characters. "
            "Send the form with a library for HTTP or with curl -F.",
            code="malformed-multipart",
        )
    return boundary


async def _parse(request: Request, form: _FormReceiver, max_bytes: int) -> None:
    """Feed the body to the parser as it arrives; raises TooLarge or InvalidInput."""
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
        max_header_size=_MAX_PART_HEADER_BYTES,
    )
    received = 0
    try:
        async for chunk in request.stream():
            received += len(chunk)
            if received > max_bytes:
                raise TooLarge(f"The form has more than {max_bytes:,} bytes. Send a smaller file.")
            if chunk:
                parser.write(chunk)
    except FormParserError as error:
        raise InvalidInput(_MALFORMED_DETAIL, code="malformed-multipart") from error
    if parser.state != MultipartState.END:
        raise InvalidInput(
            "The form ends before its last boundary. Send the whole form again.", code="malformed-multipart"
        )


async def receive(
    request: Request, target: Path, spooled: SpooledBytes, *, form: type[BaseModel], max_file_bytes: int
) -> Upload:
    """Receive a form with the fields of `form` and one file, written to `target` and counted by `spooled`.

    Raises InvalidInput, TooLarge, or the errors of `spooled`.
    """
    refuse_encoded(request)
    with target.open("wb") as file:
        fields = frozenset(form.model_fields)
        receiver = _FormReceiver(file, spooled, fields=fields, max_file_bytes=max_file_bytes)
        await _parse(request, receiver, max_file_bytes + _OVERHEAD_BYTES)
    if FILE_FIELD not in receiver.names:
        raise InvalidInput(
            f"The form has no field {FILE_FIELD!r}. Add the file as this field.",
            code="missing-file",
            details={"pointer": _FILE_POINTER},
        )
    return Upload(target, receiver.hash.digest(), receiver.size_bytes, receiver.values)


def validated(form: type[Form], upload: Upload) -> Form:
    """Return the validated fields of an upload; raises RequestValidationError."""
    try:
        return form.model_validate(upload.fields)
    except ValidationError as error:
        raise invalid_fields(error, upload.fields) from error


def form_description(form: type[BaseModel], file_name: str, file_description: str) -> dict[str, Any]:
    """Return the OpenAPI description of a form, for a route that reads it with `receive`.

    `file_name` is the file of the curl example.
    """
    properties = {
        FILE_FIELD: {"type": "string", "format": "binary", "description": file_description},
        **{name: _without_null(schema) for name, schema in form.model_json_schema()["properties"].items()},
    }
    schema = {
        "type": "object",
        "required": [FILE_FIELD],
        "additionalProperties": False,
        "properties": properties,
    }
    return {
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}},
        CURL_ARGUMENTS: [f"-F {FILE_FIELD}=@{file_name}"],
    }


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an optional form field without null, which a form cannot send."""
    if "anyOf" not in schema:
        return schema
    described: dict[str, Any] = next(branch for branch in schema["anyOf"] if branch != {"type": "null"})
    return described | {name: value for name, value in schema.items() if name not in {"anyOf", "default"}}
