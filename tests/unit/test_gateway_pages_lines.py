"""The lines of a page are added, merged, split, moved and deleted, and each edit is undone."""

from typing import Any
from unicodedata import normalize

import httpx
import pytest

from ketav.page.v1 import page_pb2
from ketav_gateway.pages import line_edits
from tests.parts.gateway import Gateway, upload

UNKNOWN = "00000000-0000-4000-8000-000000000000"


async def read_page(gateway: Gateway) -> tuple[str, list[dict[str, Any]]]:
    """Read a page of two lines; return its address and the lines."""
    read = (await upload(gateway.client)).json()
    path = f"/projects/{read['project_id']}/images/{read['image_id']}"
    return path, (await gateway.client.get(path)).json()["transcription"]["lines"]


def lines_of(response: httpx.Response) -> list[dict[str, Any]]:
    """Return the lines of the page in a response."""
    assert response.is_success, response.text
    lines: list[dict[str, Any]] = response.json()["transcription"]["lines"]
    return lines


async def correct(gateway: Gateway, path: str, line: dict[str, Any], text: str) -> None:
    """Correct a line."""
    response = await gateway.client.put(f"{path}/lines/{line['line_id']}/correction", json={"text": text})
    assert response.status_code == 200


async def test_merged_lines_have_their_texts_joined(gateway: Gateway) -> None:
    """Around both; corrected only when both are; undone by one request."""
    path, [first, second] = await read_page(gateway)
    body = {"line_ids": [first["line_id"], second["line_id"]]}
    [merged] = lines_of(await gateway.client.post(f"{path}/lines/merge", json=body))
    assert merged["text"] == f"{first['text']} {second['text']}"
    assert merged["corrected_text"] is None
    xs, ys = zip(*first["boundary"], *second["boundary"], strict=True)
    merged_xs, merged_ys = zip(*merged["boundary"], strict=True)
    assert (min(merged_xs), max(merged_ys)) == (min(xs), max(ys))
    restored = lines_of(await gateway.client.post(f"{path}/lines/undo"))
    assert [line["text"] for line in restored] == [first["text"], second["text"]]


async def test_two_corrected_lines_make_a_corrected_one(gateway: Gateway) -> None:
    """In the order of the request, which need not be that of the page."""
    path, [first, second] = await read_page(gateway)
    await correct(gateway, path, first, "אחת")
    await correct(gateway, path, second, "שתיים")
    body = {"line_ids": [second["line_id"], first["line_id"]]}
    [merged] = lines_of(await gateway.client.post(f"{path}/lines/merge", json=body))
    assert merged["verified_text"] == "שתיים אחת"


async def test_a_split_line_has_a_right_and_a_left_part(gateway: Gateway) -> None:
    """Divided at the column; parts of a corrected line are corrected when the texts are its own."""
    path, [first, _] = await read_page(gateway)
    await correct(gateway, path, first, "אחת שתיים")
    xs = [x for x, _ in first["boundary"]]
    middle = (min(xs) + max(xs)) // 2
    body = {"texts": ["אחת", "שתיים"], "x": middle}
    right, left, _ = lines_of(await gateway.client.post(f"{path}/lines/{first['line_id']}/split", json=body))
    assert min(x for x, _ in right["boundary"]) == max(x for x, _ in left["boundary"]) == middle
    assert (right["verified_text"], left["verified_text"]) == ("אחת", "שתיים")


async def test_the_parts_of_an_uncorrected_line_wait_for_their_corrections(gateway: Gateway) -> None:
    """Without a column the line is divided by the lengths of the texts."""
    path, [first, _] = await read_page(gateway)
    body = {"texts": ["א", "בגדהוזחטיכ"]}
    right, left, _ = lines_of(await gateway.client.post(f"{path}/lines/{first['line_id']}/split", json=body))
    assert (right["text"], right["corrected_text"]) == ("א", None)
    widths = [
        max(x for x, _ in part["boundary"]) - min(x for x, _ in part["boundary"]) for part in (right, left)
    ]
    assert widths[0] < widths[1]


