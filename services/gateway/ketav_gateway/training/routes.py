"""Training runs: started, shown, followed and cancelled; when the next one is due, and the policy for it."""

import re
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from pydantic import ValidationError
from sse_starlette import EventSourceResponse, ServerSentEvent

from ketav.registry.v1 import training_pb2
from ketav.trainer.v1 import trainer_pb2
from ketav_common.errors import InvalidInput, KetavError
from ketav_common.logging import get_logger
from ketav_gateway.convert import script_to_proto
from ketav_gateway.http.bodies import body_description, json_body, parse_json, read_body
from ketav_gateway.http.dependencies import (
    Cursor,
    Gateway,
    HandQuery,
    ListLimit,
    RunId,
    count_compute_request,
)
from ketav_gateway.http.idempotency import IdempotencyKey, fingerprint
from ketav_gateway.http.openapi import CURL_ARGUMENTS
from ketav_gateway.http.problem_codes import IDEMPOTENT, JSON_BODY, LIST
from ketav_gateway.http.problems import Responses, responses
from ketav_gateway.http.validation import invalid_fields
from ketav_gateway.schemas import Script
from ketav_gateway.services import Services, call, stream
from ketav_gateway.training import convert, schemas

router = APIRouter(tags=["training"])
log = get_logger()

_ENDED = {"succeeded", "rejected", "failed", "cancelled"}
_REVISION = re.compile(r"[0-9]{1,18}")
_POLL_S = 10
"""Seconds after which a client asks for the state of a run: one takes minutes."""
_MAX_START_BYTES = 4096
"""Bytes of the body that starts a run: a name of 200 code points, each escaped, and room for spaces."""
_BY_RUN_ID = {"parameters": {"run_id": "$response.body#/run_id"}}
_STARTED: Responses = {
    202: {
        "links": {
            "run": {"operationId": "get_training", "description": "The state of the run.", **_BY_RUN_ID},
            "events": {
                "operationId": "watch_training",
                "description": "The changes of the run.",
                **_BY_RUN_ID,
            },
            "cancel": {"operationId": "cancel_training", "description": "The end of the run.", **_BY_RUN_ID},
        }
    }
}
_OPTIONAL_BODY = tuple(code for code in JSON_BODY if code != "unsupported-content-type")
_EVENTS: Responses = {
    200: {
        "content": {"text/event-stream": {"example": schemas.EVENT_EXAMPLE}},
        "description": "An event for each change of the run.",
    },
    204: {"description": "The run has ended and the client has received its last event."},
}


async def _start_request(request: Request) -> schemas.StartTrainingRequest:
    """Return the JSON body, which may be absent; raises RequestValidationError for an invalid one."""
    body = await read_body(request, _MAX_START_BYTES)
    value = parse_json(body) if body.strip() else {}
    try:
        return schemas.StartTrainingRequest.model_validate(value)
    except ValidationError as error:
        raise invalid_fields(error, value) from error


@router.post(
    "/train/",
    status_code=202,
    responses=responses(
        *_OPTIONAL_BODY,
        *IDEMPOTENT,
        "run-active",
        "too-few-lines",
        "unknown-hand",
        more=_STARTED,
    ),
    dependencies=[Depends(count_compute_request)],
    openapi_extra=body_description(schemas.StartTrainingRequest, required=False),
    summary="Start a training run",
)
async def start_training(
    http_request: Request,
    response: Response,
    gateway: Gateway,
    key: IdempotencyKey,
    body: Annotated[schemas.StartTrainingRequest, Depends(_start_request)],
) -> schemas.StartTrainingResponse:
    """Queue a training run on your corrections; `GET /train/{run_id}` shows its progress."""
    hand = (body.hand or "") if "hand" in body.model_fields_set else None
    sha256 = fingerprint(http_request, {} if hand is None else {"hand": hand})
    request = trainer_pb2.StartTrainingRequest(request_id=key, request_sha256=sha256, hand=hand)
    started = await call(gateway.services.trainer.StartTraining, request, gateway.services.deadlines.short_s)
    run = convert.training_run(started.run)
    location = f"/train/{run.run_id}"
    response.headers["Location"] = location
    response.headers["Link"] = f'<{location}>; rel="status", <{location}/events>; rel="monitor"'
    response.headers["Retry-After"] = str(_POLL_S)
    return schemas.StartTrainingResponse(run_id=run.run_id, state=run.state)


@router.get("/train/", responses=responses(*LIST), summary="List your training runs")
async def list_training(
    gateway: Gateway, cursor: Cursor = "", limit: ListLimit = 20
) -> schemas.TrainingRunList:
    """List your training runs of all hands, newest first."""
    request = training_pb2.ListTrainingRunsRequest(cursor=cursor, limit=limit)
    response = await call(
        gateway.services.training.ListTrainingRuns, request, gateway.services.deadlines.short_s
    )
    return schemas.TrainingRunList(
        runs=[convert.training_run(run) for run in response.runs], next_cursor=response.next_cursor or None
    )


