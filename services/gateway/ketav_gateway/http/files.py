"""Files with validators (RFC 9110): 304 for a known ETag, 206 for a part, 416 for a part beyond the end."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import BinaryIO

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from ketav_common.errors import RangeNotSatisfiable

_READ_BYTES = 256 * 1024
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)
"""One range of bytes; requests with several, or in another unit, get the whole file (section 14.2)."""
IMMUTABLE = "private, max-age=31536000, immutable"
"""Cache-Control of content that never changes at its address: a year, in the client's own cache alone."""
REVALIDATED = "private, no-cache"
"""Cache-Control of content that may change: the client asks with If-None-Match before it uses its copy."""
VARY = "Authorization, X-API-Key, Cookie"
"""A browser that is used with two keys must not show the file of one to the other."""


@dataclass(frozen=True)
class Part:
    """A part of a file: index of its first byte, and its number of bytes."""

    start: int
    length: int


def is_known(request: Request, etag: str) -> bool:
    """Return whether If-None-Match names an ETag, compared weakly (section 8.8.3.2)."""
    listed = ",".join(request.headers.getlist("if-none-match")).split(",")
    names = {name.strip().removeprefix("W/") for name in listed}
    return "*" in names or etag.removeprefix("W/") in names


def not_modified(etag: str, cache_control: str) -> Response:
    """Return 304 for a client that has the content already."""
    return Response(status_code=304, headers={"ETag": etag, "Cache-Control": cache_control, "Vary": VARY})


def requested_part(request: Request, etag: str, size: int) -> Part | None:
    """Return the part that Range names; None for the whole file. RangeNotSatisfiable: it is beyond the end.

    A Range with an If-Range other than the strong ETag is ignored: the client's parts are of another file.
    """
    match = _RANGE.fullmatch(request.headers.get("range", "").replace(" ", "").lower())
    if match is None or match[0] == "bytes=-" or request.headers.get("if-range", etag) != etag:
        return None
    first, last = match[1], match[2]
    if not first:
        length = min(int(last), size)
        start, end = size - length, size
    else:
        start, end = int(first), min(int(last or size - 1) + 1, size)
        if last and int(last) < int(first):
            return None
    if start >= size or end <= start:
        raise RangeNotSatisfiable(
            f"The file has {size} bytes, and the range begins behind them. Send a range within the file.",
            details={"pointer": "Range", "size_bytes": str(size)},
        )
    return Part(start, end - start)


def described(size: int, media_type: str, headers: Mapping[str, str]) -> Response:
    """Return the response to HEAD for a file of this size: Range is defined for GET alone (section 14.2)."""
    described = {**headers, "Accept-Ranges": "bytes", "Content-Length": str(size)}
    return Response(media_type=media_type, headers=described)


def file_response(
    file: BinaryIO,
    files: AsyncExitStack,
    *,
    part: Part | None,
    size: int,
    media_type: str,
    headers: Mapping[str, str],
) -> Response:
    """Return a response that streams an open file or a part of it; `files` is closed at its end."""
    chunks = _chunks(file, files, part or Part(0, size))
    return stream_response(chunks, part=part, size=size, media_type=media_type, headers=headers)


def stream_response(
    chunks: AsyncIterator[bytes],
    *,
    part: Part | None,
    size: int,
    media_type: str,
    headers: Mapping[str, str],
) -> Response:
    """Return a response with the chunks of a file of this size, or of a part of it."""
    length = size if part is None else part.length
    described = {**headers, "Accept-Ranges": "bytes", "Content-Length": str(length)}
    if part is not None:
        described["Content-Range"] = f"bytes {part.start}-{part.start + part.length - 1}/{size}"
    return StreamingResponse(
        chunks, status_code=200 if part is None else 206, media_type=media_type, headers=described
    )


async def _chunks(file: BinaryIO, files: AsyncExitStack, part: Part) -> AsyncIterator[bytes]:
    """Yield a part of a file in chunks; closes the file at the end."""
    async with files:
        left = part.length
        await asyncio.to_thread(file.seek, part.start)
        while left > 0 and (chunk := await asyncio.to_thread(file.read, min(_READ_BYTES, left))):
            left -= len(chunk)
            yield chunk
