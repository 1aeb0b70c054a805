"""Corrections are sent to the registry and shown on the page and in the project."""

import json
from uuid import uuid4

import httpx
import pytest

from tests.parts.gateway import Gateway, upload
from tests.parts.in_memory.recognizer import TEXT


async def test_a_correction_is_shown_next_to_the_reading(gateway: Gateway) -> None:
    """One call stores it, one call shows the project."""
    read = (await upload(gateway.client)).json()
    gateway.state.calls.clear()
    line = {"line_id": read["lines"][0]["line_id"], "text": "שלום לכם"}
    ids = {"project_id": read["project_id"], "image_id": read["image_id"]}
    stored = await gateway.client.post("/feedback/", json={**ids, "lines": [line]})
    assert stored.status_code == 201
    body = stored.json()
    assert set(body) == {
        *("feedback_id", "accepted_lines", "unaligned", "quarantined", "refused", "untrained"),
        "ground_truth_lines",
    }
    assert (body["accepted_lines"], body["ground_truth_lines"]) == (1, 1)
    project = (await gateway.client.get(f"/projects/{read['project_id']}")).json()
    assert gateway.state.calls == ["SubmitCorrections", "GetProject"]
    image = project["images"][0]
    assert (image["image_id"], image["state"]) == (read["image_id"], "read")
    assert image["transcription"]["lines"][0]["corrected_text"] == "שלום לכם"
    assert image["transcription"]["lines"][1]["corrected_text"] is None


BAD_TEXTS = {
    "too long": ("א" * 4001, "text-too-long", "The text has more than 4,000 code points. Shorten it."),
    "NUL": ("אב\0", "control-character", "The text has U+0000 at code point 2. Remove this character."),
    "a lone surrogate": (
        "אב\ud83d",
        "control-character",
        "The text has U+D83D at code point 2. Remove this character.",
    ),
}


@pytest.mark.parametrize(("bad", "code", "detail"), BAD_TEXTS.values(), ids=BAD_TEXTS)
async def test_a_line_that_may_not_be_stored_is_refused_alone(
    gateway: Gateway, bad: str, code: str, detail: str
) -> None:
    """Also one that a message could not carry; 422 when no other line is left."""
    read = (await upload(gateway.client)).json()
    first, second = (line["line_id"] for line in read["lines"])
    ids = {"project_id": read["project_id"], "image_id": read["image_id"]}
    lines = [{"line_id": first, "text": bad}, {"line_id": second, "text": "שלום"}]
    by_id, by_number = {**ids, "lines": lines}, {**ids, "corrected_text": f"{TEXT}\n{bad}"}
    for body, line_id, number in ((by_id, first, None), (by_number, None, 2)):
        refused = {"line_id": line_id, "line": number, "code": code, "detail": detail}
        for _ in range(2):
            response = await post(gateway, body, {"Idempotency-Key": f"{number}"})
            assert response.status_code == 201, response.text
            assert (response.json()["accepted_lines"], response.json()["refused"]) == (1, [refused])
    for body, pointer in (
        ({**ids, "lines": lines[:1]}, "/lines/0/text"),
        ({**ids, "corrected_text": bad}, "/corrected_text"),
    ):
        response = await post(gateway, body, {})
        assert (response.status_code, response.json()["code"]) == (422, code)
        [error] = response.json()["errors"]
        assert (error["field"], error["message"]) == (pointer, detail)


async def post(gateway: Gateway, body: object, headers: dict[str, str]) -> httpx.Response:
    """Send a feedback whose strings may have unpaired surrogates."""
    headers = {"Content-Type": "application/json", **headers}
    return await gateway.client.post("/feedback/", content=json.dumps(body).encode(), headers=headers)


async def test_a_whole_text_names_what_could_not_be_aligned(gateway: Gateway) -> None:
    """A text without a line has no line id, a line without a text no text."""
    read = (await upload(gateway.client)).json()
    ids = {"project_id": read["project_id"], "image_id": read["image_id"]}
    response = await gateway.client.post("/feedback/", json={**ids, "corrected_text": f"{TEXT}!\nקזקזקזקזקז"})
    assert response.json()["accepted_lines"] == 1
    text, line = response.json()["unaligned"]
    assert (text["text"], text["line_id"]) == ("קזקזקזקזקז", None)
    assert (line["text"], line["line_id"]) == (None, read["lines"][1]["line_id"])