async def _get_run(services: Services, run_id: str) -> schemas.TrainingRun:
    """Return a run of the caller; raises NotFound."""
    request = training_pb2.GetTrainingRunRequest(run_id=run_id, untrained=True)
    response = await call(services.training.GetTrainingRun, request, services.deadlines.short_s)
    return convert.training_run(response.run)


@router.get("/train/{run_id}", responses=responses("not-found"), summary="Show a training run")
async def get_training(gateway: Gateway, run_id: RunId) -> schemas.TrainingRun:
    """Return a training run: its state, progress, CER and verdict."""
    return await _get_run(gateway.services, run_id)


@router.post(
    "/train/{run_id}/cancel",
    responses=responses("not-found", "run-ended", *IDEMPOTENT),
    summary="Cancel a training run",
)
async def cancel_training(
    request: Request, gateway: Gateway, run_id: RunId, key: IdempotencyKey
) -> schemas.TrainingRun:
    """Cancel a training run: a queued one ends at once, a running one after its current step."""
    message = training_pb2.CancelTrainingRunRequest(
        run_id=run_id, request_id=key, request_sha256=fingerprint(request, {})
    )
    response = await call(
        gateway.services.training.CancelTrainingRun, message, gateway.services.deadlines.short_s
    )
    return convert.training_run(response.run)


@router.get(
    "/train/{run_id}/events",
    response_class=Response,
    responses=responses("not-found", "malformed-event-id", more=_EVENTS),
    openapi_extra={CURL_ARGUMENTS: ["-N"]},
    summary="Stream the changes of a training run",
)
async def watch_training(
    gateway: Gateway,
    run_id: RunId,
    last_event_id: Annotated[
        str, Header(alias="Last-Event-ID", description="Revision of the last event that the client received.")
    ] = "0",
) -> Response:
    """Stream the changes of a training run as server-sent events; an event's id is the run's revision."""
    if not _REVISION.fullmatch(last_event_id):
        raise InvalidInput(
            "The header Last-Event-ID is not a revision of a run. Send the id of the last event received.",
            code="malformed-event-id",
            details={"pointer": "Last-Event-ID"},
        )
    revision = int(last_event_id)
    run = await _get_run(gateway.services, run_id)
    if run.state in _ENDED and revision >= run.revision:
        return Response(status_code=204)  # an EventSource does not reconnect after 204
    return EventSourceResponse(
        _events(gateway.services, run_id, revision), headers={"Cache-Control": "no-store"}
    )


async def _events(services: Services, run_id: str, revision: int) -> AsyncIterator[ServerSentEvent]:
    """Yield the changes after a revision; ends when the trainer is unavailable, and the client reconnects."""
    request = trainer_pb2.WatchTrainingRequest(run_id=run_id, after_revision=revision)
    try:
        async for change in stream(services.trainer.WatchTraining, request, services.deadlines.watch_s):
            run = convert.training_run(change.run)
            yield ServerSentEvent(run.model_dump_json(), event=run.state, id=str(run.revision))
    except KetavError as error:
        log.info("training_events_ended", code=error.code)


@router.get(
    "/models/readiness",
    responses=responses("invalid-input", "unknown-hand"),
    summary="Show when the next run is due",
)
async def get_readiness(
    gateway: Gateway,
    script: Annotated[
        Script | None, Query(description="Only this script; without it all scripts with corrected lines.")
    ] = None,
    hand: HandQuery = None,
) -> schemas.Readiness:
    """Return when your next training run is due, why none starts now, and its estimated gain."""
    request = training_pb2.GetReadinessRequest(script=script_to_proto(script), hand=hand)
    response = await call(gateway.services.training.GetReadiness, request, gateway.services.deadlines.short_s)
    return convert.readiness(response)


@router.get("/models/policy", responses=responses(), summary="Show the policy for automatic runs")
async def get_policy(gateway: Gateway) -> schemas.TrainingPolicy:
    """Return your policy for automatic training runs."""
    request = training_pb2.GetTrainingPolicyRequest()
    response = await call(
        gateway.services.training.GetTrainingPolicy, request, gateway.services.deadlines.short_s
    )
    return convert.training_policy(response.policy)


@router.put(
    "/models/policy",
    responses=responses(*JSON_BODY),
    openapi_extra=body_description(schemas.SetTrainingPolicyRequest),
    summary="Set the policy for automatic runs",
)
async def set_policy(
    gateway: Gateway,
    body: Annotated[schemas.SetTrainingPolicyRequest, Depends(json_body(schemas.SetTrainingPolicyRequest))],
) -> schemas.TrainingPolicy:
    """Replace your policy for automatic training runs; `POST /train/` starts a run regardless of it."""
    request = training_pb2.SetTrainingPolicyRequest(policy=convert.training_policy_to_proto(body))
    response = await call(
        gateway.services.training.SetTrainingPolicy, request, gateway.services.deadlines.short_s
    )
    return convert.training_policy(response.policy)
