"""The gateway translates: REST in, gRPC out, and back."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from ketav_common.errors import Conflict, Internal, Precondition, Unauthenticated, Unavailable
from tests.parts.gateway import Gateway, png, scripted_gateway, upload
from tests.parts.scripted import TEXT


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    """Run a gateway before scripted services."""
    async with scripted_gateway(tmp_path) as running:
        yield running


async def test_an_upload_is_stored_read_recorded_and_answered(gateway: Gateway) -> None:
    """The answer has every field of the contract; with a warm key it takes exactly three internal calls."""
    await gateway.client.get("/projects/")
    gateway.script.calls.clear()
    answer = await upload(gateway.client, name="יומן", script="square")
    assert answer.status_code == 201
    body = answer.json()
    assert set(body) == {
        *("project_id", "image_id", "transcription_id", "model", "image", "text", "confidence", "lines")
    }
    assert body["model"] == {"version": "hebrew_base-1", "kind": "base"}
    assert body["image"] == {"width": 100, "height": 80, "media_type": "image/png"}
    assert body["text"].splitlines()[0] == TEXT
    line = body["lines"][0]
    assert set(line) == {"line_id", "order", "text", "confidence", "baseline", "boundary", "words"}
    assert line["words"][1] == {"text": "עולם", "confidence": 0.9, "start": 5, "end": 9}
    assert line["baseline"] == [[10, 30], [90, 30]]
    assert gateway.script.calls == ["CreatePage", "RecognizePage", "RecordTranscription"]
    assert answer.headers["location"] == f"/projects/{body['project_id']}/images/{body['image_id']}"


async def test_livez_answers_without_a_key_or_any_service(gateway: Gateway) -> None:
    """Liveness asks nobody."""
    answer = await gateway.stranger.get("/livez")
    assert (answer.status_code, answer.json()["status"]) == (200, "alive")
    assert gateway.script.calls == []


async def test_successful_probes_are_logged_below_the_level_of_other_requests(gateway: Gateway) -> None:
    """Probes come every few seconds; at level INFO the log holds the requests of clients."""
    with capture_logs() as events:
        await gateway.stranger.get("/livez")
        await gateway.client.get("/projects/")
    levels = {event["route"]: event["log_level"] for event in events if event["event"] == "request_handled"}
    assert levels == {"/livez": "debug", "/projects/": "info"}


async def test_a_project_shows_its_pages_and_corrections(gateway: Gateway) -> None:
    """What was corrected appears beside what was read; one call reads, one call corrects."""
    read = (await upload(gateway.client)).json()
    gateway.script.calls.clear()
    line_id = read["lines"][0]["line_id"]
    ids = {"project_id": read["project_id"], "image_id": read["image_id"]}
    sent = await gateway.client.post(
        "/feedback/", json={**ids, "lines": [{"line_id": line_id, "text": "שלום לכם"}]}
    )
    assert sent.status_code == 201
    assert set(sent.json()) == {
        "feedback_id",
        "accepted_lines",
        "unaligned",
        "quarantined",
        "ground_truth_lines",
    }
    project = (await gateway.client.get(f"/projects/{read['project_id']}")).json()
    assert gateway.script.calls == ["SubmitCorrections", "GetProject"]
    assert set(project) == {"project_id", "name", "script", "created_at", "images", "next_cursor"}
    image = project["images"][0]
    assert (image["image_id"], image["state"]) == (read["image_id"], "read")
    assert image["transcription"]["lines"][0]["corrected_text"] == "שלום לכם"
    assert image["transcription"]["lines"][1]["corrected_text"] is None
    alone = await gateway.client.get(f"/projects/{read['project_id']}/images/{read['image_id']}")
    assert alone.json() == image


async def test_a_recognizer_that_is_down_keeps_the_image_and_says_where(gateway: Gateway) -> None:
    """503 with Retry-After names the image; reading it again needs no new upload."""
    await gateway.servers["recognizer"].grpc.stop(0)
    answer = await upload(gateway.client)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1
    problem = answer.json()
    assert problem["code"] == "unavailable"
    where = f"/projects/{problem['project_id']}/images/{problem['image_id']}"
    assert (await gateway.client.get(where)).json()["state"] == "stored"


async def test_a_stored_image_is_read_again_in_three_calls(gateway: Gateway) -> None:
    """A failed reading is repeated from the stored image."""
    gateway.script.failures["RecognizePage"] = Unavailable()
    problem = (await upload(gateway.client)).json()
    gateway.script.failures.clear()
    gateway.script.calls.clear()
    where = f"/projects/{problem['project_id']}/images/{problem['image_id']}"
    answer = await gateway.client.post(f"{where}/ocr")
    assert answer.status_code == 201
    assert answer.json()["lines"][0]["text"] == TEXT
    assert gateway.script.calls == ["DownloadImage", "RecognizePage", "RecordTranscription"]


async def test_a_quarantined_line_is_named_with_its_reason_until_it_is_confirmed(gateway: Gateway) -> None:
    """In the answer, on the page and in the project; `confirm` goes to the registry with the line."""
    read = (await upload(gateway.client)).json()
    ids = {"project_id": read["project_id"], "image_id": read["image_id"]}
    doubtful = {"line_id": read["lines"][0]["line_id"], "text": ""}
    doubt = {"code": "empty-text", "reason": "There is no text."}
    answer = (await gateway.client.post("/feedback/", json={**ids, "lines": [doubtful]})).json()
    assert answer["quarantined"] == [doubt | {"line_id": doubtful["line_id"]}]
    assert (answer["accepted_lines"], answer["ground_truth_lines"]) == (1, 0)
    page = (await gateway.client.get(f"/projects/{ids['project_id']}/images/{ids['image_id']}")).json()
    assert [line["quarantine"] for line in page["transcription"]["lines"]] == [doubt, None]
    project = (await gateway.client.get(f"/projects/{ids['project_id']}")).json()
    assert project["images"] == [page]
    confirmed = {**doubtful, "confirm": True}
    answer = (await gateway.client.post("/feedback/", json={**ids, "lines": [confirmed]})).json()
    assert answer["quarantined"] == []


async def test_a_repeated_upload_with_the_same_key_is_not_read_twice(gateway: Gateway) -> None:
    """The same Idempotency-Key gives the same body without a recognition."""
    headers = {"Idempotency-Key": "first"}
    first = await gateway.client.post("/ocr/", files={"file": png()}, headers=headers)
    gateway.script.calls.clear()
    second = await gateway.client.post("/ocr/", files={"file": png()}, headers=headers)
    assert (second.status_code, second.json()) == (201, first.json())
    assert gateway.script.calls == ["CreatePage"]


async def test_the_fingerprint_tells_another_request_from_a_repeated_one(gateway: Gateway) -> None:
    """Another file or field changes the SHA-256 that goes with the key; the form's spelling does not."""
    for data, fields in (
        (png(), {}),
        (png(), {"script": "modern_cursive"}),
        (png(64), {}),
        (png(), {"name": "a"}),
    ):
        await upload(gateway.client, data, **fields)
    headers = [request for request in gateway.script.requests if hasattr(request, "request_sha256")]
    hashes = [header.request_sha256 for header in headers if header.DESCRIPTOR.name == "CreatePageHeader"]
    assert hashes[0] == hashes[1]
    assert len(set(hashes)) == 3


