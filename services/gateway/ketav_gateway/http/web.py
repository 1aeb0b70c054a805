"""The correction page at /: files that `make web` builds from web/, served as they are.

The document is requested again each time and names the scripts and styles by their digest; those are cached
for a year. The policy allows this server's files alone, and nothing inline.
"""

import hashlib
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

from ketav_gateway.http.files import is_known

router = APIRouter(include_in_schema=False)

_BUILT = files("ketav_gateway.http") / "web_page"
_MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_IMMUTABLE = "public, max-age=31536000, immutable"
"""The name of a file has the digest of its content, which belongs to no user."""


@cache
def _document() -> bytes:
    """Return the document; it is read once."""
    return (_BUILT / "index.html").read_bytes()


@cache
def _assets() -> dict[str, Traversable]:
    """Return the scripts, styles and pictures by their names."""
    return {file.name: file for file in (_BUILT / "assets").iterdir()}


@router.get("/")
async def page(request: Request) -> Response:
    """Return the page."""
    content = _document()
    etag = f'W/"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {"Cache-Control": "no-cache", "Content-Security-Policy": _CONTENT_SECURITY_POLICY, "ETag": etag}
    if is_known(request, etag):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type="text/html; charset=utf-8", headers=headers)


@router.get("/assets/{name}")
async def asset(name: str) -> Response:
    """Return a script, a CSS file or a picture of the page."""
    file = _assets().get(name)
    if file is None:
        raise HTTPException(404)
    suffix = name[name.rindex(".") :]
    return Response(file.read_bytes(), media_type=_MEDIA_TYPES[suffix], headers={"Cache-Control": _IMMUTABLE})
