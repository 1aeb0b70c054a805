"""The application: routes, errors, bounds. What it works with comes from outside."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import Depends, FastAPI
from prometheus_client import CollectorRegistry

from ketav_gateway import problems
from ketav_gateway.edge import Bounds, Edge
from ketav_gateway.parts import Parts
from ketav_gateway.routes import (
    account,
    feedback,
    ground_truth,
    learning,
    models,
    ocr,
    projects,
    system,
    training,
    webhook,
)
from ketav_gateway.routes.common import KEYS, identify
from ketav_gateway.settings import GatewaySettings

_DESCRIPTION = (
    "Hebrew-handwriting OCR that learns each writer's hand. Send your API key as Authorization: Bearer ktv_… "
    "or X-API-Key. Errors are application/problem+json (RFC 9457); POSTs take an Idempotency-Key; "
    "text is in logical order, Unicode NFC, and offsets count code points."
)


def create_app(
    settings: GatewaySettings,
    open_parts: Callable[[], AbstractAsyncContextManager[Parts]],
    metrics: CollectorRegistry,
) -> FastAPI:
    """Build the application; `open_parts` is entered at its start and left at its stop."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        """Hold the parts while the application runs."""
        async with open_parts() as parts:
            app.state.parts = parts
            yield

    app = FastAPI(
        title="Ketav",
        version="0.1.0",
        description=_DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.metrics = metrics
    problems.install(app)
    bounds = Bounds(settings.max_requests, settings.chunk_timeout_s, settings.body_timeout_s)
    app.add_middleware(Edge, bounds=bounds, metrics=metrics)
    for part in (ocr, feedback, ground_truth, training, projects, learning, models, account, webhook):
        app.include_router(part.router, dependencies=[Depends(identify), *KEYS])
    app.include_router(system.router)
    return app
