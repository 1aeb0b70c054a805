"""The correction page: static files with a strict policy, cached by their names."""

import re

import pytest

from ketav_gateway.http import web
from tests.parts.gateway import Gateway

FIRST_VIEW_BYTES = 200_000
"""Compressed bytes of all files that the first view loads, the viewer of pages included."""
NAMES = sorted(file.name for file in (web._BUILT / "assets").iterdir())


async def test_the_page_needs_no_key_and_allows_this_server_alone(gateway: Gateway) -> None:
    """Nothing inline, no other host, no frame; a new version is seen at once."""
    response = await gateway.anonymous.get("/")
    assert (response.status_code, response.headers["cache-control"]) == (200, "no-cache")
    policy = dict(part.split(" ", 1) for part in response.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert {policy[name] for name in ("script-src", "style-src", "connect-src")} == {"'self'"}
    assert policy["frame-ancestors"] == "'none'"
    assert "unsafe" not in response.headers["content-security-policy"]
    assert not re.search(r"<style|<script(?![^>]* src=)|\son\w+=|\sstyle=|https?://", response.text)
    same = await gateway.anonymous.get("/", headers={"If-None-Match": response.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    assert gateway.state.calls == []


@pytest.mark.parametrize("name", NAMES)
async def test_files_are_cached_for_a_year_by_a_name_with_their_digest(gateway: Gateway, name: str) -> None:
    """A changed file has another name."""
    response = await gateway.anonymous.get(f"/assets/{name}")
    assert response.status_code == 200
    assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert re.fullmatch(r"\w+-[\w-]{8}\.(js|css|svg)", name)
    assert response.content == (web._BUILT / "assets" / name).read_bytes()


@pytest.mark.parametrize("name", ["index.html", "unknown.js", "..%2findex.html", "%2e%2e%2fweb.py"])
async def test_other_names_are_404(gateway: Gateway, name: str) -> None:
    """No file outside of the built ones."""
    assert (await gateway.anonymous.get(f"/assets/{name}")).status_code == 404


async def test_the_first_view_has_less_than_200_kilobytes(gateway: Gateway) -> None:
    """As they are sent to a browser, compressed by Brotli; every file that the document names is there."""
    document = (await gateway.anonymous.get("/")).text
    assert set(re.findall(r'"\./assets/([^"]+)"', document)) <= set(NAMES)
    sizes = []
    for path in ("/", *(f"/assets/{name}" for name in NAMES)):
        async with gateway.anonymous.stream("GET", path, headers={"Accept-Encoding": "br"}) as response:
            sizes.append(len(b"".join([part async for part in response.aiter_raw()])))
    assert sum(sizes) < FIRST_VIEW_BYTES
    assert sizes[0] < 1000
