"""Headers, metrics and health of every response, and failures that are not the client's fault."""

import errno
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import generate_latest
from structlog.testing import capture_logs

from ketav_common.errors import Internal, KetavError, Unauthenticated
from ketav_gateway.http import problems
from tests.parts.gateway import Gateway


async def test_every_response_has_a_request_id_and_restrictive_headers(gateway: Gateway) -> None:
    """A plain id of the client is returned, any other replaced; no frame, no sniffing, no caching."""
    response = await gateway.client.get("/projects/", headers={"X-Request-Id": "mine-1"})
    assert response.headers["x-request-id"] == "mine-1"
    other = await gateway.client.get("/projects/", headers={"X-Request-Id": "a b\t<script>"})
    assert len(other.headers["x-request-id"]) == 32
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert "access-control-allow-origin" not in response.headers


async def test_metrics_have_routes_and_no_ids(gateway: Gateway) -> None:
    """Templates, not addresses: the number of series is bounded."""
    unknown = str(uuid4())
    await gateway.client.get(f"/projects/{unknown}")
    await gateway.client.get(f"/{unknown}")
    text = generate_latest(gateway.metrics).decode()
    assert 'route="/projects/{project_id}",status="404"' in text
    assert 'route="unmatched"' in text
    assert unknown not in text


async def test_the_public_port_serves_no_metrics(gateway: Gateway) -> None:
    """They have a port of their own, KETAV_METRICS_PORT."""
    assert (await gateway.anonymous.get("/metrics")).status_code == 404


async def test_livez_answers_without_a_key_and_without_a_call(gateway: Gateway) -> None:
    """No service is asked."""
    response = await gateway.anonymous.get("/livez")
    assert (response.status_code, response.json()["status"]) == (200, "alive")
    assert gateway.state.calls == []


async def test_successful_probes_are_logged_below_the_level_of_other_requests(gateway: Gateway) -> None:
    """Probes come every few seconds; at level INFO the log has the requests of clients."""
    with capture_logs() as events:
        await gateway.anonymous.get("/livez")
        await gateway.client.get("/projects/")
    levels = {event["route"]: event["log_level"] for event in events if event["event"] == "request_handled"}
    assert levels == {"/livez": "debug", "/projects/": "info"}


async def test_readyz_names_the_service_that_does_not_serve(gateway: Gateway) -> None:
    """200 when all serve, else 503."""
    assert (await gateway.anonymous.get("/readyz")).json()["services"] == {
        "registry": "serving",
        "recognizer": "serving",
        "trainer": "serving",
    }
    await gateway.servers["trainer"].set_serving(False)
    response = await gateway.anonymous.get("/readyz")
    assert (response.status_code, response.json()["services"]["trainer"]) == (503, "not-serving")
    assert "trainer" in response.json()["detail"]


async def test_readyz_passes_on_the_problems_that_a_service_names(gateway: Gateway) -> None:
    """Those of a service that serves, too: the trainer serves without its broker."""
    problem = "Redis does not answer at the host of KETAV_REDIS_URL. Start it."
    await gateway.servers["trainer"].set_serving(True, [problem])
    response = await gateway.anonymous.get("/readyz")
    assert (response.status_code, response.json()["problems"]) == (200, {"trainer": [problem]})
    await gateway.servers["registry"].set_serving(False, ["The disk is full. Free space on it."])
    response = await gateway.anonymous.get("/readyz")
    assert response.status_code == 503
    assert response.json()["problems"]["registry"] == ["The disk is full. Free space on it."]
    assert "registry: The disk is full. Free space on it." in response.json()["detail"]


@pytest.mark.parametrize("error", [Unauthenticated(), Internal("The disk is full. Add space.")])
async def test_a_service_that_refuses_the_gateway_is_an_internal_error(
    gateway: Gateway, error: KetavError
) -> None:
    """The client's key is valid: 500, and the reason is in the log alone."""
    gateway.state.failures["ListProjects"] = error
    response = await gateway.client.get("/projects/")
    assert (response.status_code, response.json()["code"]) == (500, "internal")
    assert "disk" not in response.text


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EMFILE])
async def test_a_full_disk_is_503_with_the_seconds_to_wait(number: int) -> None:
    """Another error of the system is a defect: the handler of 500 gets it."""
    app = FastAPI()
    problems.install(app)

    @app.post("/{code}")
    async def write(code: int) -> None:
        """Fail to write a file."""
        raise OSError(code, "no file", "/folder/file")

    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        response = await client.post(f"/{number}")
        with pytest.raises(PermissionError):
            await client.post(f"/{errno.EACCES}")
    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
    assert response.headers["retry-after"] == "10"
    assert "folder" not in response.text
