"""Each POST of the API is done once for each Idempotency-Key, also when its repetitions arrive at once."""

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.local_system import LocalSystem, boxes, tiny_system
from tests.parts.archives import zipped

WITHOUT_KEY = {"/session", "/projects/{project_id}/iiif-link"}
"""Signing in and making a link store nothing: each request gets a session or a link of its own."""
MAY_BE_REFUSED = {
    # A second archive of a user is not received while one is imported.
    "/projects/{project_id}/ground-truth": {429},
}


@dataclass
class Example:
    """A request, another one that may not have its key, and what tells one result from another."""

    path: str
    arguments: dict[str, Any]
    other: dict[str, Any]
    result: Callable[[dict[str, Any]], object]
    other_path: str = ""


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory, tiny_models: Path) -> Iterator[LocalSystem]:
    """Run a system that lets a user upload as many files at once as the test sends."""
    running = tiny_system(tmp_path_factory.mktemp("system"), tiny_models)
    running.env["KETAV_MAX_UPLOADS_PER_USER"] = "16"
    running.start()
    try:
        yield running
    finally:
        running.stop()


def page(client: httpx.Client, lines: int = 4, seed: int = 0) -> dict[str, Any]:
    """Read a new page and return the response."""
    body: dict[str, Any] = client.post("/ocr/", files={"file": ("a.png", boxes(lines, seed))}).json()
    return body


def image_path(body: dict[str, Any]) -> str:
    """Return the path of a page that was read."""
    return f"/projects/{body['project_id']}/images/{body['image_id']}"


def line_ids(body: dict[str, Any]) -> list[str]:
    """Return the ids of the lines of a page or a reading."""
    return [line["line_id"] for line in body.get("lines") or body["transcription"]["lines"]]


def correctable(client: httpx.Client) -> None:
    """Correct enough lines for a training run, and let none start by itself."""
    assert client.put("/models/policy", json={"automatic": False}).is_success
    for seed in range(5):
        body = page(client, 4, seed)
        ids = {"project_id": body["project_id"], "image_id": body["image_id"]}
        assert client.post("/feedback/", json={**ids, "corrected_text": body["text"]}).is_success


def ocr(client: httpx.Client) -> Example:
    """Read a new image."""
    file, other = ({"files": {"file": ("a.png", boxes(4, seed))}} for seed in (0, 1))
    return Example("/ocr/", file, other, lambda body: (body["image_id"], line_ids(body)))


def ocr_again(client: httpx.Client) -> Example:
    """Read a stored image again."""
    path = f"{image_path(page(client))}/ocr"
    return Example(path, {}, {"params": {"model": "hebrew_base-1"}}, line_ids)


def job(client: httpx.Client) -> Example:
    """Read stored images in the background."""
    bodies = [page(client, 4, seed) for seed in range(2)]
    first, other = (
        {"json": {"project_id": body["project_id"], "image_ids": [body["image_id"]]}} for body in bodies
    )
    return Example("/jobs/", first, other, lambda body: body["job_id"])


def cancelled_job(client: httpx.Client) -> Example:
    """Cancel a job that has pages left."""
    body = page(client)
    ids = [body["image_id"]]
    for seed in range(1, 5):
        fields = {"project_id": body["project_id"]}
        read = client.post("/ocr/", files={"file": ("a.png", boxes(9, seed))}, data=fields).json()
        ids.append(read["image_id"])
    request = {"project_id": body["project_id"], "image_ids": ids}
    jobs = [client.post("/jobs/", json=request).json()["job_id"] for _ in range(2)]
    paths = [f"/jobs/{job_id}/cancel" for job_id in jobs]
    return Example(paths[1], {}, {}, lambda body: (body["job_id"], body["cancel_requested"]), paths[0])


def feedback(client: httpx.Client) -> Example:
    """Correct a page."""
    body = page(client)
    ids = {"project_id": body["project_id"], "image_id": body["image_id"]}
    texts = ({"json": {**ids, "lines": [{"line_id": line_ids(body)[0], "text": text}]}} for text in "אב")
    return Example("/feedback/", next(texts), next(texts), lambda body: body["feedback_id"])


def project(client: httpx.Client) -> Example:
    """Create a project."""
    named = ({"json": {"name": uuid.uuid4().hex}} for _ in range(2))
    return Example("/projects/", next(named), next(named), lambda body: body["project_id"])


def ground_truth(client: httpx.Client) -> Example:
    """Import an archive."""
    path = f"/projects/{page(client)['project_id']}/ground-truth"
    archives = (
        {"files": {"file": ("gt.zip", zipped({"1.png": boxes(1, seed), "1.gt.txt": "שלום".encode()}))}}
        for seed in range(2)
    )
    return Example(path, next(archives), next(archives), lambda body: len(body["files"]))


def training(client: httpx.Client) -> Example:
    """Start a run."""
    correctable(client)
    return Example("/train/", {}, {"json": {"hand": None}}, lambda body: body["run_id"])


