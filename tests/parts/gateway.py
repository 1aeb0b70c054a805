"""A real gateway in front of services in memory, called through ASGI in this process or over a socket."""

import asyncio
import io
import json
import re
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from PIL import Image
from prometheus_client import CollectorRegistry

from ketav_common.rpc import Server, build_server
from ketav_gateway.http.openapi import operations
from ketav_gateway.main import build, uvicorn_config
from ketav_gateway.settings import GatewaySettings
from tests.parts.identities import SIGNER, gateway_keys
from tests.parts.in_memory import State, adders
from tests.parts.in_memory.state import User

KEY = "ktv_firstkey_" + "a" * 43
OTHER_KEY = "ktv_otherkey_" + "b" * 43


@dataclass
class Gateway:
    """A running gateway, clients of two users and one without a key, and the services with their state."""

    client: httpx.AsyncClient
    other: httpx.AsyncClient
    anonymous: httpx.AsyncClient
    state: State
    settings: GatewaySettings
    servers: dict[str, Server] = field(default_factory=dict)
    url: str = ""
    metrics: CollectorRegistry = field(default_factory=CollectorRegistry)

    @property
    def user(self) -> User:
        """Return the data of the first user."""
        return self.state.user_of(KEY)


def png(width: int = 100, height: int = 80) -> bytes:
    """Return a small PNG with a gradient."""
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).save(buffer, "PNG")
    return buffer.getvalue()


async def upload(client: httpx.AsyncClient, data: bytes | None = None, /, **fields: str) -> httpx.Response:
    """Post an image to /ocr/."""
    return await client.post("/ocr/", files={"file": ("page.png", data or png())}, data=fields)


def without_trace(response: httpx.Response) -> bytes:
    """Return the body of a problem without the id of the request's trace, which differs in each response."""
    return re.sub(rb',"trace_id":"[0-9a-f]{32}"', b"", response.content)


@asynccontextmanager
async def services_in_memory(folder: Path, state: State, settings: GatewaySettings) -> AsyncIterator[Any]:
    """Run the three services on unix sockets."""
    servers: dict[str, Server] = {}
    for name, add in adders(state).items():
        servers[name] = build_server(add, bind=f"unix:{folder}/{name}.sock", signer=SIGNER, service=name)
        await servers[name].grpc.start()
        await servers[name].set_serving(True)
    try:
        yield servers
    finally:
        await asyncio.gather(*(server.grpc.stop(0) for server in servers.values()))


def gateway_settings(folder: Path, **changes: Any) -> GatewaySettings:
    """Return settings for services on unix sockets in a folder."""
    spool = folder / "spool"
    spool.mkdir(exist_ok=True)
    defaults: dict[str, Any] = {
        **gateway_keys(),
        "registry_address": f"unix:{folder}/registry.sock",
        "recognizer_address": f"unix:{folder}/recognizer.sock",
        "trainer_address": f"unix:{folder}/trainer.sock",
        "spool_dir": spool,
        "port": 0,
        "image_workers": 1,
        "key_cache_s": 30,  # tests that count calls would count the look-up of a key on a slow machine
        "max_uploads_per_user": 16,
        "rate_limit": "100000/minute",
        "ocr_rate_limit": "100000/minute",
        "failed_key_rate_limit": "100000/minute",
    }
    return GatewaySettings(**(defaults | changes))


@cache
def _documented() -> dict[tuple[str, re.Pattern[str]], Any]:
    """Return the described responses of each operation, operations without parameters in the path first."""
    settings = GatewaySettings(**gateway_keys())
    described = sorted(
        operations(build(settings, CollectorRegistry()).openapi()), key=lambda entry: entry[0].count("{")
    )
    return {
        (method.upper(), re.compile(re.sub(r"{\w+}", "[^/]+", path))): operation["responses"]
        for path, method, operation in described
    }


async def check_documented(response: httpx.Response) -> None:
    """Fail if a response is a problem that the description does not list for its operation."""
    is_problem = response.headers.get("content-type") == "application/problem+json"
    if not is_problem or response.request.method == "HEAD":
        return
    code = json.loads(await response.aread())["code"]
    request = response.request
    for (method, path), listed in _documented().items():
        if method == request.method and path.fullmatch(request.url.path):
            [content] = listed[str(response.status_code)]["content"].values()
            assert code in content["examples"], f"{method} {request.url.path} does not list {code}"
            return


@asynccontextmanager
async def in_process_gateway(folder: Path, **changes: Any) -> AsyncIterator[Gateway]:
    """Run a gateway in this process, called through ASGI; its problems must be documented ones."""
    settings = gateway_settings(folder, **changes)
    state = State()
    metrics = CollectorRegistry()
    app = build(settings, metrics)
    transport = httpx.ASGITransport(app, client=("192.0.2.1", 1))

    def client(key: str | None) -> httpx.AsyncClient:
        """Return a client with a key."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return httpx.AsyncClient(
            transport=transport,
            base_url="http://gateway",
            headers=headers,
            timeout=60,
            event_hooks={"response": [check_documented]},
        )

    async with AsyncExitStack() as stack:
        servers = await stack.enter_async_context(services_in_memory(folder, state, settings))
        await stack.enter_async_context(app.router.lifespan_context(app))
        first, other, anonymous = [
            await stack.enter_async_context(client(key)) for key in (KEY, OTHER_KEY, None)
        ]
        state.add_key(KEY)
        state.add_key(OTHER_KEY)
        yield Gateway(first, other, anonymous, state, settings, servers, metrics=metrics)


@asynccontextmanager
async def served_gateway(folder: Path, **changes: Any) -> AsyncIterator[Gateway]:
    """Run a gateway in this process on a socket, as `main` does."""
    settings = gateway_settings(folder, **changes)
    state = State()
    server = uvicorn.Server(uvicorn_config(settings, build(settings, CollectorRegistry())))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with AsyncExitStack() as stack:
            servers = await stack.enter_async_context(services_in_memory(folder, state, settings))
            task = asyncio.create_task(server.serve([listener]))
            while not server.started:
                await asyncio.sleep(0.01)
                if task.done():
                    task.result()
            first, other, anonymous = [
                await stack.enter_async_context(httpx.AsyncClient(base_url=url, headers=headers, timeout=60))
                for headers in ({"X-API-Key": KEY}, {"X-API-Key": OTHER_KEY}, {})
            ]
            state.add_key(KEY)
            state.add_key(OTHER_KEY)
            try:
                yield Gateway(first, other, anonymous, state, settings, servers, url)
            finally:
                server.should_exit = True
                await task
