"""Routes without a feature: liveness, readiness and the correction page."""

from typing import Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import ConfigDict, Field

from ketav_gateway.http import problems, web
from ketav_gateway.http.dependencies import Gateway
from ketav_gateway.http.health import SERVING
from ketav_gateway.schemas import ResponseBody

router = APIRouter(tags=["system"])
router.include_router(web.router)

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
    problems: dict[str, list[str]] = Field(
        default_factory=dict,
        description="For each service with problems, sentences for the operator: the store or the part that "
        "does not work, and what to do.",
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
    """Report whether all services serve, and the problems that they name; 503 when one does not serve."""
    checked = await gateway.health.states()
    states = {name: service.state for name, service in checked.items()}
    named = {name: list(service.problems) for name, service in checked.items() if service.problems}
    down = [name for name, state in states.items() if state != SERVING]
    if down:
        reasons = "".join(f"{name}: {' '.join(named[name])} " for name in down if name in named)
        return problems.problem(
            503,
            "not-ready",
            f"The following services do not serve: {', '.join(down)}. {reasons}"
            f"Retry after {_RETRY_AFTER_S} seconds.",
            {"services": states, "problems": named},
            {"Retry-After": str(_RETRY_AFTER_S)},
        )
    return Health(status="ready", services=states, problems=named)