def cancelled_training(client: httpx.Client) -> Example:
    """Cancel a run that has just begun."""
    correctable(client)
    run_id = client.post("/train/").json()["run_id"]
    path = f"/train/{run_id}/cancel"
    return Example(path, {}, {}, lambda body: (body["run_id"], body["cancel_requested"]), "")


def activation(client: httpx.Client) -> Example:
    """Return to the base model."""
    path = "/models/hebrew_base-1/activate"
    return Example(path, {}, {"params": {"hand": ""}}, lambda body: body["version"])


def webhook_test(client: httpx.Client) -> Example:
    """Test a webhook."""
    client.put("/webhook", json={"url": "https://example.org/hook"})
    return Example("/webhook/test", {}, {}, lambda body: body["delivery_id"])


def new_line(client: httpx.Client) -> Example:
    """Add a line."""
    points = [[10, 10], [90, 10], [90, 30], [10, 30]]
    requests = ({"json": {"boundary": points, "baseline": [[10, y], [90, y]]}} for y in (12, 13))
    return Example(f"{image_path(page(client))}/lines", next(requests), next(requests), line_ids)


def merged(client: httpx.Client) -> Example:
    """Merge lines."""
    body = page(client)
    pairs = ({"json": {"line_ids": line_ids(body)[start : start + 2]}} for start in (0, 2))
    return Example(f"{image_path(body)}/lines/merge", next(pairs), next(pairs), line_ids)


def undone(client: httpx.Client) -> Example:
    """Undo the second of two edits: a repetition that is not recognised undoes the first, too."""
    body = page(client)
    path = f"{image_path(body)}/lines"
    for _ in range(2):
        ids = line_ids(client.get(image_path(body)).json())
        assert client.post(f"{path}/merge", json={"line_ids": ids[:2]}).is_success
    return Example(f"{path}/undo", {}, {}, line_ids, f"{image_path(page(client))}/lines/undo")


def split(client: httpx.Client) -> Example:
    """Split a line."""
    body = page(client)
    first = body["lines"][0]
    middle = sum(x for x, _ in first["boundary"]) // len(first["boundary"])
    text = first["text"]
    requests = ({"json": {"x": middle, "texts": [text[:count], text[count:]]}} for count in (2, 3))
    path = f"{image_path(body)}/lines/{first['line_id']}/split"
    return Example(path, next(requests), next(requests), line_ids)


EXAMPLES: dict[str, Callable[[httpx.Client], Example]] = {
    "/ocr/": ocr,
    "/projects/{project_id}/images/{image_id}/ocr": ocr_again,
    "/jobs/": job,
    "/jobs/{job_id}/cancel": cancelled_job,
    "/feedback/": feedback,
    "/projects/": project,
    "/projects/{project_id}/ground-truth": ground_truth,
    "/train/": training,
    "/train/{run_id}/cancel": cancelled_training,
    "/models/{version}/activate": activation,
    "/webhook/test": webhook_test,
    "/projects/{project_id}/images/{image_id}/lines": new_line,
    "/projects/{project_id}/images/{image_id}/lines/merge": merged,
    "/projects/{project_id}/images/{image_id}/lines/undo": undone,
    "/projects/{project_id}/images/{image_id}/lines/{line_id}/split": split,
}


def test_every_post_has_an_example(client: httpx.Client) -> None:
    """A new route needs one, or an entry with its reason in WITHOUT_KEY."""
    paths = client.get("/openapi.json").json()["paths"]
    posts = {path for path, methods in paths.items() if "post" in methods}
    assert posts == EXAMPLES.keys() | WITHOUT_KEY
    with_key = {
        path
        for path in posts
        if any(it.get("name") == "Idempotency-Key" for it in paths[path]["post"].get("parameters", []))
    }
    assert with_key == set(EXAMPLES)


@pytest.mark.parametrize("route", EXAMPLES)
def test_a_request_that_is_sent_four_times_is_done_once(system: LocalSystem, route: str) -> None:
    """Three at once and one afterwards have one result; another request with the key is refused."""
    with system.client() as client:
        example = EXAMPLES[route](client)
        key = {"Idempotency-Key": uuid.uuid4().hex}

        def send(_: int = 0) -> httpx.Response:
            """Send the request with its key; its files are in memory."""
            return client.post(example.path, headers=key, **example.arguments)

        with ThreadPoolExecutor(3) as threads:
            responses = [*threads.map(send, range(3)), send()]
        done = [response for response in responses if response.is_success]
        assert done, [response.text for response in responses]
        refused = {response.status_code for response in responses} - {done[0].status_code}
        assert refused <= MAY_BE_REFUSED.get(route, set()), [response.text[:300] for response in responses]
        assert responses[-1].is_success
        results = [example.result(response.json()) for response in done]
        assert results == results[:1] * len(done)
        if not example.other and not example.other_path:
            return
        other = client.post(example.other_path or example.path, headers=key, **example.other)
        assert (other.status_code, other.json()["code"]) == (409, "idempotency-key-reused")
