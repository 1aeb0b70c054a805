"""What users do, through the REST API of a whole running system, and how many calls it costs inside."""

import time
import uuid
from typing import Any

import httpx
import pytest

from tests.e2e.local_system import LocalSystem, boxes, request_id
from tests.parts.archives import zipped

PNG = ("page.png", "image/png")


def upload(
    client: httpx.Client, page: bytes, headers: dict[str, str] | None = None, /, **fields: str
) -> httpx.Response:
    """Post a page to be read."""
    files = {"file": (PNG[0], page, PNG[1])}
    return client.post("/ocr/", files=files, data=fields, headers=headers or {})


def read(client: httpx.Client, page: bytes, **fields: str) -> dict[str, Any]:
    """Post a page and give the answer."""
    response = upload(client, page, None, **fields)
    assert response.status_code == 201, response.text
    answer: dict[str, Any] = response.json()
    return answer


def named(answer: dict[str, Any]) -> dict[str, Any]:
    """Give the ids that feedback needs."""
    return {"project_id": answer["project_id"], "image_id": answer["image_id"]}


def test_reading_a_page_gives_text_lines_and_words_and_costs_three_calls(
    system: LocalSystem, client: httpx.Client, page: bytes
) -> None:
    """CreatePage, RecognizePage, RecordTranscription, and nothing else once the model is cached."""
    read(client, page)
    headers = request_id()
    response = upload(client, page, headers)
    assert response.status_code == 201, response.text
    assert system.handled(headers["X-Request-Id"]) == ["CreatePage", "RecognizePage", "RecordTranscription"]
    answer = response.json()
    assert [line["order"] for line in answer["lines"]] == [0, 1, 2, 3]
    assert answer["text"] == "\n".join(line["text"] for line in answer["lines"])
    assert answer["model"]["kind"] == "base"
    assert answer["image"] == {"width": 600, "height": 300, "media_type": "image/png"}
    for line in answer["lines"]:
        assert len(line["boundary"]) >= 3
        assert len(line["baseline"]) >= 2
        assert [line["text"][word["start"] : word["end"]] for word in line["words"]] == line["text"].split()


def test_corrections_cost_one_call_and_stand_in_the_project(
    system: LocalSystem, client: httpx.Client, page: bytes
) -> None:
    """A corrected line is shown beside what was read; reading the project costs one call."""
    answer = read(client, page, name="מחברת")
    line = answer["lines"][1]["line_id"]
    headers = request_id()
    correction = {**named(answer), "lines": [{"line_id": line, "text": "שלום עולם"}]}
    response = client.post("/feedback/", json=correction, headers=headers)
    assert response.status_code == 201, response.text
    assert response.json()["accepted_lines"] == 1
    assert system.handled(headers["X-Request-Id"]) == ["SubmitCorrections"]

    headers = request_id()
    project = client.get(f"/projects/{answer['project_id']}", headers=headers).json()
    assert system.handled(headers["X-Request-Id"]) == ["GetProject"]
    assert project["name"] == "מחברת"
    lines = project["images"][0]["transcription"]["lines"]
    assert [each["corrected_text"] for each in lines] == [None, "שלום עולם", None, None]


def test_a_whole_page_of_corrected_text_is_aligned_to_its_lines(client: httpx.Client, page: bytes) -> None:
    """Lines that read alike are accepted where they belong; one that fits nowhere is reported."""
    answer = read(client, page)
    texts = [line["text"] for line in answer["lines"]]
    corrected = [texts[0], texts[1][:-1] + "ץ", "ככככככככככככככככככככ", texts[2], texts[3]]
    feedback = client.post(
        "/feedback/", json={**named(answer), "corrected_text": "\n".join(corrected)}
    ).json()
    assert feedback["accepted_lines"] == 4
    assert [each["text"] for each in feedback["unaligned"]] == [corrected[2]]
    where = f"/projects/{answer['project_id']}/images/{answer['image_id']}"
    lines = client.get(where).json()["transcription"]["lines"]
    assert lines[1]["corrected_text"] == corrected[1]


