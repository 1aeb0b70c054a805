"""Images are shown, downloaded and exported."""

import hashlib

import pytest

from tests.parts.gateway import Gateway, upload
from tests.parts.in_memory.recognizer import SECOND_TEXT, TEXT


async def test_the_file_is_returned_as_it_was_stored(gateway: Gateway) -> None:
    """Bytes, media type and safe headers."""
    read = (await upload(gateway.client)).json()
    path = f"/projects/{read['project_id']}/images/{read['image_id']}/file"
    response = await gateway.client.get(path)
    assert response.content == gateway.state.page(read["image_id"]).image
    assert response.headers["content-type"] == "image/png"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["content-disposition"] == f'inline; filename="{read["image_id"]}.png"'


@pytest.mark.parametrize("name", ["txt", "json", "alto", "page", "hocr"])
async def test_an_export_is_a_download_of_the_chosen_format(gateway: Gateway, name: str) -> None:
    """Two calls: the page, and an entry in the audit log; the page's texts are in the file."""
    read = (await upload(gateway.client)).json()
    gateway.state.calls.clear()
    path = f"/projects/{read['project_id']}/images/{read['image_id']}/export?format={name}"
    response = await gateway.client.get(path)
    assert (response.status_code, gateway.state.calls) == (200, ["GetPage", "RecordExport"])
    assert response.headers["content-disposition"].startswith(f'attachment; filename="{read["image_id"]}.')
    assert all(word in response.text for word in f"{TEXT} {SECOND_TEXT}".split())


async def file_of_a_page(gateway: Gateway) -> tuple[str, bytes, str]:
    """Store a page; return the address of its file, the bytes and the ETag."""
    read = (await upload(gateway.client)).json()
    path = f"/projects/{read['project_id']}/images/{read['image_id']}/file"
    data = gateway.state.page(read["image_id"]).image
    return path, data, f'"{hashlib.sha256(data).hexdigest()}"'


async def test_a_file_is_cached_by_its_client_alone_and_never_changes(gateway: Gateway) -> None:
    """A strong ETag; the whole file without a condition; 304 without a body when the client has it."""
    path, data, etag = await file_of_a_page(gateway)
    response = await gateway.client.get(path)
    assert (response.status_code, response.content) == (200, data)
    assert response.headers["etag"] == etag
    assert response.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert response.headers["accept-ranges"] == "bytes"
    assert "Authorization" in response.headers["vary"]
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        same = await gateway.client.get(path, headers={"If-None-Match": known})
        assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", etag)
        assert same.headers["cache-control"] == response.headers["cache-control"]
    for unknown in ('"other"', "", etag.strip('"')):
        other = await gateway.client.get(path, headers={"If-None-Match": unknown})
        assert (other.status_code, other.content) == (200, data)
    foreign = await gateway.other.get(path, headers={"If-None-Match": etag})
    assert foreign.status_code == 404


@pytest.mark.parametrize(
    ("sent", "start", "end"),
    [
        ("0-0", 0, 1),
        ("5-9", 5, 10),
        ("10-", 10, None),
        ("-7", -7, None),
        ("3-999999", 3, None),
        ("-9999999", 0, None),
    ],
)
async def test_a_part_of_a_file_is_sent(gateway: Gateway, sent: str, start: int, end: int | None) -> None:
    """206 with the bytes and their position."""
    path, data, etag = await file_of_a_page(gateway)
    response = await gateway.client.get(path, headers={"Range": f"bytes={sent}", "If-Range": etag})
    part = data[start:end]
    assert (response.status_code, response.content) == (206, part)
    assert int(response.headers["content-length"]) == len(part)
    first = start if start >= 0 else len(data) + start
    assert response.headers["content-range"] == f"bytes {first}-{first + len(part) - 1}/{len(data)}"
    assert response.headers["etag"] == etag
    assert gateway.settings.spool_dir is not None
    assert list(gateway.settings.spool_dir.iterdir()) == []


@pytest.mark.parametrize(
    "sent", ["bytes=9-5", "bytes=-", "bytes=a-b", "lines=0-1", "bytes", "bytes=0-1,4-5", "bytes=٠-١"]
)
async def test_a_range_that_means_nothing_gets_the_whole_file(gateway: Gateway, sent: str) -> None:
    """As RFC 9110 says; several ranges may be ignored, too; so does a part of another file."""
    path, data, _ = await file_of_a_page(gateway)
    headers = [(b"Range", sent.encode())]
    response = await gateway.client.get(path, headers=headers)
    assert (response.status_code, response.content) == (200, data)
    other = await gateway.client.get(path, headers={"Range": "bytes=0-1", "If-Range": '"other"'})
    assert (other.status_code, other.content) == (200, data)


@pytest.mark.parametrize("sent", ["100000-", "100000-100001", "-0"])
async def test_a_range_behind_the_end_is_416_with_the_size(gateway: Gateway, sent: str) -> None:
    """So that the client can ask again."""
    path, data, _ = await file_of_a_page(gateway)
    response = await gateway.client.get(path, headers={"Range": f"bytes={sent}"})
    problem = response.json()
    assert (response.status_code, problem["code"]) == (416, "range-not-satisfiable")
    assert response.headers["content-range"] == f"bytes */{len(data)}"
    assert (problem["size_bytes"], problem["errors"][0]["field"]) == (len(data), "Range")
    assert gateway.settings.spool_dir is not None
    assert list(gateway.settings.spool_dir.iterdir()) == []


async def test_an_export_is_sent_again_only_after_a_change(gateway: Gateway) -> None:
    """304 for the ETag of the text; a correction gives it another one."""
    read = (await upload(gateway.client)).json()
    path = f"/projects/{read['project_id']}/images/{read['image_id']}/export"
    first = await gateway.client.get(path)
    assert first.headers["cache-control"] == "private, no-cache"
    known = {"If-None-Match": first.headers["etag"]}
    same = await gateway.client.get(path, headers=known)
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", first.headers["etag"])
    ids = {"project_id": read["project_id"], "image_id": read["image_id"]}
    line = {"line_id": read["lines"][0]["line_id"], "text": "שלום"}
    await gateway.client.post("/feedback/", json={**ids, "lines": [line]})
    changed = await gateway.client.get(path, headers=known)
    assert changed.status_code == 200
    assert changed.headers["etag"] != first.headers["etag"]
