"""Images are stored, read and recorded: at once, in the background, again, and with a given model version."""

import pytest

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import models_pb2
from ketav_common.errors import InvalidInput, KetavError, NotFound, RateLimited, TimedOut, Unavailable
from tests.parts.gateway import Gateway, png, upload
from tests.parts.in_memory.models import add_version
from tests.parts.in_memory.recognizer import TEXT

IN_BACKGROUND = {"Prefer": "respond-async"}
LINE_FIELDS = {
    "line_id",
    "order",
    "text",
    "confidence",
    "baseline",
    "boundary",
    "words",
    "region",
}
"""Every field of a line that was read."""


async def test_an_upload_is_stored_read_and_recorded_in_three_calls(gateway: Gateway) -> None:
    """The response has every field of the contract; the API key is cached by an earlier request."""
    await gateway.client.get("/projects/")
    gateway.state.calls.clear()
    response = await upload(gateway.client, name="יומן", script="square")
    assert response.status_code == 201
    body = response.json()
    assert set(body) == {
        *("project_id", "image_id", "transcription_id", "model", "image", "text", "confidence", "lines"),
        "warnings",
    }
    assert body["model"] == {"version": "hebrew_base-1", "kind": "base"}
    assert body["image"] == {"width": 100, "height": 80, "media_type": "image/png", "normalised": []}
    assert body["text"].splitlines()[0] == TEXT
    line = body["lines"][0]
    assert set(line) == LINE_FIELDS
    assert line["words"][1] == {
        "text": "עולם",
        "confidence": 0.9,
        "start": 5,
        "end": 9,
        "boundary": [[10, 0], [46, 0], [46, 38], [10, 38]],
    }
    assert line["baseline"] == [[10, 30], [90, 30]]
    assert gateway.state.calls == ["CreatePage", "RecognizePage", "RecordTranscription"]
    assert response.headers["location"] == f"/projects/{body['project_id']}/images/{body['image_id']}"
    project = gateway.user.projects[body["project_id"]]
    assert (project.name, project.script) == ("יומן", page_pb2.SCRIPT_SQUARE)


async def test_a_recognizer_that_is_down_keeps_the_image_and_names_it(gateway: Gateway) -> None:
    """503 with Retry-After; the image is stored."""
    await gateway.servers["recognizer"].grpc.stop(0)
    response = await upload(gateway.client)
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) >= 1
    problem = response.json()
    assert problem["code"] == "unavailable"
    image = f"/projects/{problem['project_id']}/images/{problem['image_id']}"
    assert (await gateway.client.get(image)).json()["state"] == "stored"


async def test_a_stored_image_is_read_again_in_three_calls(gateway: Gateway) -> None:
    """A failed reading is repeated without a new upload."""
    gateway.state.failures["RecognizePage"] = Unavailable()
    problem = (await upload(gateway.client)).json()
    gateway.state.failures.clear()
    gateway.state.calls.clear()
    image = f"/projects/{problem['project_id']}/images/{problem['image_id']}"
    response = await gateway.client.post(f"{image}/ocr")
    assert response.status_code == 201
    assert response.json()["lines"][0]["text"] == TEXT
    assert gateway.state.calls == ["DownloadImage", "RecognizePage", "RecordTranscription"]


async def test_a_model_that_is_missing_or_unusable_is_not_the_client_s_fault(gateway: Gateway) -> None:
    """Retired between two calls: 503; a damaged file: 500 without its name."""
    gateway.state.failures["RecognizePage"] = NotFound()
    response = await upload(gateway.client)
    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
    gateway.state.failures["RecognizePage"] = InvalidInput(code="unusable-model")
    response = await upload(gateway.client)
    assert (response.status_code, response.json()["code"]) == (500, "internal")
    assert "hebrew_base" not in response.text


