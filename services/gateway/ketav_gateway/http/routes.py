"""Routes without a feature: liveness, readiness, metrics and the API's description."""

from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import Field

from ketav_gateway.http import docs, problems
from ketav_gateway.http.dependencies import Gateway
from ketav_gateway.http.health import SERVING
from ketav_gateway.schemas import ResponseBody

router = APIRouter(tags=["system"])

_RETRY_AFTER_S = 2
"""Seconds between two readiness checks of a caller."""


class Health(ResponseBody):
    """State of the gateway and of the services behind it."""

    status: Literal["alive", "ready"]
    services: dict[str, str] = Field(
        default_factory=dict,
        description="For each service `serving`, `not-serving`, or the gRPC status of the failed check.",
    )


@router.get("/livez")
async def livez() -> Health:
    """Report that the process answers; it asks no service."""
    return Health(status="alive")


@router.get("/readyz", response_model=Health, responses={503: problems.responses(503)[503]})
async def readyz(gateway: Gateway) -> Health | JSONResponse:
    """Report whether all services serve; 503 names those that do not."""
    states = await gateway.health.states()
    down = [name for name, state in states.items() if state != SERVING]
    if down:
        return problems.problem(
            503,
            "not-ready",
            f"The following services do not serve: {', '.join(down)}. Retry after {_RETRY_AFTER_S} seconds.",
            {"services": states},
            {"Retry-After": str(_RETRY_AFTER_S)},
        )
    return Health(status="ready", services=states)


@router.get("/metrics", response_class=Response, include_in_schema=False)
async def metrics(request: Request) -> Response:
    """Return the metrics of this process in the format of Prometheus."""
    return Response(generate_latest(request.app.state.metrics), headers={"Content-Type": CONTENT_TYPE_LATEST})


@router.get("/docs", response_class=HTMLResponse, include_in_schema=False)
async def documentation(request: Request) -> HTMLResponse:
    """Return the API's description as a page that loads nothing from other hosts."""
    return HTMLResponse(docs.render(request.app.openapi()))