async def test_a_line_is_added_moved_reshaped_and_deleted(gateway: Gateway) -> None:
    """Points beyond the edges of the image are moved to them."""
    path, [first, second] = await read_page(gateway)
    boundary = [[-50, 60], [5000, 60], [5000, 79], [-50, 79]]
    body = {"boundary": boundary, "after": first["line_id"]}
    response = await gateway.client.post(f"{path}/lines", json=body)
    assert response.status_code == 201
    one, added, two = lines_of(response)
    assert (one["text"], added["text"], two["text"]) == (first["text"], "", second["text"])
    assert added["boundary"] == [[0, 60], [99, 60], [99, 79], [0, 79]]
    assert added["baseline"] == [[99, 64], [0, 64]]
    moved = lines_of(await gateway.client.patch(f"{path}/lines/{added['line_id']}", json={"order": 9}))
    assert [line["text"] for line in moved] == [first["text"], second["text"], ""]
    body = {"boundary": [[10, 60], [50, 60], [50, 79]]}
    reshaped = lines_of(await gateway.client.patch(f"{path}/lines/{moved[2]['line_id']}", json=body))
    assert reshaped[2]["boundary"] == body["boundary"]
    left = lines_of(await gateway.client.delete(f"{path}/lines/{reshaped[0]['line_id']}"))
    assert [line["text"] for line in left] == [second["text"], ""]
    for _ in range(4):
        lines = lines_of(await gateway.client.post(f"{path}/lines/undo"))
    assert [line["text"] for line in lines] == [first["text"], second["text"]]
    assert (await gateway.client.post(f"{path}/lines/undo")).json()["code"] == "nothing-to-undo"


BAD: dict[str, tuple[str, str, Any, int, str]] = {
    "no line there": ("POST", "/lines/merge", {"line_ids": [UNKNOWN, "FIRST"]}, 422, "unknown-line"),
    "one line twice": ("POST", "/lines/merge", {"line_ids": ["FIRST", "FIRST"]}, 422, "invalid-input"),
    "one line alone": ("POST", "/lines/merge", {"line_ids": ["FIRST"]}, 422, "invalid-input"),
    "a column beyond": ("POST", "/lines/FIRST/split", {"texts": ["a", "b"], "x": 5000}, 422, "invalid-input"),
    "three texts": ("POST", "/lines/FIRST/split", {"texts": ["a", "b", "c"]}, 422, "invalid-input"),
    "a flat box": ("POST", "/lines", {"boundary": [[1, 5], [9, 5], [20, 5]]}, 422, "invalid-input"),
    "two points": ("POST", "/lines", {"boundary": [[1, 5], [9, 9]]}, 422, "invalid-input"),
    "no boundary": ("PATCH", "/lines/FIRST", {"boundary": []}, 422, "invalid-input"),
    "a flat boundary": (
        "PATCH",
        "/lines/FIRST",
        {"boundary": [[1, 5], [9, 5], [20, 5]]},
        422,
        "invalid-input",
    ),
    "a text of two rows": ("POST", "/lines/FIRST/split", {"texts": ["a", "b\nc"]}, 422, "control-character"),
    "a point of three": ("POST", "/lines", {"boundary": [[1, 5, 7], [9, 9], [1, 9]]}, 422, "invalid-input"),
    "no change": ("PATCH", "/lines/FIRST", {}, 422, "invalid-input"),
    "a baseline without a boundary": (
        "PATCH",
        "/lines/FIRST",
        {"order": 1, "baseline": [[9, 5], [1, 5]]},
        422,
        "invalid-input",
    ),
    "an unknown line": ("DELETE", f"/lines/{UNKNOWN}", None, 404, "not-found"),
    "a move of an unknown line": ("PATCH", f"/lines/{UNKNOWN}", {"order": 0}, 404, "not-found"),
}


@pytest.mark.parametrize("case", BAD.values(), ids=BAD)
async def test_a_bad_edit_is_explained_and_changes_nothing(
    gateway: Gateway, case: tuple[str, str, Any, int, str]
) -> None:
    """The same lines with the same ids afterwards."""
    method, address, body, status, code = case
    path, lines = await read_page(gateway)
    first = lines[0]["line_id"]
    if isinstance(body, dict) and "line_ids" in body:
        body = {"line_ids": [first if line_id == "FIRST" else line_id for line_id in body["line_ids"]]}
    response = await gateway.client.request(method, path + address.replace("FIRST", first), json=body)
    assert (response.status_code, response.json()["code"]) == (status, code), response.text
    assert (await gateway.client.get(path)).json()["transcription"]["lines"] == lines


