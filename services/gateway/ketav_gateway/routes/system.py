"""Liveness, readiness, metrics, documentation."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from ketav_gateway import docs, problems, schemas
from ketav_gateway.parts import Gateway

router = APIRouter(tags=["system"])


@router.get("/livez")
async def livez() -> schemas.Health:
    """Say that the process answers."""
    return schemas.Health(status="alive")


@router.get("/readyz", response_model=schemas.Health, responses={503: problems.responses(503)[503]})
async def readyz(gateway: Gateway) -> schemas.Health | JSONResponse:
    """Say whether all services answer, and which does not."""
    states = await gateway.probe.states()
    down = [name for name, state in states.items() if state != "serving"]
    if down:
        return problems.problem(
            503, "not-ready", f"Not serving: {', '.join(down)}.", {"services": states}, {"Retry-After": "2"}
        )
    return schemas.Health(status="ready", services=states)


@router.get("/metrics", response_class=Response, include_in_schema=False)
async def metrics(request: Request) -> Response:
    """Return the process's metrics for Prometheus."""
    return Response(generate_latest(request.app.state.metrics), headers={"Content-Type": CONTENT_TYPE_LATEST})


@router.get("/docs", response_class=HTMLResponse, include_in_schema=False)
async def documentation(request: Request) -> HTMLResponse:
    """Return the description of this API as a page that needs no other host and no script."""
    return HTMLResponse(docs.render(request.app.openapi()))
