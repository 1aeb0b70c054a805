"""Compression of JSON and text by Brotli or gzip, as the client's Accept-Encoding allows."""

from fastapi import FastAPI
from starlette_compress import CompressMiddleware, add_compress_type, remove_compress_type

_MIN_BYTES = 1024
"""Shorter bodies fit into one packet either way."""
_EXPORT_TYPES = ("application/alto+xml", "application/vnd.prima.page+xml", "text/vnd.hocr+html")
_EVENTS = "text/event-stream"


def compress(app: FastAPI) -> None:
    """Compress responses of at least 1 KiB, except images, parts of files and streams of events.

    Images are compressed already. A buffer between a run and its client would delay events.
    """
    for media_type in _EXPORT_TYPES:
        add_compress_type(media_type)
    remove_compress_type(_EVENTS)
    app.add_middleware(CompressMiddleware, minimum_size=_MIN_BYTES, zstd=False)
