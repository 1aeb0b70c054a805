"""Training runs: start, look, follow, cancel."""

import re
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request, Response
from sse_starlette import EventSourceResponse, ServerSentEvent

from ketav_common.errors import InvalidInput, KetavError
from ketav_common.logging import get_logger
from ketav_gateway import convert, schemas
from ketav_gateway.bodies import parse_json, read_body
from ketav_gateway.idempotency import RequestKey, request_key
from ketav_gateway.parts import Gateway, Parts
from ketav_gateway.problems import Responses, responses
from ketav_gateway.routes.common import RunId, spend_reading

router = APIRouter(prefix="/train", tags=["training"])
log = get_logger()

_ENDED = {"succeeded", "rejected", "failed", "cancelled"}
_REVISION = re.compile(r"[0-9]{1,18}")
_EVENTS: Responses = {
    200: {"content": {"text/event-stream": {}}, "description": "The run at each change, an event each."},
    204: {"description": "The run has ended and its last event was seen."},
}


async def _nothing(request: Request) -> None:
    """Take no body, or an empty JSON object."""
    body = await read_body(request, 1024)
    if body.strip() and parse_json(body) != {}:
        raise InvalidInput("A training takes no settings.")


@router.post(
    "/",
    status_code=202,
    responses=responses(409, 413, 422),
    dependencies=[Depends(spend_reading), Depends(_nothing)],
)
async def start_training(response: Response, gateway: Gateway, key: RequestKey) -> schemas.TrainingStarted:
    """Start a training on your corrections."""
    run = convert.training(await gateway.trainer.start_training(key))
    response.headers["Location"] = f"/train/{run.run_id}"
    return schemas.TrainingStarted(run_id=run.run_id, state=run.state)


@router.get("/{run_id}", responses=responses(404))
async def get_training(gateway: Gateway, run_id: RunId) -> schemas.TrainingAnswer:
    """Return how a training stands."""
    return convert.training(await gateway.registry.get_training_run(run_id))


@router.post("/{run_id}/cancel", responses=responses(404, 422), dependencies=[Depends(request_key)])
async def cancel_training(gateway: Gateway, run_id: RunId) -> schemas.TrainingAnswer:
    """Ask for a training's end."""
    return convert.training(await gateway.registry.cancel_training_run(run_id))


@router.get("/{run_id}/events", response_class=Response, responses=responses(404, 422, more=_EVENTS))
async def watch_training(
    gateway: Gateway,
    run_id: RunId,
    last_event_id: Annotated[str, Header(description="Revision of the last event that was seen.")] = "0",
) -> Response:
    """Follow a training as server-sent events; each event's id is the run's revision."""
    if not _REVISION.fullmatch(last_event_id):
        raise InvalidInput("Last-Event-ID is a revision.", code="malformed-event-id")
    seen = int(last_event_id)
    run = convert.training(await gateway.registry.get_training_run(run_id))
    if run.state in _ENDED and seen >= run.revision:
        return Response(status_code=204)  # tells an EventSource not to come back
    return EventSourceResponse(_events(gateway, run_id, seen), headers={"Cache-Control": "no-store"})


async def _events(gateway: Parts, run_id: str, seen: int) -> AsyncIterator[ServerSentEvent]:
    """Yield the changes; when the trainer goes away the stream ends, and the client comes back by itself."""
    try:
        async for change in gateway.trainer.watch_training(run_id, seen):
            run = convert.training(change)
            yield ServerSentEvent(run.model_dump_json(), event=run.state, id=str(run.revision))
    except KetavError as error:
        log.info("training_events_ended", code=error.code)
