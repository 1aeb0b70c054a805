"""Addresses work with and without their last slash, HEAD wherever GET does, and CORS where it is set."""

import re
from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError

from ketav_gateway.http.openapi import operations
from tests.parts.gateway import (
    KEY,
    Gateway,
    gateway_settings,
    in_process_gateway,
    png,
    served_gateway,
    upload,
)
from tests.parts.in_memory.training import add_run

UNKNOWN = "0f7f6a44-6d0c-4c1e-9a53-b2a1c3d4e5f6"
PAGE = "https://app.example.org"
VARYING = {"x-request-id", "date"}


def comparable(response: httpx.Response) -> dict[str, str]:
    """Return the headers that two responses to the same request share."""
    return {name: value for name, value in response.headers.items() if name not in VARYING}


async def only_request(gateway: Gateway, method: str, address: str) -> httpx.Response:
    """Send a request of a user who has no training run."""
    gateway.user.runs.clear()
    return await gateway.client.request(method, address)


async def test_every_operation_has_the_other_address_too(gateway: Gateway) -> None:
    """The same status and code with another last slash, for every operation of the description."""
    document = (await gateway.anonymous.get("/openapi.json")).json()
    compared = 0
    for path, method, _ in operations(document):
        address = re.sub(r"\{\w+\}", UNKNOWN, path)
        other = address.removesuffix("/") if address.endswith("/") else f"{address}/"
        first, second = [await only_request(gateway, method, at) for at in (address, other)]
        assert not second.is_redirect
        assert second.status_code != 405
        assert (first.status_code, first.headers["content-type"]) == (
            second.status_code,
            second.headers["content-type"],
        ), other
        compared += 1
    assert compared > 25


async def test_a_body_and_a_key_arrive_at_the_other_address(gateway: Gateway) -> None:
    """An upload and a JSON body without the last slash; the Idempotency-Key means the same request."""
    headers = {"Idempotency-Key": "one"}
    read = [
        await gateway.client.post(path, files={"file": ("page.png", png())}, headers=headers)
        for path in ("/ocr", "/ocr/")
    ]
    assert [response.status_code for response in read] == [201, 201]
    assert read[0].json() == read[1].json()
    body = {**{name: read[0].json()[name] for name in ("project_id", "image_id")}, "corrected_text": "א"}
    assert (await gateway.client.post("/feedback", json=body)).status_code == 201
    project = await gateway.client.get(f"/projects/{read[0].json()['project_id']}/")
    assert len(project.json()["images"]) == 1


async def test_head_has_the_headers_of_get_and_no_body(gateway: Gateway) -> None:
    """For every GET of the description, also with errors; a missing key is refused alike."""
    read = (await upload(gateway.client)).json()
    ids = {"project_id": read["project_id"], "image_id": read["image_id"]}
    document = (await gateway.anonymous.get("/openapi.json")).json()
    paths = [path for path, method, _ in operations(document) if method == "get"]
    assert len(paths) > 12
    for path in [*paths, "/docs", "/openapi.json", "/nothing"]:
        address = re.sub(r"\{(\w+)\}", lambda match: ids.get(match[1], UNKNOWN), path)
        for client in (gateway.client, gateway.anonymous):
            get, head = await client.get(address), await client.head(address)
            assert (head.status_code, head.content) == (get.status_code, b""), path
            assert comparable(head) == comparable(get), path


async def test_head_of_an_image_file_does_not_download_the_image(gateway: Gateway) -> None:
    """The registry sends the image's description, and not its bytes; a range is not applied."""
    read = (await upload(gateway.client)).json()
    path = f"/projects/{read['project_id']}/images/{read['image_id']}/file"
    file = await gateway.client.get(path)
    gateway.state.sent_image_bytes = 0
    head = await gateway.client.head(path, headers={"Range": "bytes=0-3"})
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(file.content)))
    assert gateway.state.sent_image_bytes == 0


async def test_head_of_an_address_without_get_is_405(gateway: Gateway) -> None:
    """With the methods that it has."""
    response = await gateway.client.head("/ocr/")
    assert (response.status_code, response.headers["allow"]) == (405, "POST")


