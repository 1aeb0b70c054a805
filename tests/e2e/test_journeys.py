"""Requests of users to a whole running system, and the number of internal calls of each."""

import io
import time
import uuid
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.e2e.local_system import LocalSystem, boxes, request_id, wait_until
from tests.parts.archives import zipped
from tests.parts.pages import draw_page, random_lines

PNG = ("page.png", "image/png")


def upload(
    client: httpx.Client, page: bytes, headers: dict[str, str] | None = None, /, **fields: str
) -> httpx.Response:
    """Post a page to /ocr/."""
    files = {"file": (PNG[0], page, PNG[1])}
    return client.post("/ocr/", files=files, data=fields, headers=headers or {})


def read(client: httpx.Client, page: bytes, **fields: str) -> dict[str, Any]:
    """Post a page and return the JSON of the response."""
    response = upload(client, page, None, **fields)
    assert response.status_code == 201, response.text
    body: dict[str, Any] = response.json()
    return body


def page_ids(body: dict[str, Any]) -> dict[str, Any]:
    """Return the ids of a page that was read."""
    return {"project_id": body["project_id"], "image_id": body["image_id"]}


def test_a_page_is_read_in_three_calls(system: LocalSystem, client: httpx.Client, page: bytes) -> None:
    """Once the model is cached; the response has text, lines and words that agree."""
    read(client, page)
    headers = request_id()
    response = upload(client, page, headers)
    assert response.status_code == 201, response.text
    assert system.handled(headers["X-Request-Id"]) == ["CreatePage", "RecognizePage", "RecordTranscription"]
    body = response.json()
    assert [line["order"] for line in body["lines"]] == [0, 1, 2, 3]
    assert body["text"] == "\n".join(line["text"] for line in body["lines"])
    assert body["model"]["kind"] == "base"
    assert body["image"] == {"width": 600, "height": 300, "media_type": "image/png", "normalised": []}
    for line in body["lines"]:
        assert len(line["boundary"]) >= 3
        assert len(line["baseline"]) >= 2
        assert [line["text"][word["start"] : word["end"]] for word in line["words"]] == line["text"].split()


def test_corrections_take_one_call_and_are_shown_in_the_project(
    system: LocalSystem, client: httpx.Client, page: bytes
) -> None:
    """Next to the reading; showing the project takes one call."""
    body = read(client, page, name="מחברת")
    line_id = body["lines"][1]["line_id"]
    headers = request_id()
    correction = {**page_ids(body), "lines": [{"line_id": line_id, "text": "שלום עולם"}]}
    response = client.post("/feedback/", json=correction, headers=headers)
    assert response.status_code == 201, response.text
    assert response.json()["accepted_lines"] == 1
    assert system.handled(headers["X-Request-Id"]) == ["SubmitCorrections"]

    headers = request_id()
    project = client.get(f"/projects/{body['project_id']}", headers=headers).json()
    assert system.handled(headers["X-Request-Id"]) == ["GetProject"]
    assert project["name"] == "מחברת"
    lines = project["images"][0]["transcription"]["lines"]
    assert [line["corrected_text"] for line in lines] == [None, "שלום עולם", None, None]


def test_a_whole_page_of_corrected_text_is_aligned_to_its_lines(client: httpx.Client, page: bytes) -> None:
    """Similar lines are accepted; a text that is like no line is reported."""
    body = read(client, page)
    texts = [line["text"] for line in body["lines"]]
    corrected = [texts[0], texts[1][:-1] + "ץ", "ככככככככככככככככככככ", texts[2], texts[3]]
    feedback = client.post(
        "/feedback/", json={**page_ids(body), "corrected_text": "\n".join(corrected)}
    ).json()
    assert feedback["accepted_lines"] == 4
    assert [text["text"] for text in feedback["unaligned"]] == [corrected[2]]
    path = f"/projects/{body['project_id']}/images/{body['image_id']}"
    lines = client.get(path).json()["transcription"]["lines"]
    assert lines[1]["corrected_text"] == corrected[1]


