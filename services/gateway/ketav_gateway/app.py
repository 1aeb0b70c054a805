"""The FastAPI application: routes, error handlers and middleware. Its components are passed in."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import Depends, FastAPI
from prometheus_client import CollectorRegistry

from ketav_gateway.accounts.routes import router as accounts
from ketav_gateway.corrections.routes import router as corrections
from ketav_gateway.ground_truth.routes import router as ground_truth
from ketav_gateway.http import problems
from ketav_gateway.http.dependencies import API_KEY_SCHEMES, Components, identify
from ketav_gateway.http.edge import Edge, EdgeLimits
from ketav_gateway.http.routes import router as system
from ketav_gateway.models.routes import router as models
from ketav_gateway.next_lines.routes import router as next_lines
from ketav_gateway.pages.routes import router as pages
from ketav_gateway.projects.routes import router as projects
from ketav_gateway.settings import GatewaySettings
from ketav_gateway.training.routes import router as training
from ketav_gateway.transcriptions.routes import router as transcriptions
from ketav_gateway.webhooks.routes import router as webhooks

_DESCRIPTION = (
    "OCR of Hebrew handwriting with a model of your own. Send your API key as `Authorization: Bearer ktv_…` "
    "or `X-API-Key`. Errors are application/problem+json (RFC 9457). POST requests accept an "
    "Idempotency-Key. Texts are in logical order, Unicode NFC; offsets count code points."
)
# Training comes before models: /models/policy is not a model version.
_FEATURES = (
    transcriptions,
    corrections,
    ground_truth,
    projects,
    pages,
    next_lines,
    training,
    models,
    webhooks,
    accounts,
)


def create_app(
    settings: GatewaySettings,
    open_components: Callable[[], AbstractAsyncContextManager[Components]],
    metrics: CollectorRegistry,
) -> FastAPI:
    """Return the application; `open_components` is entered when it starts and exited when it stops."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        """Keep the components open while the application runs."""
        async with open_components() as components:
            app.state.components = components
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
    limits = EdgeLimits(settings.max_requests, settings.chunk_timeout_s, settings.body_timeout_s)
    app.add_middleware(Edge, limits=limits, metrics=metrics)
    for router in _FEATURES:
        app.include_router(router, dependencies=[Depends(identify), *API_KEY_SCHEMES])
    app.include_router(system)
    return app
