"""Large JSON and text are compressed for clients that accept it; images and events are not."""

import asyncio
from pathlib import Path

import brotli
import httpx
import pytest

from tests.parts.gateway import Gateway, served_gateway, upload
from tests.parts.in_memory.training import add_run


async def raw(
    client: httpx.AsyncClient, path: str, encoding: str, method: str = "GET"
) -> tuple[httpx.Response, bytes]:
    """Return a response and its body as it was sent."""
    async with client.stream(method, path, headers={"Accept-Encoding": encoding}) as response:
        return response, b"".join([chunk async for chunk in response.aiter_raw()])


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip", "gzip"),
        ("br", "br"),
        ("gzip, deflate, br", "br"),
        ("gzip;q=1, br;q=0", "gzip"),
        ("identity", None),
        ("deflate", None),
        ("gzip;q=0", None),
    ],
)
async def test_large_json_is_compressed_as_the_client_accepts(
    gateway: Gateway, accepted: str, encoding: str | None
) -> None:
    """Smaller, with the same content; a cache keeps the forms apart."""
    project_id = (await upload(gateway.client)).json()["project_id"]
    await asyncio.gather(*(upload(gateway.client, project_id=project_id) for _ in range(4)))
    path = f"/projects/{project_id}"
    plain = (await raw(gateway.client, path, "identity"))[1]
    response, body = await raw(gateway.client, path, accepted)
    assert response.headers.get("content-encoding") == encoding
    assert int(response.headers["content-length"]) == len(body)
    if encoding is not None:
        assert len(body) < len(plain) / 2
        assert "Accept-Encoding" in response.headers["vary"]
    if encoding == "br":
        assert brotli.decompress(body) == plain
    head, nothing = await raw(gateway.client, path, accepted, "HEAD")
    assert nothing == b""
    assert head.headers.get("content-encoding") == encoding
    assert head.headers["content-length"] == response.headers["content-length"]


async def test_small_responses_and_images_are_sent_as_they_are(gateway: Gateway) -> None:
    """Also parts of an image; its strong ETag stays that of the bytes."""
    read = (await upload(gateway.client)).json()
    file = f"/projects/{read['project_id']}/images/{read['image_id']}/file"
    for path in ("/livez", "/models/policy", file):
        assert "content-encoding" not in (await raw(gateway.client, path, "br, gzip"))[0].headers
    assert (await raw(gateway.client, file, "br"))[1] == gateway.state.page(read["image_id"]).image


async def test_an_export_is_compressed_and_known_by_one_etag(gateway: Gateway) -> None:
    """The ETag is weak: it names the text in every encoding."""
    read = (await upload(gateway.client)).json()
    path = f"/projects/{read['project_id']}/images/{read['image_id']}/export?format=alto"
    small, plain = [(await raw(gateway.client, path, encoding))[0] for encoding in ("br", "identity")]
    assert small.headers["content-encoding"] == "br"
    assert small.headers["etag"] == plain.headers["etag"]
    assert small.headers["etag"].startswith("W/")
    assert {"Authorization", "Accept-Encoding"} <= {*small.headers["vary"].split(", ")}


async def test_events_are_sent_at_once_and_not_compressed(tmp_path: Path) -> None:
    """The first event arrives while the stream goes on."""
    async with served_gateway(tmp_path) as gateway:
        path = f"/train/{add_run(gateway.user).run_id}/events"
        async with gateway.client.stream("GET", path, headers={"Accept-Encoding": "br, gzip"}) as response:
            assert "content-encoding" not in response.headers
            first = await asyncio.wait_for(anext(response.aiter_raw()), 10)
    assert b"event: queued" in first
