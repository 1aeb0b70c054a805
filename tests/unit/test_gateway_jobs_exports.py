"""Exports in the background: created by Prefer, written by the gateway, downloaded whole and in parts."""

import asyncio
import errno
import hashlib
import io
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from ketav.registry.v1 import jobs_pb2
from ketav_common.errors import Unavailable
from ketav_gateway.pages import export_jobs
from tests.parts.exported_pages import written
from tests.parts.gateway import Gateway, in_process_gateway, png, upload, without_trace

UNKNOWN = "00000000-0000-4000-8000-000000000000"
IN_BACKGROUND = {"Prefer": "respond-async"}


async def new_project(gateway: Gateway, pages: int = 2) -> tuple[str, list[str]]:
    """Read pages of one project; return its id and theirs."""
    first = (await upload(gateway.client)).json()
    others = [
        (await upload(gateway.client, png(100 + number), project_id=first["project_id"])).json()["image_id"]
        for number in range(1, pages)
    ]
    return first["project_id"], [first["image_id"], *others]


async def start(gateway: Gateway, project_id: str, **query: Any) -> dict[str, Any]:
    """Create an export; return its job."""
    path = f"/projects/{project_id}/export"
    response = await gateway.client.get(path, params=query, headers=IN_BACKGROUND)
    assert response.status_code == 202, response.text
    job: dict[str, Any] = response.json()
    assert response.headers["location"] == f"/jobs/{job['job_id']}"
    assert response.headers["retry-after"] == "2"
    assert f'</jobs/{job["job_id"]}/events>; rel="monitor"' in response.headers["link"]
    return job


@pytest.mark.parametrize("kind", ["txt", "tei", "pdf", "iiif", "page"])
async def test_a_job_writes_what_a_request_would_get(gateway: Gateway, kind: str) -> None:
    """The same bytes, with the same name and media type; a zip has the same files."""
    project_id, _ = await new_project(gateway)
    query = {"format": kind, "images": "true"} if kind == "page" else {"format": kind}
    direct = await gateway.client.get(f"/projects/{project_id}/export", params=query)
    job = await start(gateway, project_id, **query)
    assert (job["kind"], job["export"]["format"], job["page_count"]) == ("export", kind, 2)
    ended = await written(gateway.client, job["job_id"])
    assert (ended["state"], ended["pages_read"], ended["pages"]) == ("succeeded", 2, [])
    file = await gateway.client.get(f"/jobs/{job['job_id']}/export")
    assert file.status_code == 200
    for header in ("content-type", "content-disposition"):
        assert file.headers[header] == direct.headers[header]
    assert ended["export"]["size_bytes"] == len(file.content)
    if kind == "page":
        archives = [zipfile.ZipFile(io.BytesIO(response.content)) for response in (direct, file)]
        names = [sorted(archive.namelist()) for archive in archives]
        assert names[0] == names[1]
        assert len(names[0]) == 4
    elif kind != "pdf":
        assert file.content == direct.content


async def test_an_export_of_some_images_has_their_order(gateway: Gateway) -> None:
    """The job names them."""
    project_id, ids = await new_project(gateway, 3)
    image_ids = [ids[2], ids[0]]
    job = await start(gateway, project_id, format="json", image_id=image_ids)
    assert (job["export"]["image_ids"], job["page_count"]) == (image_ids, 2)
    await written(gateway.client, job["job_id"])
    file = await gateway.client.get(f"/jobs/{job['job_id']}/export")
    names = zipfile.ZipFile(io.BytesIO(file.content)).namelist()
    assert names == [f"{image_id}.json" for image_id in image_ids]


async def test_a_file_has_a_validator_and_is_sent_in_parts(gateway: Gateway) -> None:
    """ETag, Range, If-Range, HEAD and a range behind the end."""
    project_id, _ = await new_project(gateway)
    job = await start(gateway, project_id, format="pdf")
    await written(gateway.client, job["job_id"])
    path = f"/jobs/{job['job_id']}/export"
    whole = await gateway.client.get(path)
    etag = whole.headers["etag"]
    assert etag == f'"{hashlib.sha256(whole.content).hexdigest()}"'
    assert (await gateway.client.get(path, headers={"If-None-Match": etag})).status_code == 304
    head = await gateway.client.head(path)
    assert (head.headers["content-length"], head.content) == (str(len(whole.content)), b"")
    for header_value, expected in (("bytes=5-9", whole.content[5:10]), ("bytes=-4", whole.content[-4:])):
        part = await gateway.client.get(path, headers={"Range": header_value, "If-Range": etag})
        assert (part.status_code, part.content) == (206, expected)
        assert part.headers["content-range"].endswith(f"/{len(whole.content)}")
    behind = await gateway.client.get(path, headers={"Range": f"bytes={len(whole.content)}-"})
    assert (behind.status_code, behind.json()["code"]) == (416, "range-not-satisfiable")
    other = await gateway.client.get(path, headers={"Range": "bytes=5-9", "If-Range": '"other"'})
    assert (other.status_code, other.content) == (200, whole.content)