def test_the_stored_image_is_returned_and_can_be_read_again(client: httpx.Client, page: bytes) -> None:
    """The file is a PNG; a second reading is another transcription of the same image."""
    body = read(client, page)
    path = f"/projects/{body['project_id']}/images/{body['image_id']}"
    assert client.get(f"{path}/file").content[:8] == b"\x89PNG\r\n\x1a\n"
    again = client.post(f"{path}/ocr")
    assert again.status_code == 201, again.text
    assert again.json()["image_id"] == body["image_id"]
    assert again.json()["transcription_id"] != body["transcription_id"]


@pytest.mark.parametrize("route", ["/ocr/", "/feedback/"])
def test_a_request_with_the_same_idempotency_key_is_done_once(
    client: httpx.Client, page: bytes, route: str
) -> None:
    """The response is the first one; the project has one image more, or one correction."""
    first = read(client, page)
    key = {"Idempotency-Key": str(uuid.uuid4())}
    if route == "/ocr/":
        responses = [upload(client, page, key, project_id=first["project_id"]) for _ in range(2)]
        ids = {response.json()["image_id"] for response in responses}
        project = client.get(f"/projects/{first['project_id']}").json()
        assert len(project["images"]) == 2
    else:
        correction = {
            **page_ids(first),
            "lines": [{"line_id": first["lines"][0]["line_id"], "text": "פעם אחת"}],
        }
        responses = [client.post(route, json=correction, headers=key) for _ in range(2)]
        ids = {response.json()["feedback_id"] for response in responses}
    assert [response.status_code for response in responses] == [201, 201]
    assert len(ids) == 1


def test_the_same_idempotency_key_with_another_body_is_refused(client: httpx.Client, page: bytes) -> None:
    """A key belongs to one request."""
    body = read(client, page)
    key = {"Idempotency-Key": str(uuid.uuid4())}
    line_id = body["lines"][0]["line_id"]
    texts = ["ראשון", "שני"]
    statuses = [
        client.post(
            "/feedback/", json={**page_ids(body), "lines": [{"line_id": line_id, "text": text}]}, headers=key
        ).status_code
        for text in texts
    ]
    assert statuses == [201, 409]