def test_the_stored_image_comes_back_and_can_be_read_again(client: httpx.Client, page: bytes) -> None:
    """The file has the image's pixels; a second reading is another transcription of the same image."""
    answer = read(client, page)
    where = f"/projects/{answer['project_id']}/images/{answer['image_id']}"
    assert client.get(f"{where}/file").content[:8] == b"\x89PNG\r\n\x1a\n"
    again = client.post(f"{where}/ocr")
    assert again.status_code == 201, again.text
    assert again.json()["image_id"] == answer["image_id"]
    assert again.json()["transcription_id"] != answer["transcription_id"]


@pytest.mark.parametrize("route", ["/ocr/", "/feedback/"])
def test_the_same_idempotency_key_gives_the_same_answer_and_does_the_work_once(
    client: httpx.Client, page: bytes, route: str
) -> None:
    """A repeated POST answers like the first; the project has one image and one correction."""
    first = read(client, page)
    key = {"Idempotency-Key": str(uuid.uuid4())}
    if route == "/ocr/":
        answers = [upload(client, page, key, project_id=first["project_id"]) for _ in range(2)]
        ids = {answer.json()["image_id"] for answer in answers}
        project = client.get(f"/projects/{first['project_id']}").json()
        assert len(project["images"]) == 2
    else:
        correction = {**named(first), "lines": [{"line_id": first["lines"][0]["line_id"], "text": "פעם אחת"}]}
        answers = [client.post(route, json=correction, headers=key) for _ in range(2)]
        ids = {answer.json()["feedback_id"] for answer in answers}
    assert [answer.status_code for answer in answers] == [201, 201]
    assert len(ids) == 1


def test_the_same_idempotency_key_with_another_body_is_refused(client: httpx.Client, page: bytes) -> None:
    """A key stands for one request; another one under it is a conflict or an error of the caller."""
    answer = read(client, page)
    key = {"Idempotency-Key": str(uuid.uuid4())}
    line = answer["lines"][0]["line_id"]
    texts = ["ראשון", "שני"]
    statuses = [
        client.post(
            "/feedback/", json={**named(answer), "lines": [{"line_id": line, "text": text}]}, headers=key
        ).status_code
        for text in texts
    ]
    assert statuses[0] == 201
    assert statuses[1] in {409, 422}


def test_what_belongs_to_another_user_is_answered_like_what_does_not_exist(
    client: httpx.Client, stranger: httpx.Client, page: bytes
) -> None:
    """Byte for byte the same 404 for a foreign project, image, file and re-reading as for unknown ids."""
    answer = read(client, page)
    mine = f"/projects/{answer['project_id']}"
    nobodys = f"/projects/{uuid.uuid4()}"
    image = f"/images/{answer['image_id']}"
    unknown = f"/images/{uuid.uuid4()}"
    for tail in ("", image, f"{image}/file"):
        foreign = stranger.get(mine + tail, headers={"X-Request-Id": "same"})
        missing = stranger.get(nobodys + tail.replace(image, unknown), headers={"X-Request-Id": "same"})
        assert foreign.status_code == missing.status_code == 404
        assert foreign.content == missing.content
    assert stranger.post(f"{mine}{image}/ocr").status_code == 404
    body = {**named(answer), "lines": [{"line_id": answer["lines"][0]["line_id"], "text": "לא שלי"}]}
    assert stranger.post("/feedback/", json=body).status_code == 404
    assert stranger.get("/projects/").json()["projects"] == []


def test_a_request_without_a_key_or_with_a_wrong_one_is_401(system: LocalSystem) -> None:
    """A problem document with a stable code and the way to authenticate."""
    for key in ("ktv_00000000_" + "0" * 43, "nonsense"):
        with system.client(key) as client:
            response = client.get("/projects/")
        assert response.status_code == 401
        assert response.headers["content-type"].startswith("application/problem+json")
        assert "WWW-Authenticate" in response.headers


def test_training_with_too_few_corrected_lines_says_how_many_are_missing(stranger: httpx.Client) -> None:
    """422 with the code `too-few-lines`."""
    response = stranger.post("/train/")
    assert response.status_code == 422, response.text
    assert response.json()["code"] == "too-few-lines"


