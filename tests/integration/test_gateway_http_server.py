"""The gateway on a socket: hostile and slow clients, overload, and a stop while requests are in progress."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.parts.archives import zipped
from tests.parts.bad_images import bad_images
from tests.parts.gateway import (
    KEY,
    OTHER_KEY,
    Gateway,
    gateway_settings,
    png,
    served_gateway,
    services_in_memory,
    upload,
)
from tests.parts.identities import identity_keys
from tests.parts.in_memory import State

HOST = f"Host: gateway\r\nX-API-Key: {KEY}\r\n".encode()


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    """Serve a gateway with short timeouts."""
    async with served_gateway(
        tmp_path,
        header_timeout_s=0.5,
        chunk_timeout_s=0.5,
        body_timeout_s=1.5,
        max_requests=20,
        max_uploads=20,
        max_uploads_per_user=20,
    ) as running:
        yield running


async def talk(gateway: Gateway, *pieces: bytes, pause_s: float = 0.0) -> bytes:
    """Send raw bytes with pauses between them; return all that is received until the connection ends."""
    address = httpx.URL(gateway.url)
    reader, writer = await asyncio.open_connection(address.host, address.port)
    reading = asyncio.create_task(_read(reader))
    try:
        for piece in pieces:
            if reading.done():
                break
            writer.write(piece)
            with contextlib.suppress(ConnectionError):
                await writer.drain()
            await asyncio.sleep(pause_s)
        return await asyncio.wait_for(reading, 15)
    finally:
        writer.close()


async def _read(reader: asyncio.StreamReader) -> bytes:
    """Return all that is received until the connection ends or fails."""
    received = b""
    with contextlib.suppress(ConnectionError):
        while piece := await reader.read(65536):
            received += piece
    return received


def problem(response: bytes) -> tuple[int, str]:
    """Return status and code of a raw response, which names a trace."""
    head, _, body = response.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head, response[:500]
    document = json.loads(body)
    assert len(document["trace_id"]) == 32
    return int(head.split()[1]), document["code"]


MANY_HEADERS = b"".join(b"X-%03d: %s\r\n" % (number, b"a" * 91) for number in range(400))
"""Forty kilobytes of headers, none of which is long."""
MALFORMED = {
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n",
    "a header of 1 MB": b"GET /livez HTTP/1.1\r\nHost: a\r\nX-A: " + b"a" * 1_000_000 + b"\r\n\r\n",
    "40 kB of headers": b"GET /livez HTTP/1.1\r\n" + HOST + MANY_HEADERS + b"\r\n",
    "a target of 40 kB": b"GET /livez?a=" + b"a" * 40_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "a negative length": b"POST /feedback/ HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n",
    "two lengths": b"POST /feedback/ HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "no host": b"GET /livez HTTP/1.1\r\n\r\n",
    "a bad chunk": b"POST /feedback/ HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip\r\n\r\n",
}


@pytest.mark.parametrize("request_bytes", MALFORMED.values(), ids=MALFORMED)
async def test_a_request_that_is_no_http_is_a_400_problem(gateway: Gateway, request_bytes: bytes) -> None:
    """The connection gets a problem, and the next client is served."""
    status, code = problem(await talk(gateway, request_bytes))
    assert (status, code) == (400, "malformed-request")
    assert (await gateway.anonymous.get("/livez")).status_code == 200


async def test_thirty_kilobytes_of_headers_are_served(gateway: Gateway) -> None:
    """The limit is above what browsers and proxies send."""
    some = MANY_HEADERS[:30_000]
    answer = await talk(gateway, b"GET /livez HTTP/1.1\r\n" + HOST + some + b"Connection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200")


async def test_headers_that_never_end_are_cut_off(gateway: Gateway) -> None:
    """The connection of a client that sends its headers slowly, or none, is closed."""
    started = time.monotonic()
    dripping = talk(gateway, b"GET /livez HTTP/1.1\r\n", *[b"X-A: b\r\n"] * 10, pause_s=0.2)
    silent = talk(gateway)
    assert list(await asyncio.gather(dripping, silent)) == [b"", b""]
    assert time.monotonic() - started < 5


async def test_a_second_request_with_dripping_headers_is_cut_off_too(gateway: Gateway) -> None:
    """The timeout applies to each request of a connection."""
    first = b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"
    started = time.monotonic()
    response = await talk(gateway, first, b"GET /livez HTTP/1.1\r\n", *[b"X-A: b\r\n"] * 10, pause_s=0.2)
    assert response.count(b"HTTP/1.1 200") == 1
    assert time.monotonic() - started < 5


async def test_a_slow_body_is_408(gateway: Gateway) -> None:
    """After one long pause, and after many short ones; no spooled file remains."""
    head = b"POST /ocr/ HTTP/1.1\r\n" + HOST
    head += b"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000\r\n\r\n--b\r\n"
    assert problem(await talk(gateway, head)) == (408, "request-timeout")
    drip = [b"Content-Disposition: form-data; "] + [b" "] * 20
    assert problem(await talk(gateway, head, *drip, pause_s=0.2)) == (408, "request-timeout")
    assert gateway.settings.spool_dir is not None
    assert list(gateway.settings.spool_dir.iterdir()) == []


async def test_a_body_below_the_minimum_rate_is_408_however_steadily_it_drips(tmp_path: Path) -> None:
    """A megabyte that has arrived buys no more time than the first byte."""
    settings = {"chunk_timeout_s": 30, "body_timeout_s": 60, "body_grace_s": 1.0, "min_body_rate": 1000}
    async with served_gateway(tmp_path, **settings) as gateway:
        head = b"POST /ocr/ HTTP/1.1\r\n" + HOST
        head += b"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 9000000\r\n\r\n--b\r\n"
        head += b'Content-Disposition: form-data; name="file"\r\n\r\n'
        for pieces in ([head], [head, bytes(1_000_000)]):
            began = time.monotonic()
            answer = await talk(gateway, *pieces, *[b"x"] * 100, pause_s=0.1)
            assert problem(answer) == (408, "request-timeout")
            assert time.monotonic() - began < 8


async def test_slow_bodies_of_one_user_take_no_slot_of_another(tmp_path: Path) -> None:
    """Slots are for uploads and archives that have arrived: uploads and imports of others go on."""
    limits = {"max_uploads": 2, "max_uploads_per_user": 2, "max_imports": 1}
    async with served_gateway(tmp_path, **limits) as gateway:
        projects = [
            (await client.post("/projects/", json={"name": "p"})).json()["project_id"]
            for client in (gateway.client, gateway.other)
        ]
        head = "POST {} HTTP/1.1\r\nHost: gateway\r\nX-API-Key: " + OTHER_KEY
        head += "\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 9000\r\n\r\n--b\r\n"
        paths = ["/ocr/"] * 4 + [f"/projects/{projects[1]}/ground-truth"] * 2
        slow = [asyncio.create_task(talk(gateway, head.format(path).encode())) for path in paths]
        await asyncio.sleep(0.5)
        assert (await upload(gateway.client)).status_code == 201
        archive = {"file": ("a.zip", zipped({"a.png": png(), "a.gt.txt": "שלום".encode()}))}
        imported = await gateway.client.post(f"/projects/{projects[0]}/ground-truth", files=archive)
        assert imported.status_code == 201, imported.text
        assert not any(task.done() for task in slow)
        for task in slow:
            task.cancel()
        await asyncio.wait(slow)


async def test_a_30_mb_upload_sees_its_413(gateway: Gateway) -> None:
    """The client receives the response although the file was refused before its end."""
    response = await upload(gateway.client, b"\x89PNG\r\n\x1a\n" + bytes(30_000_000))
    assert (response.status_code, response.json()["code"]) == (413, "file-too-large")


async def test_endless_chunks_end_with_413(tmp_path: Path) -> None:
    """A body without a length is counted while it arrives; on a busy machine that takes seconds."""
    form = b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\n\x89PNG\r\n\x1a\n'
    head = b"POST /ocr/ HTTP/1.1\r\n" + HOST
    head += b"Content-Type: multipart/form-data; boundary=b\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"100000\r\n" + bytes(0x100000) + b"\r\n"
    async with served_gateway(tmp_path, body_timeout_s=60) as gateway:
        response = await talk(gateway, head + b"%x\r\n" % len(form) + form + b"\r\n", *[chunk] * 100)
        assert problem(response) == (413, "file-too-large")
        assert (await gateway.anonymous.get("/livez")).status_code == 200


async def test_a_refused_client_that_waits_for_continue_is_not_asked_to_send(gateway: Gateway) -> None:
    """401 comes instead of 100 Continue."""
    head = b"POST /ocr/ HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 20000000\r\n"
    response = await talk(gateway, head + b"Content-Type: multipart/form-data; boundary=b\r\n\r\n")
    assert b"100 Continue" not in response
    assert problem(response) == (401, "unauthenticated")


async def test_an_upload_that_is_broken_off_leaves_nothing(gateway: Gateway) -> None:
    """No spooled file, no page, no error."""
    address = httpx.URL(gateway.url)
    _, writer = await asyncio.open_connection(address.host, address.port)
    head = b"POST /ocr/ HTTP/1.1\r\n" + HOST + b"Content-Length: 1000\r\n"
    writer.write(head + b"Content-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\n")
    await writer.drain()
    await asyncio.sleep(0.1)
    writer.close()
    await asyncio.sleep(0.3)
    assert gateway.settings.spool_dir is not None
    assert list(gateway.settings.spool_dir.iterdir()) == []
    assert "CreatePage" not in gateway.state.calls


async def test_too_many_requests_at_once_are_503_and_the_rest_is_served(gateway: Gateway) -> None:
    """Twenty are served, further ones get 503, and /livez answers throughout."""
    gateway.state.recognize_s = 1.0
    limits = httpx.Limits(max_connections=60)
    async with httpx.AsyncClient(base_url=gateway.url, headers={"X-API-Key": KEY}, limits=limits) as client:
        flood = asyncio.gather(*(upload(client) for _ in range(40)))
        await _called(gateway.state, "RecognizePage", 1)
        assert (await gateway.anonymous.get("/livez")).status_code == 200
        responses = await flood
    statuses = [response.status_code for response in responses]
    assert set(statuses) == {201, 503}
    refused = next(response for response in responses if response.status_code == 503)
    assert refused.json()["code"] == "overloaded"
    assert refused.headers["retry-after"]


@contextlib.asynccontextmanager
async def gateway_process(
    folder: Path, state: State
) -> AsyncIterator[tuple[asyncio.subprocess.Process, httpx.AsyncClient]]:
    """Run the gateway as its own process in front of services in memory; kill it if it still runs."""
    settings = gateway_settings(folder)
    state.add_key(KEY)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    services = {name: f"unix:{folder}/{name}.sock" for name in ("registry", "recognizer", "trainer")}
    env = {
        **os.environ,
        **identity_keys("gateway"),
        "KETAV_PORT": str(port),
        **{f"KETAV_{name.upper()}_ADDRESS": address for name, address in services.items()},
        "KETAV_SPOOL_DIR": str(settings.spool_dir),
        "KETAV_OCR_RATE_LIMIT": "1000/minute",
    }
    async with services_in_memory(folder, state, settings):
        log = folder / "gateway.log"
        with log.open("wb") as stderr:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "ketav_gateway.main", env=env, stderr=stderr
            )
        url, headers = f"http://127.0.0.1:{port}", {"X-API-Key": KEY}
        try:
            async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as client:
                await _ready(client)
                yield process, client
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def test_sigterm_finishes_the_requests_in_progress(tmp_path: Path) -> None:
    """The reading in progress gets its response, the one in the background is a job, the status is 0."""
    state = State(recognize_s=1.5)
    async with gateway_process(tmp_path, state) as (process, client):
        later = await client.post("/ocr/", files={"file": png()}, headers={"Prefer": "respond-async"})
        reading = asyncio.create_task(upload(client))
        await _called(state, "RecognizePage", 1)
        process.send_signal(signal.SIGTERM)
        assert (await reading).status_code == 201
        assert await asyncio.wait_for(process.wait(), 20) == 0
    assert [later.json()["job_id"]] == [job_id for user in state.users.values() for job_id in user.jobs]
    log = (tmp_path / "gateway.log").read_text()
    events = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    handled = [event for event in events if event["event"] == "request_handled" and event["route"] == "/ocr/"]
    assert {event["status"] for event in handled} == {201, 202}
    assert all(event["user_id"] in state.keys.values() for event in handled)
    assert KEY not in log


async def test_no_bad_image_ends_or_grows_the_process(tmp_path: Path) -> None:
    """Every bad image: its status and code, no growth over 64 MiB, no spooled file, no page."""
    state = State()
    corpus = [bad for bad in bad_images() if bad.status != 201]
    async with gateway_process(tmp_path, state) as (process, client):
        await upload(client)
        before = psutil.Process(process.pid).memory_info().rss
        for bad in corpus:
            response = await client.post("/ocr/", files={"file": (bad.name, bad.data)})
            assert (response.status_code, response.json()["code"]) == (bad.status, bad.code), bad.name
        grown = psutil.Process(process.pid).memory_info().rss - before
        assert (await upload(client)).status_code == 201
        assert process.returncode is None
    assert grown <= 64 * 1024 * 1024, grown
    assert state.calls.count("CreatePage") == 2
    assert list((tmp_path / "spool").iterdir()) == []


async def _called(state: State, method: str, times: int) -> None:
    """Wait until a method was called so many times."""
    for _ in range(400):
        if state.calls.count(method) >= times:
            return
        await asyncio.sleep(0.02)
    pytest.fail(f"{method} was not called")


async def _ready(client: httpx.AsyncClient) -> None:
    """Wait until the gateway responses."""
    for _ in range(400):
        try:
            if (await client.get("/readyz")).status_code == 200:
                return
        except httpx.TransportError:
            await asyncio.sleep(0.05)
    pytest.fail("the gateway did not start")