async def test_a_job_without_a_file_says_so_and_a_foreign_one_is_unknown(gateway: Gateway) -> None:
    """404 export-expired to those who see the job; for others the answer of an unknown job."""
    project_id, _ = await new_project(gateway)
    gateway.state.failures["GetProject"] = Unavailable("The registry is unavailable. Try again later.")
    job = await start(gateway, project_id)
    failed = await written(gateway.client, job["job_id"])
    del gateway.state.failures["GetProject"]
    assert (failed["state"], failed["export"]["error"]["code"]) == ("failed", "unavailable")
    path = f"/jobs/{job['job_id']}/export"
    missing = await gateway.client.get(path)
    assert (missing.status_code, missing.json()["code"]) == (404, "export-expired")
    assert "24 hours" in missing.json()["detail"]
    answers = [await gateway.other.get(address) for address in (path, f"/jobs/{UNKNOWN}/export")]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(404, "not-found")] * 2
    assert without_trace(answers[0]) == without_trace(answers[1])
    reading = await gateway.client.post("/ocr/", files={"file": png(120)}, headers=IN_BACKGROUND)
    file = await gateway.client.get(f"/jobs/{reading.json()['job_id']}/export")
    assert (file.status_code, file.json()["code"]) == (404, "not-found")


async def test_a_project_of_more_pages_than_a_request_exports_needs_a_job(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """422 says how; some of its images are exported at once, and so is the rest by a job."""
    monkeypatch.setattr("ketav_gateway.pages.streams.MAX_DIRECT_EXPORT_PAGES", 2)
    project_id, ids = await new_project(gateway, 3)
    path = f"/projects/{project_id}/export"
    refused = await gateway.client.get(path)
    assert (refused.status_code, refused.json()["code"]) == (422, "export-needs-job")
    assert "more than 2 images" in refused.json()["detail"]
    assert "Prefer: respond-async" in refused.json()["detail"]
    assert (await gateway.client.get(path, params={"image_id": ids})).status_code == 200
    job = await start(gateway, project_id)
    assert (await written(gateway.client, job["job_id"]))["pages_read"] == 3


async def test_an_export_that_becomes_too_large_fails_with_its_reason(
    tmp_path: Path,
) -> None:
    """It is not tried again. The limit is a setting."""
    async with in_process_gateway(tmp_path, max_export_bytes=10) as gateway:
        project_id, _ = await new_project(gateway)
        job = await written(gateway.client, (await start(gateway, project_id, format="pdf"))["job_id"])
    assert (job["state"], job["export"]["error"]["code"]) == ("failed", "export-too-large")


async def test_a_gateway_without_exporters_writes_none_and_stops(tmp_path: Path) -> None:
    """KETAV_EXPORT_JOBS_AT_ONCE=0: another gateway writes them."""
    async with in_process_gateway(tmp_path, export_jobs_at_once=0) as gateway:
        project_id, _ = await new_project(gateway)
        job = await start(gateway, project_id)
        await asyncio.sleep(0.3)
        assert (await gateway.client.get(f"/jobs/{job['job_id']}")).json()["state"] == "queued"


async def test_a_full_disk_is_named_and_the_export_tried_again(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its attempt counts: a disk that stays full ends the export."""

    def full(*_: object, **__: object) -> TemporaryDirectory[str]:
        """Fail as a full disk does."""
        raise OSError(errno.ENOSPC, "No space left on device")

    project_id, _ = await new_project(gateway)
    monkeypatch.setattr(export_jobs, "TemporaryDirectory", full)
    job = await written(gateway.client, (await start(gateway, project_id))["job_id"])
    assert "disk is full" in job["export"]["error"]["detail"]


async def test_equal_exports_are_one_job_and_three_may_wait(gateway: Gateway) -> None:
    """A fourth is 429; a cancelled one ends, and the events say so."""
    gateway.state.failures["ClaimExport"] = Unavailable("The registry is unavailable. Try again later.")
    project_id, _ = await new_project(gateway)
    jobs = [await start(gateway, project_id, format=kind) for kind in ("txt", "txt", "pdf", "tei")]
    assert jobs[0]["job_id"] == jobs[1]["job_id"]
    path = f"/projects/{project_id}/export?format=docx"
    refused = await gateway.client.get(path, headers=IN_BACKGROUND)
    assert (refused.status_code, refused.json()["code"]) == (429, "too-many-exports")
    cancelled = await gateway.client.post(f"/jobs/{jobs[0]['job_id']}/cancel")
    assert cancelled.json()["state"] == "cancelled"
    events = await gateway.client.get(f"/jobs/{jobs[0]['job_id']}/events")
    assert "event: cancelled" in events.text
    listed = (await gateway.client.get("/jobs/")).json()["jobs"]
    assert [job["export"]["format"] for job in listed] == ["tei", "pdf", "txt"]


async def test_a_deleted_project_fails_the_export_that_is_written(gateway: Gateway) -> None:
    """An export reads with the rights of its creator: what they cannot read, it does not contain."""
    gateway.state.failures["ClaimExport"] = Unavailable("The registry is unavailable. Try again later.")
    project_id, _ = await new_project(gateway)
    job = await start(gateway, project_id)
    del gateway.user.projects[project_id]
    del gateway.state.failures["ClaimExport"]
    stored = gateway.user.jobs[job["job_id"]]
    for _ in range(300):
        if stored.state == jobs_pb2.JOB_STATE_FAILED:
            break
        await asyncio.sleep(0.1)
    assert stored.export.error.code == "not-found"