async def test_a_quarantined_line_is_named_with_its_reason_until_it_is_confirmed(gateway: Gateway) -> None:
    """In the response, on the page and in the project; `confirm` is sent to the registry."""
    gateway.state.quarantined_texts = {"ק"}
    read = (await upload(gateway.client)).json()
    ids = {"project_id": read["project_id"], "image_id": read["image_id"]}
    line = {"line_id": read["lines"][0]["line_id"], "text": "ק"}
    response = (await gateway.client.post("/feedback/", json={**ids, "lines": [line]})).json()
    [quarantined] = response["quarantined"]
    assert quarantined.pop("line_id") == line["line_id"]
    assert quarantined.keys() == {"code", "reason"}
    assert (response["accepted_lines"], response["ground_truth_lines"]) == (1, 0)
    page = (await gateway.client.get(f"/projects/{ids['project_id']}/images/{ids['image_id']}")).json()
    assert [item["quarantine"] for item in page["transcription"]["lines"]] == [quarantined, None]
    project = (await gateway.client.get(f"/projects/{ids['project_id']}")).json()
    assert project["images"] == [page]
    confirmed = {**line, "confirm": True}
    response = (await gateway.client.post("/feedback/", json={**ids, "lines": [confirmed]})).json()
    assert (response["quarantined"], response["ground_truth_lines"]) == ([], 1)


async def test_a_correction_is_withdrawn_and_stays_in_the_history(gateway: Gateway) -> None:
    """DELETE answers with the consequences; the line is shown without a correction."""
    read = (await upload(gateway.client)).json()
    ids = {"project_id": read["project_id"], "image_id": read["image_id"]}
    line_id = read["lines"][0]["line_id"]
    await gateway.client.post("/feedback/", json={**ids, "lines": [{"line_id": line_id, "text": "שלום"}]})
    line = f"/projects/{ids['project_id']}/images/{ids['image_id']}/lines/{line_id}"
    gateway.state.erasure.tainted_versions.append("v")
    gateway.state.calls.clear()
    withdrawn = await gateway.client.delete(f"{line}/correction")
    assert (withdrawn.status_code, gateway.state.calls) == (200, ["WithdrawCorrection"])
    assert withdrawn.json() == {
        "line_id": line_id,
        "ground_truth_lines": 0,
        "tainted_versions": ["v"],
        "cancelled_run_id": None,
        "retraining": False,
    }
    history = (await gateway.client.get(f"{line}/corrections")).json()["corrections"]
    assert [(item["text"], item["withdrawn"]) for item in history] == [("", True), ("שלום", False)]
    page = (await gateway.client.get(f"/projects/{ids['project_id']}/images/{ids['image_id']}")).json()
    first_line = page["transcription"]["lines"][0]
    assert (first_line["corrected_text"], first_line["verified_text"]) == (None, None)
    again = await gateway.client.delete(f"{line}/correction")
    assert (again.status_code, again.json()["code"]) == (422, "nothing-to-withdraw")
    assert (await gateway.other.get(f"{line}/corrections")).status_code == 404


async def test_an_export_has_the_reading_of_a_line_whose_correction_is_in_quarantine(
    gateway: Gateway,
) -> None:
    """And the verified text of one that has an earlier correction."""
    gateway.state.quarantined_texts = {"ק"}
    read = (await upload(gateway.client)).json()
    ids = {"project_id": read["project_id"], "image_id": read["image_id"]}
    first, second = (line["line_id"] for line in read["lines"])
    texts = [{"line_id": first, "text": "ק"}, {"line_id": second, "text": "טוב"}]
    await gateway.client.post("/feedback/", json={**ids, "lines": texts})
    await gateway.client.post("/feedback/", json={**ids, "lines": [{"line_id": second, "text": "ק"}]})
    path = f"/projects/{ids['project_id']}/images/{ids['image_id']}"
    assert (await gateway.client.get(f"{path}/export?format=txt")).text == f"{TEXT}\nטוב\n"
    lines = (await gateway.client.get(path)).json()["transcription"]["lines"]
    assert [(line["corrected_text"], line["verified_text"]) for line in lines] == [("ק", None), ("ק", "טוב")]