def test_training_with_enough_lines_is_accepted_and_the_run_ends(system: LocalSystem) -> None:
    """202 with the run's address; the run comes to an end."""
    with system.client(system.add_user("learner")) as learner:
        for seed in range(6):
            answer = read(learner, boxes(4, seed))
            texts = ["אבגדהו", "זחטיכל", "מנסעפצ", "קרשתאב"]
            ids = [line["line_id"] for line in answer["lines"]]
            # The tiny engine is sure of what it misreads.
            lines = [
                {"line_id": line, "text": text, "confirm": True}
                for line, text in zip(ids, texts, strict=True)
            ]
            assert learner.post("/feedback/", json={**named(answer), "lines": lines}).status_code == 201
        response = learner.post("/train/")
        assert response.status_code == 202, response.text
        where = response.headers["Location"]
        assert where.endswith(response.json()["run_id"])
        state = wait_for_end(learner, where)
        assert state["state"].lower() in {"succeeded", "rejected", "failed"}


def test_an_exported_page_imported_by_another_user_has_the_same_lines(system: LocalSystem) -> None:
    """ALTO and PAGE out of one project, into another user's: texts, baselines and boundaries are the same."""
    with system.client(system.add_user("giver")) as giver, system.client(system.add_user("taker")) as taker:
        answer = read(giver, boxes(3, seed=9))
        texts = ["אבג דהו", "זח״ט", 'י"כ <&>']
        lines = [
            {"line_id": line["line_id"], "text": text, "confirm": True}
            for line, text in zip(answer["lines"], texts, strict=True)
        ]
        assert giver.post("/feedback/", json={**named(answer), "lines": lines}).status_code == 201
        where = f"/projects/{answer['project_id']}/images/{answer['image_id']}"
        image = giver.get(f"{where}/file").content
        given = giver.get(where).json()["transcription"]["lines"]
        for form in ("alto", "page"):
            document = giver.get(f"{where}/export", params={"format": form}).content
            target = read(taker, boxes(1, seed=3))["project_id"]
            archive = zipped({"p.png": image, f"p.{form}.xml": document})
            body = taken(taker, target, archive)
            assert (body["imported_lines"], body["skipped_files"]) == (3, 0)
            page = taker.get(f"/projects/{target}/images/{body['files'][0]['image_id']}").json()
            assert page["transcription"]["model"] is None
            for name in ("baseline", "boundary", "corrected_text"):
                found = page["transcription"]["lines"]
                assert [line[name] for line in found] == [line[name] for line in given]
            again = taken(taker, target, archive)
            assert (again["imported_lines"], again["unchanged_lines"]) == (0, 3)
            assert giver.get(f"/projects/{target}").status_code == 404


def test_an_imported_set_trains(system: LocalSystem) -> None:
    """Line images with texts, from an archive alone: enough for a run, which comes to a verdict."""
    with system.client(system.add_user("collector")) as collector:
        target = read(collector, boxes(1))["project_id"]
        files: dict[str, bytes | str] = {}
        for seed in range(20):
            files |= {f"{seed:02}.png": boxes(1, seed, width=600 + seed), f"{seed:02}.gt.txt": "אבגדהו"}
        body = taken(collector, target, zipped(files))
        assert (body["imported_lines"], body["quarantined_lines"], body["ground_truth_lines"]) == (20, 0, 20)
        response = collector.post("/train/")
        assert response.status_code == 202, response.text
        state = wait_for_end(collector, response.headers["Location"])
        assert state["state"] in {"succeeded", "rejected"}, state
        assert state["training_lines"] + state["holdout_lines"] == 20


def taken(client: httpx.Client, project_id: str, archive: bytes) -> dict[str, Any]:
    """Import an archive into a project; give the answer."""
    response = client.post(f"/projects/{project_id}/ground-truth", files={"file": ("gt.zip", archive)})
    assert response.status_code == 201, response.text
    answer: dict[str, Any] = response.json()
    return answer


def wait_for_end(client: httpx.Client, where: str) -> dict[str, Any]:
    """Poll a run until it has ended; give its last state."""
    deadline = time.monotonic() + 90
    while True:
        run: dict[str, Any] = client.get(where).json()
        if run["state"].lower() in {"succeeded", "rejected", "failed", "cancelled"}:
            return run
        assert time.monotonic() < deadline, run
        time.sleep(0.5)