async def test_a_repeated_upload_with_the_same_key_is_not_read_twice(gateway: Gateway) -> None:
    """The same Idempotency-Key returns the same body without a recognition; another file is a conflict."""
    headers = {"Idempotency-Key": "first"}
    first = await gateway.client.post("/ocr/", files={"file": png()}, headers=headers)
    gateway.state.calls.clear()
    second = await gateway.client.post("/ocr/", files={"file": png()}, headers=headers)
    assert (second.status_code, second.json()) == (201, first.json())
    assert gateway.state.calls == ["CreatePage"]
    other = await gateway.client.post("/ocr/", files={"file": png(64)}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency-key-reused")


async def test_the_fingerprint_identifies_the_content_of_a_request(gateway: Gateway) -> None:
    """Another file, field or model version changes the SHA-256; a default that is written out does not."""
    for data, fields in (
        (png(), {}),
        (png(), {"script": "modern_cursive"}),
        (png(64), {}),
        (png(), {"name": "a"}),
        (png(), {"model": "a-1"}),
    ):
        await upload(gateway.client, data, **fields)
    headers = [request for request in gateway.state.requests if request.DESCRIPTOR.name == "CreatePageHeader"]
    fingerprints = [header.request_sha256 for header in headers]
    assert fingerprints[0] == fingerprints[1]
    assert len(set(fingerprints)) == 4


async def test_respond_async_stores_the_image_and_a_job_reads_it(gateway: Gateway) -> None:
    """202 names the image, where its transcription will appear, and the job."""
    response = await gateway.client.post(
        "/ocr/", files={"file": png()}, headers={"Prefer": "wait=5, respond-async"}
    )
    assert response.status_code == 202
    assert response.headers["preference-applied"] == "respond-async"
    body = response.json()
    assert body["state"] == "stored"
    assert gateway.state.calls == ["ResolveApiKey", "CreatePage", "CreateJob", "EnqueueJob"]
    header = gateway.state.requests[2]
    assert (list(header.page_ids), header.detect_turn) == ([body["image_id"]], True)
    page = (await gateway.client.get(response.headers["location"])).json()
    assert (page["image_id"], page["state"]) == (body["image_id"], "stored")
    job = (await gateway.client.get(f"/jobs/{body['job_id']}")).json()
    assert (job["state"], job["pages"][0]["image_id"]) == ("queued", body["image_id"])


@pytest.mark.parametrize("prefer", ["respond-async", "wait=5, Respond-Async", "respond-async; x=1"])
async def test_respond_async_has_a_stored_image_read_again_by_a_job(gateway: Gateway, prefer: str) -> None:
    """202 at once with the address to ask and the seconds to wait; nothing is read in the request."""
    read = (await upload(gateway.client)).json()
    image = f"/projects/{read['project_id']}/images/{read['image_id']}"
    gateway.state.calls.clear()
    response = await gateway.client.post(f"{image}/ocr", headers={"Prefer": prefer})
    assert (response.status_code, gateway.state.calls) == (202, ["CreateJob", "EnqueueJob"])
    headers = response.headers
    assert (headers["location"], headers["preference-applied"]) == (image, "respond-async")
    assert int(headers["retry-after"]) > 0
    assert f'<{image}>; rel="status"' in headers["link"]
    assert [page["image_id"] for page in response.json()["pages"]] == [read["image_id"]]


async def test_an_image_that_cannot_be_stored_makes_no_job(gateway: Gateway) -> None:
    """The problem is that of the image."""
    response = await gateway.client.post("/ocr/", files={"file": b"text"}, headers=IN_BACKGROUND)
    assert response.status_code == 415
    assert not gateway.user.jobs


async def test_a_repeated_request_in_the_background_gets_the_same_job(gateway: Gateway) -> None:
    """And its result, once the page is read."""
    headers = IN_BACKGROUND | {"Idempotency-Key": "page"}
    first = await gateway.client.post("/ocr/", files={"file": png()}, headers=headers)
    second = await gateway.client.post("/ocr/", files={"file": png()}, headers=headers)
    assert first.json() == second.json()
    await gateway.client.post(f"{first.headers['location']}/ocr")
    third = await gateway.client.post("/ocr/", files={"file": png()}, headers=headers)
    assert (third.status_code, third.json()["lines"][0]["text"]) == (201, TEXT)


@pytest.mark.parametrize(
    ("failure", "stored"),
    [
        (
            Unavailable("The process that read the image ended. Read the image again.", code="reader-died"),
            True,
        ),
        (RateLimited("Too many images wait to be read. Try again later.", code="queue-full"), True),
        (NotFound(), True),
        (TimedOut(), True),
        (
            InvalidInput(
                "Reading this image has failed repeatedly. Send it smaller.", code="unreadable-image"
            ),
            False,
        ),
    ],
)
async def test_a_failure_to_read_a_stored_image_names_the_route_that_reads_it(
    gateway: Gateway, failure: KetavError, stored: bool
) -> None:
    """Sending the image again would store it twice; an image that cannot be read is not to be read again."""
    gateway.state.failures["RecognizePage"] = failure
    problem = (await upload(gateway.client)).json()
    route = f"/projects/{problem['project_id']}/images/{problem['image_id']}/ocr"
    assert problem["detail"].endswith(f"The image is stored: POST {route} reads it.") is stored
    assert "Send the request again" not in problem["detail"]
    again = (await gateway.client.post(route)).json()
    assert again["detail"] == problem["detail"]
    gateway.state.failures.clear()
    assert (await gateway.client.post(route)).status_code == 201


async def test_a_page_is_read_with_the_given_version(gateway: Gateway) -> None:
    """From the form and from the query; without one the registry chooses."""
    add_version(gateway.user, "mine-2")
    read = (await upload(gateway.client, model="hebrew_base-1")).json()
    path = f"/projects/{read['project_id']}/images/{read['image_id']}/ocr"
    again = await gateway.client.post(f"{path}?model=mine-2")
    assert (again.status_code, again.json()["model"]) == (201, {"version": "mine-2", "kind": "user"})
    assert (await gateway.client.post(path)).status_code == 201
    versions = [
        request.model_version
        for request in gateway.state.requests
        if request.DESCRIPTOR.name in {"CreatePageHeader", "DownloadImageRequest"}
    ]
    assert versions == ["hebrew_base-1", "mine-2", ""]


@pytest.mark.parametrize("version", ["", "a" * 65, "../x", "a/b", "a b", "א", "a%00", "-a"])
async def test_a_malformed_version_is_refused(gateway: Gateway, version: str) -> None:
    """422 in the form and in the query; no service is called."""
    read = (await upload(gateway.client)).json()
    gateway.state.calls.clear()
    path = f"/projects/{read['project_id']}/images/{read['image_id']}/ocr"
    responses = [
        await upload(gateway.client, model=version),
        await gateway.client.post(path, params={"model": version}),
    ]
    for response in responses:
        assert (response.status_code, response.json()["code"]) == (422, "invalid-input")
    assert gateway.state.calls == []


async def test_a_version_that_never_serves_is_409_and_an_unknown_one_404(gateway: Gateway) -> None:
    """An upload and a second reading are refused in the same way."""
    add_version(gateway.user, "retired-1", state=models_pb2.MODEL_STATE_RETIRED)
    read = (await upload(gateway.client)).json()
    path = f"/projects/{read['project_id']}/images/{read['image_id']}/ocr"
    for version, status, code in (("a-1", 404, "not-found"), ("retired-1", 409, "model-retired")):
        for response in (
            await upload(gateway.client, model=version),
            await gateway.client.post(path, params={"model": version}),
        ):
            assert (response.status_code, response.json()["code"]) == (status, code)