async def put(
    gateway: Gateway, path: str, text: str, seen: str | None = None, **body: object
) -> httpx.Response:
    """Correct a line, as a client that has seen this correction."""
    headers = {} if seen is None else {"If-Match": f'"{seen}"'}
    return await gateway.client.put(path, json={"text": text, **body}, headers=headers)


async def line_path(gateway: Gateway) -> str:
    """Read a page; return the address of the correction of its first line."""
    read = (await upload(gateway.client)).json()
    line_id = read["lines"][0]["line_id"]
    return f"/projects/{read['project_id']}/images/{read['image_id']}/lines/{line_id}/correction"


async def test_one_line_is_corrected_by_its_address(gateway: Gateway) -> None:
    """The response has the line, its ETag and the lines that would train."""
    path = await line_path(gateway)
    response = await put(gateway, path, "שלום לכולם", "none")
    body = response.json()
    assert (response.status_code, body["ground_truth_lines"], body["untrained"]) == (200, 1, None)
    assert body["line"]["verified_text"] == "שלום לכולם"
    assert response.headers["etag"] == f'"{body["line"]["correction_id"]}"'
    again = await put(gateway, path, "שלום לך", body["line"]["correction_id"])
    assert again.json()["line"]["corrected_text"] == "שלום לך"


async def test_a_line_that_another_window_has_corrected_is_412_and_unchanged(gateway: Gateway) -> None:
    """The problem names the line; without If-Match, or with *, the last one counts."""
    path = await line_path(gateway)
    assert (await put(gateway, path, "שלום לכולם", "none")).status_code == 200
    refused = await put(gateway, path, "שלום לך", "none")
    assert (refused.status_code, refused.json()["code"]) == (412, "line-changed")
    lines = [line for stored in gateway.user.pages.values() for line in stored.lines()]
    assert lines[0].corrected_text == "שלום לכולם"
    assert (
        await gateway.client.put(path, json={"text": "שלום"}, headers={"If-Match": "*"})
    ).status_code == 200
    assert (await put(gateway, path, "שלום לך")).status_code == 200


async def test_the_error_of_one_line_names_the_fields_of_its_route(gateway: Gateway) -> None:
    """Not those of a request with many lines."""
    path = await line_path(gateway)
    for text, code in (("א\u202eב", "bidi-override"), ("א" * 4001, "text-too-long")):
        response = await put(gateway, path, text)
        assert (response.status_code, response.json()["code"]) == (422, code)
        assert response.json()["errors"][0]["field"] == "/text"
    other = f"{path.rpartition('/lines/')[0]}/lines/{uuid4()}/correction"
    response = await put(gateway, other, "שלום")
    assert (response.status_code, response.json()["code"]) == (422, "unknown-line")
    assert response.json()["errors"][0]["field"] == "line_id"
    assert "/lines/" not in response.json()["detail"]


@pytest.mark.parametrize("etag", ["none", '"x"', 'W/"none"', '"none", "none"', ""])
async def test_an_if_match_that_is_no_etag_is_refused(gateway: Gateway, etag: str) -> None:
    """It must not count as none."""
    path = await line_path(gateway)
    response = await gateway.client.put(path, json={"text": "שלום"}, headers={"If-Match": etag})
    assert (response.status_code, response.json()["code"]) == (422, "malformed-etag")
    assert "SubmitCorrections" not in gateway.state.calls


async def test_a_quarantined_line_says_why_and_is_confirmed_by_its_etag(gateway: Gateway) -> None:
    """The page asks once and sends the line again."""
    path = await line_path(gateway)
    gateway.state.quarantined_texts.add("xyz")
    line = (await put(gateway, path, "xyz")).json()["line"]
    assert line["quarantine"]["reason"]
    confirmed = await put(gateway, path, "xyz", line["correction_id"], confirm=True)
    assert confirmed.json()["line"]["quarantine"] is None
