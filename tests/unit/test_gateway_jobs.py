"""Jobs are created over stored images, shown, listed, followed and cancelled."""

from uuid import uuid4

import pytest

from ketav.registry.v1 import jobs_pb2
from ketav_common.errors import RateLimited
from tests.parts.gateway import Gateway, png, upload, without_trace

UNKNOWN = "00000000-0000-4000-8000-000000000000"
IN_BACKGROUND = {"Prefer": "respond-async"}


async def job_of_image(gateway: Gateway, width: int = 100) -> str:
    """Send an image to be read in the background; return the id of the job."""
    response = await gateway.client.post("/ocr/", files={"file": png(width)}, headers=IN_BACKGROUND)
    return str(response.json()["job_id"])


async def stored_images(gateway: Gateway, count: int = 2) -> tuple[str, list[str]]:
    """Store images in one project; return their ids."""
    first = (await upload(gateway.client)).json()
    others = [
        (await upload(gateway.client, png(100 + number), project_id=first["project_id"])).json()["image_id"]
        for number in range(1, count)
    ]
    return first["project_id"], [first["image_id"], *others]


async def test_stored_images_are_read_by_a_job(gateway: Gateway) -> None:
    """202 with Location; the workers are woken with its id."""
    project_id, image_ids = await stored_images(gateway)
    gateway.state.calls.clear()
    body = {"project_id": project_id, "image_ids": image_ids, "model": "hebrew_base-1"}
    response = await gateway.client.post("/jobs/", json=body)
    assert response.status_code == 202, response.text
    job = response.json()
    assert response.headers["location"] == f"/jobs/{job['job_id']}"
    assert gateway.state.calls == ["CreateJob", "EnqueueJob"]
    assert gateway.state.requests[-1].job_id == job["job_id"]
    assert [(page["position"], page["image_id"], page["state"]) for page in job["pages"]] == [
        (1, image_ids[0], "queued"),
        (2, image_ids[1], "queued"),
    ]
    assert (await gateway.client.get(f"/jobs/{job['job_id']}")).json() == job


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"image_ids": []}, id="no image"),
        pytest.param({"image_ids": ["x"]}, id="an id that is none"),
        pytest.param({"project_id": None}, id="no project"),
        pytest.param({"pages": 3}, id="an unknown member"),
    ],
)
async def test_a_request_without_usable_images_is_422(gateway: Gateway, change: dict[str, object]) -> None:
    """No job is made."""
    body = {"project_id": str(uuid4()), "image_ids": [str(uuid4())]} | change
    response = await gateway.client.post("/jobs/", json=body)
    code = "unknown-field" if "pages" in change else "invalid-input"
    assert (response.status_code, response.json()["code"]) == (422, code)
    assert not gateway.user.jobs


@pytest.mark.parametrize(
    ("image_ids", "code", "field"),
    [
        pytest.param([UNKNOWN] * 2, "invalid-job", "/image_ids/1", id="twice"),
        pytest.param([str(uuid4()) for _ in range(301)], "invalid-input", "/image_ids", id="301"),
    ],
)
async def test_an_image_that_is_named_twice_or_too_many_images_are_422(
    gateway: Gateway, image_ids: list[str], code: str, field: str
) -> None:
    """The response names the field; too many images are refused before the registry is called."""
    project_id, _ = await stored_images(gateway, 1)
    gateway.state.calls.clear()
    response = await gateway.client.post("/jobs/", json={"project_id": project_id, "image_ids": image_ids})
    problem = response.json()
    assert (response.status_code, problem["code"]) == (422, code)
    assert [error["field"] for error in problem["errors"]] == [field]
    assert ("CreateJob" in gateway.state.calls) is (code == "invalid-job")


async def test_images_of_another_project_or_user_are_404(gateway: Gateway) -> None:
    """Byte for byte like unknown ones."""
    project_id, image_ids = await stored_images(gateway)
    foreign = await gateway.other.post("/jobs/", json={"project_id": project_id, "image_ids": image_ids})
    unknown = await gateway.other.post(
        "/jobs/", json={"project_id": str(uuid4()), "image_ids": [str(uuid4())]}
    )
    assert (foreign.status_code, without_trace(foreign)) == (404, without_trace(unknown))


async def test_a_job_of_another_user_is_404_on_every_route(gateway: Gateway) -> None:
    """Like an unknown one, byte for byte."""
    job_id = (await gateway.client.post("/ocr/", files={"file": png()}, headers=IN_BACKGROUND)).json()[
        "job_id"
    ]
    for method, end in (("GET", ""), ("GET", "/events"), ("POST", "/cancel")):
        foreign = await gateway.other.request(method, f"/jobs/{job_id}{end}")
        unknown = await gateway.other.request(method, f"/jobs/{uuid4()}{end}")
        assert (foreign.status_code, without_trace(foreign)) == (404, without_trace(unknown))
    assert (await gateway.other.get("/jobs/")).json()["jobs"] == []


