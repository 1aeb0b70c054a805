"""The page /docs: Swagger UI from the package fastapi-offline, loaded from this server alone."""

from importlib.resources import files

from fastapi import APIRouter, HTTPException
from fastapi.responses import Response

router = APIRouter(prefix="/docs", include_in_schema=False)

_SWAGGER_UI = files("fastapi_offline") / "static"
_PAGE = files("ketav_gateway.http") / "docs_page"
_FILES = {
    "swagger-ui-bundle.js": (_SWAGGER_UI, "text/javascript"),
    "swagger-ui.css": (_SWAGGER_UI, "text/css"),
    "docs.js": (_PAGE, "text/javascript"),
    "docs.css": (_PAGE, "text/css"),
}
_CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Only this server's scripts, no inline ones. Swagger UI sets inline styles and has images as data URLs."""
_CACHE_CONTROL = "public, max-age=3600"


@router.get("")
async def page() -> Response:
    """Return the page."""
    return Response(
        (_PAGE / "docs.html").read_bytes(),
        media_type="text/html; charset=utf-8",
        headers={"Content-Security-Policy": _CONTENT_SECURITY_POLICY},
    )


@router.get("/{name}")
async def asset(name: str) -> Response:
    """Return a JavaScript or CSS file of the page."""
    if name not in _FILES:
        raise HTTPException(404)
    folder, media_type = _FILES[name]
    return Response(
        (folder / name).read_bytes(), media_type=media_type, headers={"Cache-Control": _CACHE_CONTROL}
    )