async def test_respond_async_answers_at_once_and_reads_on(gateway: Gateway) -> None:
    """202 names the image to look at; it is read soon after."""
    answer = await gateway.client.post(
        "/ocr/", files={"file": png()}, headers={"Prefer": "wait=5, respond-async"}
    )
    assert answer.status_code == 202
    assert answer.headers["preference-applied"] == "respond-async"
    assert answer.json()["state"] == "stored"
    for _ in range(200):
        page = (await gateway.client.get(answer.headers["location"])).json()
        if page["state"] == "read":
            break
    assert page["transcription"]["lines"][0]["text"] == TEXT


async def test_the_file_comes_back_as_it_was_stored(gateway: Gateway) -> None:
    """Bytes, type and safe headers."""
    read = (await upload(gateway.client)).json()
    where = f"/projects/{read['project_id']}/images/{read['image_id']}/file"
    answer = await gateway.client.get(where)
    assert answer.content == gateway.script.images[read["image_id"]]
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"] == f'inline; filename="{read["image_id"]}.png"'


async def test_a_training_is_started_followed_and_cancelled(gateway: Gateway) -> None:
    """202 with Location; the run, its events, its end."""
    started = await gateway.client.post("/train/")
    assert started.status_code == 202
    where = started.headers["location"]
    assert where == f"/train/{started.json()['run_id']}"
    assert started.json() == {"run_id": gateway.script.run.run_id, "state": "queued"}
    assert (await gateway.client.get(where)).json()["state"] == "queued"
    events = (await gateway.client.get(f"{where}/events")).text
    assert [part.split(":")[1].strip() for part in events.splitlines() if part.startswith("id")] == ["1", "2"]
    resumed = (await gateway.client.get(f"{where}/events", headers={"Last-Event-ID": "1"})).text
    assert "id: 1" not in resumed
    assert "id: 2" in resumed
    cancelled = await gateway.client.post(f"{where}/cancel")
    assert cancelled.json()["cancel_requested"] is True


