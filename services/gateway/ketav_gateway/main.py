"""The gateway process: builds the components and serves the application."""

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import NoReturn

import grpc
import uvicorn
from fastapi import FastAPI
from prometheus_client import REGISTRY, CollectorRegistry

from ketav_common import rpc
from ketav_common.circuit import Circuit
from ketav_common.images import ImageNormaliser
from ketav_common.logging import configure
from ketav_common.settings import load
from ketav_common.telemetry import metrics_server
from ketav_common.tracing_export import exporting_spans
from ketav_gateway.app import create_app
from ketav_gateway.http.authentication import Authenticator, resolve_api_key
from ketav_gateway.http.dependencies import Components
from ketav_gateway.http.health import HealthProbe
from ketav_gateway.http.limits import ConcurrencyLimit
from ketav_gateway.http.line_images import LineImages
from ketav_gateway.http.links import Links
from ketav_gateway.http.rates import RateLimits, shared_storage
from ketav_gateway.http.server import protocol
from ketav_gateway.http.sessions import Sessions
from ketav_gateway.http.spool import Spool
from ketav_gateway.pages.export_jobs import exporting
from ketav_gateway.services import DESCRIPTORS, Deadlines, connect
from ketav_gateway.settings import GatewaySettings

_MAX_HEADER_BYTES = 32 * 1024
"""Bytes of a request's line and headers: those of browsers have below 8 KiB."""
_KEEP_ALIVE_S = 15
_BACKLOG = 2048
"""Connections that wait to be accepted: uvicorn's default."""


@asynccontextmanager
async def _watched(circuit: Circuit, channel: grpc.aio.Channel) -> AsyncIterator[None]:
    """Probe the service of a channel inside the context."""
    watching = asyncio.create_task(circuit.watch(channel))
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.wait([watching])


async def _channels(
    settings: GatewaySettings, circuits: Mapping[str, Circuit], stack: AsyncExitStack
) -> dict[str, grpc.aio.Channel]:
    """Return an open channel for each service, with its circuit; the stack closes it."""
    addresses = {
        "registry": settings.registry_address,
        "recognizer": settings.recognizer_address,
        "trainer": settings.trainer_address,
    }
    channels = {}
    for name, address in addresses.items():
        circuit = circuits[name]
        opened = rpc.channel(address, settings.signer(), services=DESCRIPTORS[name], circuit=circuit)
        channels[name] = await stack.enter_async_context(opened)
        await stack.enter_async_context(_watched(circuit, channels[name]))
    return channels


def _deadlines(settings: GatewaySettings) -> Deadlines:
    """Return the deadlines of calls."""
    return Deadlines(
        short_s=settings.call_timeout_s,
        store_s=settings.store_timeout_s,
        recognize_s=settings.recognize_timeout_s,
        recognize_line_s=settings.recognize_line_timeout_s,
        watch_s=settings.watch_timeout_s,
    )


def _images(settings: GatewaySettings) -> ImageNormaliser:
    """Return the pool of processes that decode uploads."""
    return ImageNormaliser(
        workers=settings.image_workers,
        timeout_s=settings.image_timeout_s,
        memory_bytes=settings.image_memory_bytes,
    )


async def _rates(settings: GatewaySettings, stack: AsyncExitStack) -> RateLimits:
    """Return the request limits of users and of addresses that send unknown keys."""
    url = settings.redis_url
    shared = None if url is None else shared_storage(url.get_secret_value())
    return RateLimits(
        shared=None if shared is None else await stack.enter_async_context(shared),
        all=settings.rate_limit,
        reading=settings.ocr_rate_limit,
        failed_key=settings.failed_key_rate_limit,
    )


@asynccontextmanager
async def open_components(settings: GatewaySettings) -> AsyncIterator[Components]:
    """Open the channels and start the decoding processes; everything is closed in reverse order."""
    async with AsyncExitStack() as stack:
        circuits = {name: Circuit(name) for name in DESCRIPTORS}
        channels = await _channels(settings, circuits, stack)
        services = connect(channels, _deadlines(settings))
        images = await stack.enter_async_context(_images(settings))
        export_created = await stack.enter_async_context(exporting(services, images, settings))
        yield Components(
            settings=settings,
            services=services,
            images=images,
            line_images=LineImages(images, settings.spool_dir),
            authenticator=Authenticator(
                partial(resolve_api_key, services), ttl_s=settings.key_cache_s, size=settings.key_cache_size
            ),
            links=Links(settings.session_secret.get_secret_value()),
            sessions=Sessions(settings.session_secret.get_secret_value(), settings.session_lifetime_s),
            rates=await _rates(settings, stack),
            uploads=ConcurrencyLimit(settings.max_uploads, settings.max_uploads_per_user, "uploads"),
            imports=ConcurrencyLimit(settings.max_imports, settings.max_imports_per_user, "imports"),
            exports=ConcurrencyLimit(settings.max_exports, settings.max_exports_per_user, "exports"),
            export_created=export_created,
            spool=Spool(settings.max_spool_bytes),
            health=HealthProbe(channels, settings.health_timeout_s, circuits),
        )


def build(settings: GatewaySettings, metrics: CollectorRegistry = REGISTRY) -> FastAPI:
    """Return the application for these settings."""
    return create_app(settings, lambda: open_components(settings), metrics)


def uvicorn_config(settings: GatewaySettings, app: FastAPI) -> uvicorn.Config:
    """Return the configuration of the server: HTTP/1.1 by h11, limited headers, only Ketav's own logs."""
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=protocol(settings.header_timeout_s),
        ws="none",
        loop="asyncio",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.forwarded_allow_ips),
        forwarded_allow_ips=settings.forwarded_allow_ips,
        h11_max_incomplete_event_size=_MAX_HEADER_BYTES,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=round(settings.drain_seconds),
    )


def listen(settings: GatewaySettings) -> socket.socket:
    """Return a socket that listens on KETAV_HOST and KETAV_PORT; raises SystemExit with a sentence."""
    try:
        family, _, _, _, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[
            0
        ]
        return socket.create_server(address, family=family, backlog=_BACKLOG)
    except OSError as error:
        raise SystemExit(
            f"KETAV_HOST and KETAV_PORT name {settings.host}:{settings.port}, where the gateway cannot "
            f"listen ({error.strerror}). Stop the program that uses it, or set KETAV_PORT to another one."
        ) from None


def _exit(_number: int, _frame: object) -> NoReturn:
    """Exit with status 0: uvicorn raises the signal that stopped it again after it has finished."""
    sys.exit(0)


def main() -> None:
    """Serve requests and, on another port, metrics until SIGTERM or SIGINT; then finish the requests.

    The settings come from KETAV_… variables; a wrong one ends the process.
    """
    settings = load(GatewaySettings)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _exit)
    configure("gateway", settings.log_level)
    with (
        metrics_server(settings.metrics_host, settings.metrics_port),
        exporting_spans("gateway", settings.otlp_endpoint),
        listen(settings) as listening,
    ):
        uvicorn.Server(uvicorn_config(settings, build(settings))).run(sockets=[listening])


if __name__ == "__main__":
    main()