def test_objects_of_another_user_are_404_like_unknown_ones(
    client: httpx.Client, other_client: httpx.Client, page: bytes
) -> None:
    """Byte for byte, for a project, an image and a file; reading again and correcting too."""
    body = read(client, page)
    project = f"/projects/{body['project_id']}"
    unknown_project = f"/projects/{uuid.uuid4()}"
    image = f"/images/{body['image_id']}"
    unknown_image = f"/images/{uuid.uuid4()}"
    same_trace = {"X-Request-Id": "same", "traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
    for tail in ("", image, f"{image}/file"):
        foreign = other_client.get(project + tail, headers=same_trace)
        missing = other_client.get(unknown_project + tail.replace(image, unknown_image), headers=same_trace)
        assert foreign.status_code == missing.status_code == 404
        assert foreign.content == missing.content
    assert other_client.post(f"{project}{image}/ocr").status_code == 404
    body = {**page_ids(body), "lines": [{"line_id": body["lines"][0]["line_id"], "text": "לא שלי"}]}
    assert other_client.post("/feedback/", json=body).status_code == 404
    assert other_client.get("/projects/").json()["projects"] == []


def test_a_request_without_a_key_or_with_a_wrong_one_is_401(system: LocalSystem) -> None:
    """A problem with the header WWW-Authenticate."""
    for key in ("ktv_00000000_" + "0" * 43, "nonsense"):
        with system.client(key) as client:
            response = client.get("/projects/")
        assert response.status_code == 401
        assert response.headers["content-type"].startswith("application/problem+json")
        assert "WWW-Authenticate" in response.headers


def test_a_training_run_with_too_few_corrected_lines_is_refused(other_client: httpx.Client) -> None:
    """422 with the number of missing lines."""
    response = other_client.post("/train/")
    assert response.status_code == 422, response.text
    assert response.json()["code"] == "too-few-lines"
    assert response.json()["missing"] == 16


def test_a_training_run_with_enough_lines_is_queued_and_ends(system: LocalSystem) -> None:
    """202 with the run's address."""
    with system.client(system.add_user("learner")) as learner:
        assert learner.put("/models/policy", json={"automatic": False}).status_code == 200
        for seed in range(6):
            body = read(learner, boxes(4, seed))
            texts = ["אבגדהו", "זחטיכל", "מנסעפצ", "קרשתאב"]
            ids = [line["line_id"] for line in body["lines"]]
            # The tiny engine misreads with high confidence: unconfirmed, the texts are quarantined.
            lines = [
                {"line_id": line_id, "text": text, "confirm": True}
                for line_id, text in zip(ids, texts, strict=True)
            ]
            assert learner.post("/feedback/", json={**page_ids(body), "lines": lines}).status_code == 201
        response = learner.post("/train/")
        assert response.status_code == 202, response.text
        path = response.headers["Location"]
        assert path.endswith(response.json()["run_id"])
        state = wait_for_end(learner, path)
        assert state["state"].lower() in {"succeeded", "rejected", "failed"}


def test_a_document_is_read_by_a_job_in_the_background(system: LocalSystem, client: httpx.Client) -> None:
    """One call creates the job and one wakes a worker; each page of the PDF becomes an image that is read."""
    pages = [Image.open(io.BytesIO(boxes(3, seed=seed))) for seed in range(3)]
    document = io.BytesIO()
    pages[0].save(document, "PDF", save_all=True, append_images=pages[1:], resolution=300)
    headers = request_id() | {"Prefer": "respond-async"}
    response = client.post("/ocr/", files={"file": ("book.pdf", document.getvalue())}, headers=headers)
    assert response.status_code == 202, response.text
    assert sorted(system.handled(headers["X-Request-Id"])) == ["CreateJob", "EnqueueJob"]
    location = response.headers["location"]
    wait_until(lambda: client.get(location).json()["state"] == "succeeded", 60)
    job = client.get(location).json()
    project = client.get(f"/projects/{job['project_id']}").json()
    assert {page["image_id"] for page in job["pages"]} == {image["image_id"] for image in project["images"]}
    assert [len(image["transcription"]["lines"]) for image in project["images"]] == [3, 3, 3]


def test_an_exported_page_imported_by_another_user_has_the_same_lines(system: LocalSystem) -> None:
    """ALTO and PAGE: texts, baselines and boundaries are the same."""
    with (
        system.client(system.add_user("exporter")) as exporter,
        system.client(system.add_user("importer")) as importer,
    ):
        reading = read(exporter, boxes(3, seed=9))
        texts = ["אבג דהו", "זח״ט", 'י"כ <&>']
        lines = [
            {"line_id": line["line_id"], "text": text, "confirm": True}
            for line, text in zip(reading["lines"], texts, strict=True)
        ]
        assert exporter.post("/feedback/", json={**page_ids(reading), "lines": lines}).status_code == 201
        path = f"/projects/{reading['project_id']}/images/{reading['image_id']}"
        image = exporter.get(f"{path}/file").content
        exported = exporter.get(path).json()["transcription"]["lines"]
        for name in ("alto", "page"):
            document = exporter.get(f"{path}/export", params={"format": name}).content
            target = read(importer, boxes(1, seed=3))["project_id"]
            archive = zipped({"p.png": image, f"p.{name}.xml": document})
            body = import_archive(importer, target, archive)
            assert (body["imported_lines"], body["skipped_files"]) == (3, 0)
            page = importer.get(f"/projects/{target}/images/{body['files'][0]['image_id']}").json()
            assert page["transcription"]["model"] is None
            imported = page["transcription"]["lines"]
            for field in ("baseline", "boundary", "corrected_text"):
                assert [line[field] for line in imported] == [line[field] for line in exported]
            again = import_archive(importer, target, archive)
            assert (again["imported_lines"], again["unchanged_lines"]) == (0, 3)
            assert exporter.get(f"/projects/{target}").status_code == 404


def test_an_imported_set_trains(system: LocalSystem) -> None:
    """Line images with texts, without a correction: enough for a run, which ends with a verdict."""
    with system.client(system.add_user("collector")) as collector:
        target = read(collector, boxes(1))["project_id"]
        files: dict[str, bytes | str] = {}
        for seed in range(20):
            files |= {f"{seed:02}.png": boxes(1, seed, width=600 + seed), f"{seed:02}.gt.txt": "אבגדהו"}
        body = import_archive(collector, target, zipped(files))
        assert (body["imported_lines"], body["quarantined_lines"], body["ground_truth_lines"]) == (20, 0, 20)
        response = collector.post("/train/")
        assert response.status_code == 202, response.text
        state = wait_for_end(collector, response.headers["Location"])
        assert state["state"] in {"succeeded", "rejected"}, state
        assert state["training_lines"] + state["holdout_lines"] == 20


HANDS = {"Mother": ("", ""), "Uncle": ("אבגדה", "בגדהא")}
"""Two people; the second draws each letter as the first draws the next one."""


def write(client: httpx.Client, person: str, seed: int, **fields: str) -> tuple[dict[str, Any], list[str]]:
    """Upload a page that a person has written; return its reading and what was written."""
    texts = random_lines(12, seed=seed)
    shapes = str.maketrans(*HANDS[person])
    return read(client, draw_page([text.translate(shapes) for text in texts]), **fields), texts


def turn_off_automatic_runs(client: httpx.Client) -> None:
    """Leave the start of every run to the test: only one run of a user is active at a time."""
    assert client.put("/models/policy", json={"automatic": False}).status_code == 200


def test_the_letters_of_two_people_have_a_model_each(system: LocalSystem) -> None:
    """Named with the first page; a deletion of one person's letters leaves the other's model."""
    with system.client(system.add_user("heir")) as heir:
        turn_off_automatic_runs(heir)
        projects: dict[str, str] = {}
        versions: dict[str, str] = {}
        for hand in HANDS:
            for seed in range(3):
                fields = {"project_id": projects[hand]} if hand in projects else {"hand": hand}
                body, texts = write(heir, hand, seed, **fields)
                projects[hand] = body["project_id"]
                lines = [
                    {"line_id": line["line_id"], "text": text, "confirm": True}
                    for line, text in zip(body["lines"], texts, strict=True)
                ]
                assert heir.post("/feedback/", json={**page_ids(body), "lines": lines}).status_code == 201
        for hand in HANDS:
            response = heir.post("/train/", json={"hand": hand})
            assert response.status_code == 202, response.text
            run = wait_for_end(heir, response.headers["Location"])
            assert (run["state"], run["hand"]) == ("succeeded", hand), run["verdict"]
            versions[hand] = run["model_version"]
        for hand, version in versions.items():
            body, texts = write(heir, hand, 9, project_id=projects[hand])
            assert body["model"]["version"] == version
            path = f"/projects/{body['project_id']}/images/{body['image_id']}/ocr"
            by_base = heir.post(path, params={"model": "hebrew_base-1"}).json()
            right, right_by_base = (
                sum(line["text"] == text for line, text in zip(reading["lines"], texts, strict=True))
                for reading in (body, by_base)
            )
            assert right > right_by_base
        erased = heir.delete(f"/projects/{projects['Uncle']}").json()
        assert erased["tainted_versions"] == [versions["Uncle"]]
        listed = {model["version"]: model for model in heir.get("/models/").json()["models"]}
        assert (listed[versions["Mother"]]["state"], listed[versions["Mother"]]["hand"]) == (
            "active",
            "Mother",
        )
        assert listed[versions["Uncle"]]["state"] == "tainted"
        body, _ = write(heir, "Mother", 10, project_id=projects["Mother"])
        assert body["model"]["version"] == versions["Mother"]


def import_archive(client: httpx.Client, project_id: str, archive: bytes) -> dict[str, Any]:
    """Import an archive into a project; return the JSON of the response."""
    response = client.post(f"/projects/{project_id}/ground-truth", files={"file": ("gt.zip", archive)})
    assert response.status_code == 201, response.text
    body: dict[str, Any] = response.json()
    return body


def wait_for_end(client: httpx.Client, path: str) -> dict[str, Any]:
    """Poll a run until it has ended; return it."""
    deadline = time.monotonic() + 90
    while True:
        run: dict[str, Any] = client.get(path).json()
        if run["state"].lower() in {"succeeded", "rejected", "failed", "cancelled"}:
            return run
        assert time.monotonic() < deadline, run
        time.sleep(0.5)