async def test_a_second_training_is_409_with_the_active_run(gateway: Gateway) -> None:
    """The answer names the run that is active."""
    run_id = str(uuid4())
    gateway.script.failures["StartTraining"] = Conflict(
        "A training is under way.", code="run-active", details={"run_id": run_id}
    )
    answer = await gateway.client.post("/train/")
    assert (answer.status_code, answer.json()["code"], answer.json()["run_id"]) == (409, "run-active", run_id)


async def test_too_few_lines_say_how_many_are_missing(gateway: Gateway) -> None:
    """422 with a number."""
    gateway.script.failures["StartTraining"] = Precondition(
        "Not enough lines.", code="too-few-lines", details={"missing": "9"}
    )
    answer = await gateway.client.post("/train/")
    assert (answer.status_code, answer.json()["code"], answer.json()["missing"]) == (422, "too-few-lines", 9)


async def test_models_show_records_and_nothing_else(gateway: Gateway) -> None:
    """No digest, length, key or path of a model leaves."""
    listed = await gateway.client.get("/models/")
    assert listed.json()["models"][0]["version"] == "hebrew_base-1"
    assert listed.json()["models"][0]["script"] is None
    activated = await gateway.client.post("/models/hebrew_base-1/activate")
    assert activated.json()["state"] == "active"
    read = await upload(gateway.client)
    for answer in (listed, activated, read):
        assert "5a5a" not in answer.text
        assert "sha256" not in answer.text
        assert "size_bytes" not in answer.text


@pytest.mark.parametrize("error", [Unauthenticated(), Internal("disk on fire")])
async def test_a_service_that_refuses_the_gateway_is_our_fault(gateway: Gateway, error: Exception) -> None:
    """The client's key is fine: 500, and the reason stays in the log."""
    gateway.script.failures["ListProjects"] = error  # type: ignore[assignment]
    answer = await gateway.client.get("/projects/")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "fire" not in answer.text


async def test_readyz_names_the_service_that_is_down(gateway: Gateway) -> None:
    """200 when all serve; otherwise 503 and which one does not."""
    assert (await gateway.stranger.get("/readyz")).json()["services"] == {
        "registry": "serving",
        "recognizer": "serving",
        "trainer": "serving",
    }
    await gateway.servers["trainer"].set_serving(False)
    answer = await gateway.stranger.get("/readyz")
    assert (answer.status_code, answer.json()["services"]["trainer"]) == (503, "not-serving")
