"""The lines of a page are added, merged, split, moved and deleted, and each edit is undone."""

from typing import Any

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