async def test_jobs_are_listed_in_parts(gateway: Gateway) -> None:
    """Newest first, without their pages."""
    created = [
        (await gateway.client.post("/ocr/", files={"file": png(100 + n)}, headers=IN_BACKGROUND)).json()[
            "job_id"
        ]
        for n in range(3)
    ]
    first = (await gateway.client.get("/jobs/?limit=2")).json()
    second = (await gateway.client.get(f"/jobs/?limit=2&cursor={first['next_cursor']}")).json()
    assert [job["job_id"] for job in [*first["jobs"], *second["jobs"]]] == created[::-1]
    assert second["next_cursor"] is None
    assert "pages" not in first["jobs"][0]


async def test_a_job_is_cancelled_once(gateway: Gateway) -> None:
    """A second time it has ended: 422."""
    job_id = (await gateway.client.post("/ocr/", files={"file": png()}, headers=IN_BACKGROUND)).json()[
        "job_id"
    ]
    cancelled = (await gateway.client.post(f"/jobs/{job_id}/cancel")).json()
    assert (cancelled["state"], cancelled["cancel_requested"]) == ("cancelled", True)
    again = await gateway.client.post(f"/jobs/{job_id}/cancel")
    assert (again.status_code, again.json()["code"]) == (422, "job-ended")


async def test_the_failure_of_a_page_is_shown_with_its_reason(gateway: Gateway) -> None:
    """While it is tried again, and when it has failed."""
    job_id = (await gateway.client.post("/ocr/", files={"file": png()}, headers=IN_BACKGROUND)).json()[
        "job_id"
    ]
    stored = gateway.user.jobs[job_id]
    error = jobs_pb2.JobPageError(code="reader-died", detail="The process ended. The page is read again.")
    stored.pages[0].error.CopyFrom(error)
    stored.pages[0].attempts = 2
    [page] = (await gateway.client.get(f"/jobs/{job_id}")).json()["pages"]
    assert page["error"] == {"code": "reader-died", "detail": "The process ended. The page is read again."}
    assert page["attempts"] == 2


async def test_the_changes_of_a_job_are_streamed_until_it_ends(gateway: Gateway) -> None:
    """An event has the revision as its id; after the last one the stream is 204."""
    job_id = (await gateway.client.post("/ocr/", files={"file": png()}, headers=IN_BACKGROUND)).json()[
        "job_id"
    ]
    job = gateway.user.jobs[job_id]
    job.state, job.revision, job.pages_read = jobs_pb2.JOB_STATE_SUCCEEDED, 3, 1
    events = (await gateway.client.get(f"/jobs/{job_id}/events")).text
    assert [line for line in events.splitlines() if line.startswith(("id", "event"))] == [
        "id: 3",
        "event: succeeded",
    ]
    after = {"Last-Event-ID": "3"}
    assert (await gateway.client.get(f"/jobs/{job_id}/events", headers=after)).status_code == 204
    malformed = await gateway.client.get(f"/jobs/{job_id}/events", headers={"Last-Event-ID": "x"})
    assert (malformed.status_code, malformed.json()["code"]) == (422, "malformed-event-id")


async def test_too_many_waiting_pages_are_429_with_the_seconds_to_wait(gateway: Gateway) -> None:
    """The registry bounds the queue of a user."""
    gateway.state.failures["CreateJob"] = RateLimited(code="too-many-waiting-pages", retry_after=60)
    response = await gateway.client.post("/ocr/", files={"file": png()}, headers=IN_BACKGROUND)
    assert (response.status_code, response.json()["code"]) == (429, "too-many-waiting-pages")
    assert response.headers["retry-after"] == "60"


async def test_a_refused_job_over_a_new_image_names_the_stored_image(gateway: Gateway) -> None:
    """So that the client reads it later, instead of storing another copy with each attempt."""
    gateway.state.failures["CreateJob"] = RateLimited(code="too-many-waiting-pages", retry_after=60)
    problem = (await gateway.client.post("/ocr/", files={"file": png()}, headers=IN_BACKGROUND)).json()
    project_id, image_id = problem["project_id"], problem["image_id"]
    assert problem["detail"].endswith(f"POST /projects/{project_id}/images/{image_id}/ocr reads it.")
    del gateway.state.failures["CreateJob"]
    body = {"project_id": project_id, "image_ids": [image_id]}
    assert (await gateway.client.post("/jobs/", json=body)).status_code == 202
