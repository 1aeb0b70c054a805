"""The FastAPI application: routes, error handlers and middleware. Its components are passed in."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import Depends, FastAPI
from prometheus_client import CollectorRegistry

from ketav_gateway.accounts.routes import router as accounts
from ketav_gateway.corrections.routes import router as corrections
from ketav_gateway.ground_truth.routes import router as ground_truth
from ketav_gateway.http import problems
from ketav_gateway.http.addresses import Addresses
from ketav_gateway.http.compression import compress
from ketav_gateway.http.cross_origin import allow_origins
from ketav_gateway.http.dependencies import API_KEY_SCHEMES, Components, identify
from ketav_gateway.http.docs import router as docs
from ketav_gateway.http.edge import Edge, EdgeLimits
from ketav_gateway.http.openapi import DescribedAPI, operation_id
from ketav_gateway.http.parameters import refuse_unknown_parameters
from ketav_gateway.http.public_origins import PublicOrigins
from ketav_gateway.http.routes import router as system
from ketav_gateway.jobs.routes import router as jobs
from ketav_gateway.members.routes import router as members
from ketav_gateway.models.routes import router as models
from ketav_gateway.next_lines.routes import router as next_lines
from ketav_gateway.pages.export_job_routes import router as job_exports
from ketav_gateway.pages.line_routes import router as lines
from ketav_gateway.pages.link_routes import router as iiif_links
from ketav_gateway.pages.link_routes import served as link_addresses
from ketav_gateway.pages.routes import router as pages
from ketav_gateway.projects.hand_routes import router as hands
from ketav_gateway.projects.routes import router as projects
from ketav_gateway.settings import GatewaySettings, origins_of
from ketav_gateway.training.routes import router as training
from ketav_gateway.transcriptions.routes import router as transcriptions
from ketav_gateway.transcriptions.search import router as search
from ketav_gateway.webhooks.routes import router as webhooks

_DESCRIPTION = """ OCR of Hebrew handwriting that improves with your corrections: upload a page, correct its
lines, and a model of your own is trained on them.

Every request needs your API key, as `Authorization: Bearer ktv_…` or `X-API-Key: ktv_…`. The commands on this
page use the variables of README.md, and `PROJECT`, `IMAGE`, `JOB`, `RUN`, `VERSION` and `NAME` for ids and
names of earlier responses:

```sh
KETAV=http://127.0.0.1:8000                # the address of this server
AUTH="Authorization: Bearer $(cat "${KETAV_DATA_DIR:-.ketav}/api_key")"   # or with the key that you got
```

Errors are `application/problem+json` (RFC 9457): `detail` says what is wrong and what to do, `code`
identifies the problem for programs. POST requests accept an `Idempotency-Key`: the same request sent again is
done once. An address works with and without its last slash, and HEAD wherever GET does; a query parameter
that an address does not have is refused. Texts are in logical order, Unicode NFC; offsets count code points.

The description for programs is [openapi.json](openapi.json).
"""
_TAGS = [
    {"name": "transcriptions", "description": "Read images: new ones, and stored ones again."},
    {"name": "jobs", "description": "Work in the background: many pages that are read, and exports."},
    {"name": "corrections", "description": "Correct what was read. Corrections train your model."},
    {"name": "projects", "description": "Projects group the pages of one script."},
    {"name": "members", "description": "Share a project: invite viewers and editors by name."},
    {"name": "pages", "description": "Images with their transcriptions: show, download, export, delete."},
    {"name": "next_lines", "description": "The lines whose correction improves your model most."},
    {"name": "ground_truth", "description": "Import images whose texts you have already."},
    {"name": "training", "description": "Train a model on your corrections, now or automatically."},
    {"name": "models", "description": "Your model versions: compare, show, activate."},
    {
        "name": "webhooks",
        "description": "Notifications to your own server when a training run or a job ends.",
    },
    {
        "name": "accounts",
        "description": "Show your account, or delete everything that Ketav stores about you.",
    },
    {"name": "system", "description": "State of the server; needs no API key."},
]
# Training comes before models: /models/policy is not a model version.
_FEATURES = (
    transcriptions,
    jobs,
    job_exports,
    corrections,
    ground_truth,
    projects,
    hands,
    members,
    pages,
    lines,
    iiif_links,
    next_lines,
    search,
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

    app = DescribedAPI(
        title="Ketav",
        version="0.1.0",
        description=_DESCRIPTION,
        openapi_tags=_TAGS,
        generate_unique_id_function=operation_id,
        lifespan=lifespan,
        openapi_url="/openapi.json" if settings.docs else None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    problems.install(app)
    limits = EdgeLimits(
        settings.max_requests,
        settings.chunk_timeout_s,
        settings.body_timeout_s,
        settings.body_grace_s,
        settings.min_body_rate,
    )
    # The middleware that is added last is the outermost.
    compress(app)
    app.add_middleware(Addresses)
    app.add_middleware(Edge, limits=limits, metrics=metrics)
    allow_origins(app, origins_of(settings.cors_origins))
    app.add_middleware(PublicOrigins)
    dependencies = [Depends(identify), Depends(refuse_unknown_parameters), *API_KEY_SCHEMES]
    for router in _FEATURES:
        app.include_router(router, dependencies=dependencies)
    app.include_router(link_addresses, dependencies=[Depends(refuse_unknown_parameters)])
    if settings.docs:
        app.include_router(docs)
    app.include_router(system)
    return app