async def test_head_of_an_event_stream_ends_at_once(tmp_path: Path) -> None:
    """Over a socket: the headers, no event, and the connection serves the next request."""
    async with served_gateway(tmp_path) as gateway:
        run = add_run(gateway.user)
        response = await gateway.client.head(f"/train/{run.run_id}/events", timeout=10)
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        assert (await gateway.client.head("/projects")).status_code == 200


async def test_without_the_setting_no_web_page_may_call_the_api(gateway: Gateway) -> None:
    """No header of CORS, and the request before the request is refused."""
    response = await gateway.client.get("/projects/", headers={"Origin": PAGE})
    assert not [name for name in response.headers if name.startswith("access-control")]
    preflight = {"Origin": PAGE, "Access-Control-Request-Method": "GET"}
    assert (await gateway.anonymous.options("/projects/", headers=preflight)).status_code == 405


async def test_the_listed_origins_may_call_the_api(tmp_path: Path) -> None:
    """With a key, all methods and the headers that clients need; errors can be read, too."""
    async with in_process_gateway(tmp_path, cors_origins=f"{PAGE}, http://localhost:5173") as gateway:
        preflight = {
            "Origin": PAGE,
            "Access-Control-Request-Method": "PATCH",
            "Access-Control-Request-Headers": "authorization, idempotency-key, if-none-match, range",
        }
        allowed = await gateway.anonymous.options(f"/projects/{UNKNOWN}", headers=preflight)
        assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, PAGE)
        assert "PATCH" in allowed.headers["access-control-allow-methods"]
        assert "access-control-allow-credentials" not in allowed.headers
        for status, client in ((200, gateway.client), (401, gateway.anonymous)):
            response = await client.get("/projects", headers={"Origin": PAGE})
            assert response.status_code == status
            assert response.headers["access-control-allow-origin"] == PAGE
            assert "Origin" in response.headers["vary"]
            exposed = {name.strip() for name in response.headers["access-control-expose-headers"].split(",")}
            assert {"ETag", "Link", "Location", "Retry-After", "X-Request-Id"} <= exposed
        foreign = await gateway.client.get("/projects/", headers={"Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in foreign.headers
        preflight["Origin"] = "https://evil.example"
        refused = await gateway.anonymous.options("/projects/", headers=preflight)
        assert refused.status_code == 400
        assert "access-control-allow-origin" not in refused.headers


@pytest.mark.parametrize(
    "origins",
    [
        "app.example.org",
        "https://app.example.org/",
        "https://a b",
        "ftp://a",
        "https://*.a",
        "https://u@a",
        "null",
    ],
)
def test_an_origin_that_no_browser_sends_is_refused_at_the_start(tmp_path: Path, origins: str) -> None:
    """With a path, a pattern, another scheme or none it would never match."""
    with pytest.raises(ValidationError, match="must be origins such as"):
        gateway_settings(tmp_path, cors_origins=origins)
    assert gateway_settings(tmp_path, cors_origins="*").cors_origins == "*"


async def test_a_page_that_is_read_later_says_where_and_when_to_ask(gateway: Gateway) -> None:
    """`Link` to the page and `Retry-After`; likewise a training run that is queued."""
    response = await gateway.client.post(
        "/ocr/", files={"file": ("page.png", png())}, headers={"Prefer": "respond-async"}
    )
    assert response.status_code == 202
    status, monitor = response.headers["link"].split(", ")
    assert status == f'<{response.headers["location"]}>; rel="status"'
    assert monitor == f'</jobs/{response.json()["job_id"]}/events>; rel="monitor"'
    assert 1 <= int(response.headers["retry-after"]) <= 60
    assert (await gateway.client.get(response.headers["location"])).status_code == 200
    run = await gateway.client.post("/train", headers={"X-API-Key": KEY})
    assert run.status_code == 202
    location = f"/train/{run.json()['run_id']}"
    assert run.headers["link"] == f'<{location}>; rel="status", <{location}/events>; rel="monitor"'
    assert 1 <= int(run.headers["retry-after"]) <= 60