EDITS: dict[str, tuple[str, str, Any]] = {
    "an added line": ("POST", "/lines", {"boundary": [[10, 60], [50, 60], [50, 79]]}),
    "merged lines": ("POST", "/lines/merge", {"line_ids": ["FIRST", "SECOND"]}),
    "a split line": ("POST", "/lines/FIRST/split", {"texts": ["א", "ב"]}),
    "a moved line": ("PATCH", "/lines/FIRST", {"order": 1}),
    "a deleted line": ("DELETE", "/lines/FIRST", None),
    "an undone edit": ("POST", "/lines/undo", None),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
async def test_a_repeated_edit_is_done_once(gateway: Gateway, edit: tuple[str, str, Any]) -> None:
    """Its second response is the page as it is then; another request with the key is 409."""
    method, address, body = edit
    path, lines = await read_page(gateway)
    for order in (1, 0):  # two edits that could be undone
        moved = {"order": order}
        lines = lines_of(await gateway.client.patch(f"{path}/lines/{lines[0]['line_id']}", json=moved))
    first, second = (line["line_id"] for line in lines)
    if body and "line_ids" in body:
        body = {"line_ids": [first, second]}
    address = address.replace("FIRST", first)
    key = {"Idempotency-Key": "once"}
    once = lines_of(await gateway.client.request(method, path + address, json=body, headers=key))
    assert [line["line_id"] for line in once] != [first, second]
    assert lines_of(await gateway.client.request(method, path + address, json=body, headers=key)) == once
    boundary = {"boundary": [[1, 1], [50, 1], [50, 20]]}
    other = await gateway.client.post(f"{path}/lines", json=boundary, headers=key)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency-key-reused")
    assert (await gateway.client.get(path)).json()["transcription"]["lines"] == once
    again = {"Idempotency-Key": "again"}
    assert lines_of(await gateway.client.post(f"{path}/lines", json=boundary, headers=again)) != once


async def test_an_unknown_line_of_a_body_is_named_by_its_pointer(gateway: Gateway) -> None:
    """The second of two merged lines, and the line that a new one follows."""
    path, [first, _] = await read_page(gateway)
    merge = {"line_ids": [first["line_id"], UNKNOWN]}
    refused = (await gateway.client.post(f"{path}/lines/merge", json=merge)).json()
    assert (refused["code"], refused["errors"][0]["field"]) == ("unknown-line", "/line_ids/1")
    add = {"boundary": [[10, 60], [50, 60], [50, 79]], "after": UNKNOWN}
    refused = (await gateway.client.post(f"{path}/lines", json=add)).json()
    assert (refused["code"], refused["errors"][0]["field"]) == ("unknown-line", "/after")


async def test_the_texts_of_a_split_line_are_stored_as_corrections_are(gateway: Gateway) -> None:
    """In NFC, without outer white space; a text that cannot be stored is named."""
    path, [first, _] = await read_page(gateway)
    split = f"{path}/lines/{first['line_id']}/split"
    refused = (await gateway.client.post(split, json={"texts": ["א", "ב\u202eג"]})).json()
    assert (refused["code"], refused["errors"][0]["field"]) == ("bidi-override", "/texts/1")
    texts = ["שלום\n", "\ufb2a\u05b8\tב"]
    right, left, _ = lines_of(await gateway.client.post(split, json={"texts": texts}))
    assert (right["text"], left["text"]) == ("שלום", normalize("NFC", "\ufb2a\u05b8") + " ב")


async def test_edited_lines_keep_their_region(gateway: Gateway) -> None:
    """Reshaped, split, and merged again."""
    path, lines = await read_page(gateway)
    stored = gateway.state.page(path.rpartition("/")[2])
    stored.message.transcription.lines[0].region = page_pb2.REGION_TYPE_HEADING
    boundary = {"boundary": [[10, 10], [90, 10], [90, 30], [10, 30]]}
    lines = lines_of(await gateway.client.patch(f"{path}/lines/{lines[0]['line_id']}", json=boundary))
    assert [line["region"] for line in lines] == ["heading", "paragraph"]
    split = {"texts": ["א", "ב"]}
    lines = lines_of(await gateway.client.post(f"{path}/lines/{lines[0]['line_id']}/split", json=split))
    assert [line["region"] for line in lines] == ["heading", "heading", "paragraph"]
    merge = {"line_ids": [line["line_id"] for line in lines]}
    [merged] = lines_of(await gateway.client.post(f"{path}/lines/merge", json=merge))
    assert merged["region"] == "heading"


async def test_a_foreign_page_is_404_and_an_unread_one_has_no_lines(gateway: Gateway) -> None:
    """For each edit."""
    path, [first, second] = await read_page(gateway)
    body = {"line_ids": [first["line_id"], second["line_id"]]}
    assert (await gateway.other.post(f"{path}/lines/merge", json=body)).status_code == 404
    assert (await gateway.other.post(f"{path}/lines/undo")).status_code == 404
    assert (await gateway.other.delete(f"{path}/lines/{first['line_id']}")).status_code == 404
    next(iter(gateway.user.pages.values())).message.ClearField("transcription")
    assert (await gateway.client.post(f"{path}/lines/merge", json=body)).json()["code"] == "page-not-read"


def test_the_hull_of_points_is_their_smallest_convex_polygon() -> None:
    """Inner points and points on its edges are left out."""
    square = [(0, 0), (10, 0), (10, 10), (0, 10)]
    assert sorted(line_edits.convex_hull([*square, (5, 5), (5, 0), (0, 3)])) == sorted(square)
    assert line_edits.convex_hull([(3, 3)]) == [(3, 3)]
    assert line_edits.convex_hull([]) == []


BASELINES: dict[str, tuple[list[tuple[int, int]], list[tuple[int, int]], list[tuple[int, int]]]] = {
    "cut": ([(100, 10), (0, 20)], [(20, 0), (80, 0), (80, 40), (20, 40)], [(80, 12), (20, 18)]),
    "made longer": (
        [(80, 12), (20, 18)],
        [(0, 0), (100, 0), (100, 40), (0, 40)],
        [(100, 10), (80, 12), (20, 18), (0, 20)],
    ),
    "from left to right": ([(0, 20), (100, 10)], [(0, 0), (50, 0), (50, 40)], [(0, 20), (50, 15)]),
    "moved down": (
        [(100, 10), (0, 20)],
        [(0, 100), (100, 100), (100, 140), (0, 140)],
        [(100, 105), (0, 115)],
    ),
    "vertical": ([(50, 0), (50, 30)], [(0, 0), (100, 0), (100, 40), (0, 40)], [(100, 10), (0, 10)]),
    "none": ([], [(0, 0), (100, 0), (100, 40), (0, 40)], [(100, 10), (0, 10)]),
}
"""Baselines, new boundaries, and the baselines in them."""


@pytest.mark.parametrize("case", BASELINES.values(), ids=BASELINES)
def test_a_reshaped_line_keeps_its_slanted_baseline(
    case: tuple[list[tuple[int, int]], list[tuple[int, int]], list[tuple[int, int]]],
) -> None:
    """Within its new boundary; without a direction it becomes level."""
    baseline, boundary, expected = case
    line = page_pb2.Line(baseline=[page_pb2.Point(x=x, y=y) for x, y in baseline])
    changed = line_edits.changed(line, boundary, [], page_pb2.Image(width=200, height=200))
    assert [(point.x, point.y) for point in changed.new_line.baseline] == expected


def test_a_baseline_is_cut_where_the_line_is() -> None:
    """In the direction of the baseline, here from right to left."""
    corners = [(100, 0), (100, 20), (0, 20), (0, 0)]
    line = page_pb2.Line(
        baseline=[page_pb2.Point(x=x, y=y) for x, y in ((100, 0), (0, 10))],
        boundary=[page_pb2.Point(x=x, y=y) for x, y in corners],
    )
    right, left = line_edits.split(line, ("א", "ב"), 50)
    assert [(p.x, p.y) for p in right.new_line.baseline] == [(100, 0), (50, 5)]
    assert [(p.x, p.y) for p in left.new_line.baseline] == [(50, 5), (0, 10)]
