"""The gateway process: the only place where its adapters are built."""

import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import NoReturn

import grpc
import uvicorn
from fastapi import FastAPI
from prometheus_client import REGISTRY, CollectorRegistry

from ketav.recognizer.v1 import recognizer_pb2
from ketav.registry.v1 import (
    accounts_pb2,
    corrections_pb2,
    ground_truth_pb2,
    models_pb2,
    next_lines_pb2,
    pages_pb2,
    projects_pb2,
    training_pb2,
    transcriptions_pb2,
    webhooks_pb2,
)
from ketav.trainer.v1 import trainer_pb2
from ketav_common import rpc
from ketav_common.images import ImageNormaliser
from ketav_common.logging import configure
from ketav_gateway.app import create_app
from ketav_gateway.clients import Deadlines, Recognizer, Registry, Trainer
from ketav_gateway.clients_account import Account
from ketav_gateway.health import Probe
from ketav_gateway.parts import Parts
from ketav_gateway.rates import Rates
from ketav_gateway.readings import Readings
from ketav_gateway.security import Authenticator
from ketav_gateway.server import protocol
from ketav_gateway.settings import GatewaySettings
from ketav_gateway.slots import Slots

_MAX_HEADER_BYTES = 32 * 1024
_SERVICES = {
    "registry": [
        *accounts_pb2.DESCRIPTOR.services_by_name.values(),
        *projects_pb2.DESCRIPTOR.services_by_name.values(),
        *pages_pb2.DESCRIPTOR.services_by_name.values(),
        *transcriptions_pb2.DESCRIPTOR.services_by_name.values(),
        *corrections_pb2.DESCRIPTOR.services_by_name.values(),
        *ground_truth_pb2.DESCRIPTOR.services_by_name.values(),
        *training_pb2.DESCRIPTOR.services_by_name.values(),
        *models_pb2.DESCRIPTOR.services_by_name.values(),
        *next_lines_pb2.DESCRIPTOR.services_by_name.values(),
        *webhooks_pb2.DESCRIPTOR.services_by_name.values(),
    ],
    "recognizer": [*recognizer_pb2.DESCRIPTOR.services_by_name.values()],
    "trainer": [*trainer_pb2.DESCRIPTOR.services_by_name.values()],
}


async def _channels(settings: GatewaySettings, stack: AsyncExitStack) -> dict[str, grpc.aio.Channel]:
    """Open a channel to each service; the stack closes it."""
    addresses = {
        "registry": settings.registry_address,
        "recognizer": settings.recognizer_address,
        "trainer": settings.trainer_address,
    }
    return {
        name: await stack.enter_async_context(
            rpc.channel(address, settings.signer(), services=_SERVICES[name])
        )
        for name, address in addresses.items()
    }


def _deadlines(settings: GatewaySettings) -> Deadlines:
    """Return what calls may take."""
    return Deadlines(
        settings.call_timeout_s,
        settings.store_timeout_s,
        settings.recognize_timeout_s,
        settings.watch_timeout_s,
    )


def _images(settings: GatewaySettings) -> ImageNormaliser:
    """Return the decoder of uploads."""
    return ImageNormaliser(
        workers=settings.image_workers,
        timeout_s=settings.image_timeout_s,
        memory_bytes=settings.image_memory_bytes,
    )


def _rates(settings: GatewaySettings) -> Rates:
    """Return the limits of a user and of an address."""
    return Rates(
        all=settings.rate_limit,
        reading=settings.ocr_rate_limit,
        failed_key=settings.failed_key_rate_limit,
    )


@asynccontextmanager
async def open_parts(settings: GatewaySettings) -> AsyncIterator[Parts]:
    """Open the channels and start the helpers; closed in reverse."""
    deadlines = _deadlines(settings)
    readings = Readings(limit=settings.max_background_readings, drain_s=settings.drain_seconds)
    async with AsyncExitStack() as stack:
        channels = await _channels(settings, stack)
        registry = Registry(channels["registry"], deadlines)
        yield Parts(
            settings=settings,
            registry=registry,
            account=Account(channels["registry"], deadlines),
            recognizer=Recognizer(channels["recognizer"], deadlines),
            trainer=Trainer(channels["trainer"], deadlines),
            images=await stack.enter_async_context(_images(settings)),
            authenticator=Authenticator(
                registry.resolve_api_key, ttl_s=settings.key_cache_s, size=settings.key_cache_size
            ),
            rates=_rates(settings),
            readings=await stack.enter_async_context(readings),
            uploads=Slots(settings.max_uploads, settings.max_uploads_each, "uploads"),
            imports=Slots(settings.max_imports, settings.max_imports_each, "imports"),
            probe=Probe(channels, settings.health_timeout_s),
        )


def build(settings: GatewaySettings, metrics: CollectorRegistry = REGISTRY) -> FastAPI:
    """Build the application for these settings."""
    return create_app(settings, lambda: open_parts(settings), metrics)


def uvicorn_config(settings: GatewaySettings, app: FastAPI) -> uvicorn.Config:
    """Say how the application is served: HTTP/1.1 by h11, bounded headers, no other logs than ours."""
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
        timeout_keep_alive=15,
        timeout_graceful_shutdown=round(settings.drain_seconds),
    )


def _exit(_number: int, _frame: object) -> NoReturn:
    """End in peace: uvicorn raises the signal that stopped it once more when it has finished."""
    sys.exit(0)


def main() -> None:
    """Serve until SIGTERM or SIGINT, then finish what is under way."""
    settings = GatewaySettings()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _exit)
    configure("gateway", settings.log_level)
    uvicorn.Server(uvicorn_config(settings, build(settings))).run()


if __name__ == "__main__":
    main()
