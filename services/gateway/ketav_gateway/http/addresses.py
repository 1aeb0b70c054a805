"""ASGI middleware: an address with or without its last slash, HEAD for each GET, and the routes of a path."""

from collections.abc import Sequence

import anyio
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_METHODS = ("DELETE", "GET", "PATCH", "POST", "PUT")


def methods_of(routes: Sequence[BaseRoute], scope: Scope, path: str) -> list[str]:
    """Return the methods of all routes of an address; Starlette names those of the first route alone."""
    at_path = {**scope, "path": path, "raw_path": path.encode()}
    methods = [
        method
        for method in _METHODS
        if any(route.matches({**at_path, "method": method})[0] is Match.FULL for route in routes)
    ]
    return sorted([*methods, "HEAD"]) if "GET" in methods else methods


def other_address(path: str) -> str:
    """Return a path with a slash at the end, or without the one it has."""
    return path[:-1] if path.endswith("/") and not path.endswith("//") else f"{path}/"


HEAD = "ketav.head"
"""Key of the scope of a HEAD request that is served as GET: a route may spare itself the body."""


class Addresses:
    """Serves an address that lacks its last slash, or has one too many, like the address of its route.

    There is no redirect: clients drop the body or the Authorization header when they follow one. A HEAD
    request is served as GET without the body.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Take the wrapped application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request at the address of its route."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        routes: Sequence[BaseRoute] = scope["app"].routes
        other = other_address(scope["path"])
        if not methods_of(routes, scope, scope["path"]) and methods_of(routes, scope, other):
            # The scope itself is changed: the middleware around this one logs the route that is set in it.
            scope["path"], scope["raw_path"] = other, other.encode()
        if scope["method"] == "HEAD":
            await self._serve_head(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _serve_head(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a HEAD request: the headers of GET, then the end of the response."""

        async def send_headers(message: Message) -> None:
            """Send the headers and end the response; a body that is streamed is cancelled."""
            if message["type"] == "http.response.start":
                await send(message)
                await send({"type": "http.response.body", "body": b"", "more_body": False})
            elif message.get("more_body", False):
                serving.cancel()

        scope["method"], scope[HEAD] = "GET", True
        try:
            with anyio.CancelScope() as serving:
                await self._app(scope, receive, send_headers)
        finally:
            scope["method"] = "HEAD"
