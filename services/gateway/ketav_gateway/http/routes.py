"""Routes without a feature: liveness, readiness and the page /docs."""

from typing import Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import ConfigDict, Field

from ketav_gateway.http import docs, problems
from ketav_gateway.http.dependencies import Gateway
from ketav_gateway.http.health import SERVING
from ketav_gateway.schemas import ResponseBody

router = APIRouter(tags=["system"])
router.include_router(docs.router)

_RETRY_AFTER_S = 2
"""Seconds between two readiness checks of a caller."""


class Health(ResponseBody):
    """State of the gateway and of the services behind it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "status": "ready",
                "services": {"registry": "serving", "recognizer": "serving", "trainer": "serving"},
            }
        }
    )

    status: Literal["alive", "ready"] = Field(
        description="`alive`: the process answers; `ready`: all services serve."
    )
    services: dict[str, str] = Field(
        default_factory=dict,
        description="For each service `serving`, `not-serving`, or the gRPC status of the failed check.",
    )


@router.get("/livez", summary="Check that the server runs")
async def livez() -> Health:
    """Report that the process answers; it asks no service."""
    return Health(status="alive")


@router.get(
    "/readyz",
    response_model=Health,
    responses=problems.only_responses("not-ready"),
    summary="Check that all services serve",
)
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
