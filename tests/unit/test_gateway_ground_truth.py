"""Archives of ground truth are imported: whole ones, damaged ones and hostile ones."""

import io
import json
import resource
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from PIL import Image

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import ground_truth_pb2
from ketav_common.errors import InvalidInput, Unavailable
from ketav_engine.images import decode
from ketav_engine.segmentation.line_finder import to_grey, whole
from tests.parts.archives import (
    alto,
    alto_line,
    encrypted,
    page_line,
    page_xml,
    picture,
    renamed,
    symlink,
    with_wrong_directory,
    with_wrong_size,
    zipped,
    zipped_all,
)
from tests.parts.bad_images import bad_images
from tests.parts.gateway import Gateway, in_process_gateway, upload, without_trace

UNKNOWN = str(uuid4())
GOOD: dict[str, bytes | str] = {"a.png": picture(), "a.gt.txt": "שלום"}


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    """Run a gateway with a limit of 1 MiB for images."""
    async with in_process_gateway(tmp_path, max_upload_bytes=1 << 20) as running:
        yield running


async def project(gateway: Gateway) -> str:
    """Return a project of the first user."""
    return str((await upload(gateway.client)).json()["project_id"])


async def import_archive(
    gateway: Gateway,
    archive: bytes,
    project_id: str = "",
    client: httpx.AsyncClient | None = None,
    **request: Any,
) -> httpx.Response:
    """Post an archive to a project, by default a new one."""
    project_id = project_id or await project(gateway)
    return await (client or gateway.client).post(
        f"/projects/{project_id}/ground-truth", files={"file": ("x.zip", archive)}, **request
    )


def headers(gateway: Gateway) -> list[ground_truth_pb2.ImportGroundTruthHeader]:
    """Return the headers that were sent to the registry."""
    message = ground_truth_pb2.ImportGroundTruthHeader
    return [request for request in gateway.state.requests if isinstance(request, message)]


def refused(response: httpx.Response, status: int, code: str) -> None:
    """Check the status and code of a problem."""
    assert (response.status_code, response.json()["code"]) == (status, code), response.text
    assert response.headers["content-type"] == "application/problem+json"


async def test_line_images_become_pages_of_one_line(gateway: Gateway) -> None:
    """With the geometry that the engine gives to a line image: a reading of it has the same line."""
    files: dict[str, bytes | str] = {
        "a.png": picture(),
        "a.gt.txt": "שלום",
        "d/b.tif": picture(300, 80, 1),
        "d/b.gt.txt": "\ufeffעולם\r\n",
    }
    response = await import_archive(gateway, zipped(files))
    assert response.status_code == 201, response.text
    body = response.json()
    counted = ("imported_lines", "unchanged_lines", "quarantined_lines", "skipped_files")
    assert [body[name] for name in counted] == [2, 0, 0, 0]
    assert [(file["name"], file["state"]) for file in body["files"]] == [
        ("a.gt.txt", "imported"),
        ("d/b.gt.txt", "imported"),
    ]
    sent = headers(gateway)
    assert [line.text for header in sent for line in header.lines] == ["שלום", "עולם"]
    for header, file in zip(sent, body["files"], strict=True):
        assert header.layout == page_pb2.LAYOUT_LINE
        image = decode(gateway.state.page(file["image_id"]).image)
        expected = whole(to_grey(image))
        [line] = header.lines
        assert tuple((point.x, point.y) for point in line.baseline) == expected.baseline
        assert tuple((point.x, point.y) for point in line.boundary) == expected.boundary


def rectangle(points: Any) -> tuple[int, int, int, int]:
    """Return the extent of points: left, top, right, bottom."""
    xs, ys = [point.x for point in points], [point.y for point in points]
    return min(xs), min(ys), max(xs), max(ys)


@pytest.mark.parametrize(
    ("baselines", "height"),
    [
        (["190,20 10,20"], 15),
        (["190,15 10,15", "190,45 10,45"], 30),
        (["190,10 10,12", "190,30 10,30", "190,50 10,49"], 19),
    ],
)
async def test_a_baseline_without_an_outline_gets_one_around_it(
    gateway: Gateway, baselines: list[str], height: int
) -> None:
    """As high as the distance of the lines, or in proportion to the length of a single line."""
    lines = [
        f'<TextLine><Baseline points="{points}"/><TextEquiv><Unicode>א</Unicode></TextEquiv></TextLine>'
        for points in baselines
    ]
    response = await import_archive(gateway, zipped({"p.png": picture(), "p.xml": page_xml("".join(lines))}))
    assert response.json()["imported_lines"] == len(baselines), response.text
    for line in headers(gateway)[0].lines:
        left, top, right, bottom = rectangle(line.boundary)
        baseline = rectangle(line.baseline)
        assert (left, right) == (baseline[0], baseline[2])
        assert top < baseline[1]
        assert baseline[3] < bottom
        assert height * 0.8 <= bottom - top <= height * 1.6


@pytest.mark.parametrize(("unit", "factor"), [("mm10", 0.5), ("mm10", 2.1167), ("inch1200", 4)])
async def test_lines_in_other_units_are_scaled_to_the_image(
    gateway: Gateway, unit: str, factor: float
) -> None:
    """By the size of the page."""
    points = " ".join(f"{x * factor},{y * factor}" for x, y in ((10, 10), (190, 10), (190, 40), (10, 40)))
    line = alto_line(points=points, baseline=f"{190 * factor},{20 * factor} {10 * factor},{20 * factor}")
    document = alto(line, size=(200, 60)).replace(">pixel<", f">{unit}<")
    document = document.replace('WIDTH="200" HEIGHT="60"', f'WIDTH="{200 * factor}" HEIGHT="{60 * factor}"')
    response = await import_archive(gateway, zipped({"p.png": picture(), "p.xml": document}))
    assert response.json()["imported_lines"] == 1, response.text
    [stored] = headers(gateway)[0].lines
    for value, expected in zip(rectangle(stored.boundary), (10, 10, 190, 40), strict=True):
        assert abs(value - expected) <= 2
    assert abs(stored.baseline[0].y - 20) <= 2


async def test_a_page_of_other_proportions_is_refused(gateway: Gateway) -> None:
    """The image does not show the whole page of the document."""
    document = alto(alto_line(), size=(200, 90)).replace(">pixel<", ">mm10<")
    response = await import_archive(gateway, zipped({"p.png": picture(), "p.xml": document}))
    assert response.json()["files"][0]["code"] == "image-size-mismatch"


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("p.xml", alto(alto_line("א") + alto_line("ב"))),
        ("p.alto.xml", alto(alto_line("א") + alto_line("ב"))),
        ("q/r.xml", alto(alto_line("א") + alto_line("ב"), image="/mnt/scans/p.png")),
        ("p.xml", page_xml(page_line("א") + page_line("ב"))),
        ("page/x.xml", page_xml(page_line("א") + page_line("ב"), image="../p.png")),
    ],
)
async def test_a_page_has_the_lines_of_its_document(gateway: Gateway, name: str, document: str) -> None:
    """ALTO and PAGE, of the same name as the image or naming it."""
    response = await import_archive(gateway, zipped({"p.png": picture(), name: document}))
    assert response.status_code == 201, response.text
    [header] = headers(gateway)
    assert header.layout == page_pb2.LAYOUT_PAGE
    assert [line.text for line in header.lines] == ["א", "ב"]
    assert [(point.x, point.y) for point in header.lines[0].baseline] == [(190, 20), (10, 20)]
    assert [(point.x, point.y) for point in header.lines[0].boundary] == [
        (10, 10),
        (190, 10),
        (190, 40),
        (10, 40),
    ]


async def test_importing_twice_adds_nothing(gateway: Gateway) -> None:
    """The second response says so for each file."""
    project_id = await project(gateway)
    await import_archive(gateway, zipped(GOOD), project_id)
    response = await import_archive(gateway, zipped(GOOD), project_id)
    assert response.status_code == 201
    body = response.json()
    assert (body["imported_lines"], body["unchanged_lines"]) == (0, 1)
    assert [file["state"] for file in body["files"]] == ["unchanged"]


async def test_a_key_identifies_the_request_and_each_of_its_pages(gateway: Gateway) -> None:
    """The same archive has the same ids and digest; with `confirm` it is another request: 409."""
    project_id = await project(gateway)
    files = GOOD | {"b.png": picture(seed=1), "b.gt.txt": "עולם"}
    key: dict[str, Any] = {"headers": {"Idempotency-Key": "mine"}}
    first, again = [await import_archive(gateway, zipped(files), project_id, **key) for _ in range(2)]
    assert first.json() == again.json()
    refused(
        await import_archive(gateway, zipped(files), project_id, data={"confirm": "true"}, **key),
        409,
        "idempotency-key-reused",
    )
    sent = headers(gateway)
    names = [header.request_id.rpartition(":") for header in sent]
    assert len({request for request, _, _ in names}) == 1
    assert [number for _, _, number in names] == ["0", "1", "0", "1", "0"]
    assert sent[0].request_sha256 == sent[2].request_sha256 != sent[4].request_sha256
    assert [header.confirm for header in sent] == [False] * 4 + [True]


async def test_a_quarantined_or_skipped_line_is_named_by_its_number(gateway: Gateway) -> None:
    """Numbers count the lines of the document from 1, skipped ones too."""
    gateway.state.quarantined_texts = {"ב"}
    document = alto(alto_line("") + alto_line("א") + alto_line("ב") + alto_line("ג", points="1,1"))
    response = await import_archive(gateway, zipped({"p.png": picture(), "p.xml": document}))
    [file] = response.json()["files"]
    assert [(line["line"], line["state"], line["code"]) for line in file["lines"]] == [
        (1, "skipped", "no-text"),
        (4, "skipped", "no-area"),
        (3, "quarantined", "empty-text"),
    ]
    assert (file["imported_lines"], file["skipped_lines"], file["quarantined_lines"]) == (2, 2, 1)


BOMB = zipped({"x.png": bytes(4 << 20)})
FILES: dict[str, tuple[dict[str, bytes | str], str]] = {
    "a text without an image": ({"b.gt.txt": "א"}, "missing-image"),
    "an image without a text": ({"b.png": picture()}, "no-text"),
    "a document without an image": ({"b.xml": alto(alto_line())}, "missing-image"),
    "a document that names a file outside": (
        {"b.xml": alto(alto_line(), image="../../../etc/passwd")},
        "missing-image",
    ),
    "a document that names an absolute file": (
        {"b.xml": page_xml(page_line(), image="/etc/passwd")},
        "missing-image",
    ),
    "two images of its name": ({"b.png": picture(), "b.jpg": picture(), "b.gt.txt": "א"}, "ambiguous-image"),
    "a document with two images": (
        {"b.png": picture(), "b.jpg": picture(), "b.xml": alto(alto_line(), image="c.tif")},
        "ambiguous-image",
    ),
    "an empty text": ({"b.png": picture(), "b.gt.txt": " \n"}, "no-text"),
    "another encoding": ({"b.png": picture(), "b.gt.txt": "א".encode("windows-1255")}, "not-utf8"),
    "two lines": ({"b.png": picture(), "b.gt.txt": "א\nב"}, "several-lines"),
    "a long text": ({"b.png": picture(), "b.gt.txt": "א" * 100_000}, "file-too-large"),
    "a bidi override": ({"b.png": picture(), "b.gt.txt": "א\u202eב"}, "bidi-override"),
    "an external entity": (
        {"b.png": picture(), "b.xml": alto(alto_line(), head='<!DOCTYPE a SYSTEM "file:///etc/passwd">')},
        "unsafe-xml",
    ),
    "another size": (
        {"b.png": picture(), "b.xml": alto(alto_line(), size=(400, 120))},
        "image-size-mismatch",
    ),
    "a polygon outside": (
        {"b.png": picture(), "b.xml": alto(alto_line(points="500,500 600,500 600,550"))},
        "outside-image",
    ),
    "a polygon of one point": ({"b.png": picture(), "b.xml": alto(alto_line(points="5,5"))}, "no-area"),
    "a polygon without area": (
        {"b.png": picture(), "b.xml": alto(alto_line(points="5,5 50,5 99,5"))},
        "no-area",
    ),
    "millions of points": (
        {"b.png": picture(), "b.xml": page_xml(page_line(points="1,1 " * 1_500_000))},
        "too-many-points",
    ),
    "a document of 9 MiB": (
        {"b.png": picture(), "b.xml": alto(alto_line()) + " " * (9 << 20)},
        "file-too-large",
    ),
    "no image at all": ({"b.png": b"GIF89a", "b.gt.txt": "א"}, "unsupported-media-type"),
    "a script": ({"b.py": "print()"}, "unsupported-entry"),
    "a nested bomb": ({"b.zip": zipped({"c.zip": BOMB})}, "unsupported-entry"),
    "a bomb as an image": ({"b.png": zipped({"c": BOMB}), "b.gt.txt": "א"}, "unsupported-media-type"),
    "an image of 2 MiB": ({"b.png": bytes(2 << 20), "b.gt.txt": "א"}, "file-too-large"),
    "a climbing name": ({"../b.gt.txt": "א"}, "unsafe-name"),
    "a climb in the middle": ({"a/../../b.gt.txt": "א"}, "unsafe-name"),
    "an absolute name": ({"/etc/b.gt.txt": "א"}, "unsafe-name"),
    "a drive": ({"C:b.gt.txt": "א"}, "unsafe-name"),
    "a line feed in a name": ({"b\n.gt.txt": "א"}, "unsafe-name"),
    "a bidi override in a name": ({"b\u202etxt.tg.png": "א"}, "unsafe-name"),
    "a name of 5,000 characters": ({"b" * 5000 + ".gt.txt": "א"}, "unsafe-name"),
}
ENTRIES: dict[str, tuple[bytes, str]] = {
    "a backslash": (renamed(zipped({"a/b.gt.txt": "א"}), b"a/b.gt.txt", b"a\\b.gt.txt"), "unsafe-name"),
    "NUL in a name": (renamed(zipped({"b.gt.txt!png": "א"}), b"txt!png", b"txt\0png"), "unsafe-name"),
    "a symbolic link": (zipped_all([(symlink("b.gt.txt", "/etc/passwd"), "/etc/passwd")]), "unsafe-entry"),
    "an encrypted entry": (encrypted(zipped({"b.gt.txt": "א"})), "encrypted-entry"),
    "another compression": (zipped({"b.gt.txt": "א"}, method=zipfile.ZIP_LZMA), "unsupported-compression"),
    "a wrong length": (with_wrong_size("b.gt.txt", b"a" * 1000, 10), "damaged-entry"),
}


async def test_the_reason_under_a_text_says_that_its_image_is_the_cause(gateway: Gateway) -> None:
    """The image is not listed itself, so the sentence under the text names it."""
    for content, sentence in ((b"GIF89a", "not a JPEG"), (b"\x89PNG\r\n\x1a\n", "begins like PNG")):
        response = await import_archive(gateway, zipped({"a.png": content, "a.gt.txt": "א"}))
        [file] = response.json()["files"]
        assert file["name"] == "a.gt.txt"
        assert file["reason"].startswith("The image 'a.png' of this file cannot be used. The file ")
        assert sentence in file["reason"]


async def test_the_reason_of_a_document_without_a_usable_line_counts_its_lines(gateway: Gateway) -> None:
    """The reason of the first line may not be that of the others."""
    document = alto(alto_line("") + alto_line("א", points="1,1"))
    response = await import_archive(gateway, zipped({"p.png": picture(), "p.xml": document}))
    [file] = response.json()["files"]
    sentence = "None of the 2 lines can be imported. The reason of line 1: The line has no text. "
    assert (file["code"], file["reason"]) == ("no-text", sentence + "Add it to the document.")


@pytest.mark.parametrize("empty", [zipped({}), zipped_all([(zipfile.ZipInfo("lines/"), "")])])
async def test_an_archive_without_a_file_is_refused_as_empty(gateway: Gateway, empty: bytes) -> None:
    """There are no reasons of files to refer to."""
    response = await import_archive(gateway, empty)
    refused(response, 422, "nothing-to-import")
    assert response.json()["detail"] == "The archive has no file. Add images with their texts."
    assert response.json()["files"] == []


async def test_an_error_of_the_archive_itself_names_the_field_of_the_form(gateway: Gateway) -> None:
    """It is the field `file`."""
    response = await import_archive(gateway, b"PK\x03\x04 no archive")
    refused(response, 422, "damaged-archive")
    assert response.json()["errors"] == [{"field": "/file", "message": response.json()["detail"]}]


async def test_a_bad_file_of_an_archive_is_skipped_and_the_good_one_imported(gateway: Gateway) -> None:
    """Named with a stable code; in an archive of its own it is 422, and nothing is stored."""
    for name, (files, code) in FILES.items():
        project_id = await project(gateway)
        gateway.state.calls.clear()
        refused(
            response := await import_archive(gateway, zipped(files), project_id), 422, "nothing-to-import"
        )
        assert code in {file["code"] for file in response.json()["files"]}, name
        assert "ImportGroundTruth" not in gateway.state.calls
        response = await import_archive(gateway, zipped(GOOD | files), project_id)
        assert response.status_code == 201, (name, response.text)
        body = response.json()
        assert body["imported_lines"] + body["unchanged_lines"] == 1, name
        skipped = [file for file in body["files"] if file["state"] == "skipped"]
        assert code in {file["code"] for file in skipped}, name
        assert all(file["reason"] for file in skipped)
    assert gateway.settings.spool_dir is not None
    assert list(gateway.settings.spool_dir.iterdir()) == []


async def test_an_entry_that_is_no_plain_file_is_skipped(gateway: Gateway) -> None:
    """Entries that only a hostile program writes, byte by byte."""
    project_id = await project(gateway)
    for name, (archive, code) in ENTRIES.items():
        refused(response := await import_archive(gateway, archive, project_id), 422, "nothing-to-import")
        assert [file["code"] for file in response.json()["files"]] == [code], name
    assert "ImportGroundTruth" not in gateway.state.calls


async def test_two_files_of_one_name_are_both_skipped(gateway: Gateway) -> None:
    """Also when they differ only in case or normal form."""
    with pytest.warns(UserWarning, match="Duplicate name"):
        archive = zipped_all([("a.gt.txt", "א"), ("a.gt.txt", "ב"), ("B.png", b""), ("b.PNG", b"")])
    response = await import_archive(gateway, archive)
    assert [file["code"] for file in response.json()["files"]] == ["duplicate-name"] * 4


async def test_names_are_returned_without_unprintable_characters(gateway: Gateway) -> None:
    """No override, no control character, 200 characters at most."""
    response = await import_archive(gateway, zipped({"\u202eb\x1b[2J": "", "c" * 999: ""}))
    names = {file["name"] for file in response.json()["files"]}
    assert names == {"\ufffdb\ufffd[2J", "c" * 200}


ARCHIVES: dict[str, tuple[bytes, int, str]] = {
    "nothing": (b"", 415, "unsupported-media-type"),
    "an image": (picture(), 415, "unsupported-media-type"),
    "gzip": (b"\x1f\x8b" + bytes(100), 415, "unsupported-media-type"),
    "an image before a zip": (picture() + zipped(GOOD), 415, "unsupported-media-type"),
    "cut off": (zipped(GOOD)[:-30], 422, "damaged-archive"),
    "only its beginning": (b"PK\x03\x04", 422, "damaged-archive"),
    "a comment behind it": (zipped(GOOD, comment=b"hello"), 422, "damaged-archive"),
    "a broken directory": (with_wrong_directory(2, 200), 422, "damaged-archive"),
    "no file in it": (zipped({}), 422, "nothing-to-import"),
    "only a folder": (zipped({"a/": ""}), 422, "nothing-to-import"),
    "more entries than counted": (with_wrong_directory(1, 9 << 20), 413, "too-many-entries"),
    "60,000 entries": (with_wrong_directory(60_000, 100), 413, "too-many-entries"),
    "6,000 files": (zipped({str(i): "" for i in range(6000)}), 413, "too-many-entries"),
    "zip64": (
        zipped(GOOD)[:-22] + b"PK\x06\x07" + bytes(16) + zipped(GOOD)[-22:],
        422,
        "unsupported-archive",
    ),
}


async def test_a_file_that_is_no_archive_is_refused(gateway: Gateway) -> None:
    """4xx with a stable code; no spooled file stays."""
    project_id = await project(gateway)
    for name, (archive, status, code) in ARCHIVES.items():
        response = await import_archive(gateway, archive, project_id)
        assert (response.status_code, response.json()["code"]) == (status, code), name
    assert gateway.settings.spool_dir is not None
    assert list(gateway.settings.spool_dir.iterdir()) == []


async def test_an_archive_that_inflates_too_far_is_refused_before_it_does(tmp_path: Path) -> None:
    """The sizes in its directory are added; more bytes than these are never inflated."""
    async with in_process_gateway(tmp_path, max_import_inflated_bytes=40 << 20) as gateway:
        two = zipped({f"{i}.png": bytes(24 << 20) for i in range(2)})  # 48 MiB of zeros in 48 KiB
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        refused(await import_archive(gateway, two), 413, "archive-too-large")
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024
        liar = with_wrong_size("a.png", bytes(100 << 20), 1000)
        assert len(liar) < 1 << 20
        response = await import_archive(gateway, liar)
        refused(response, 422, "nothing-to-import")
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024


async def test_a_file_that_is_longer_than_it_says_is_damaged(gateway: Gateway) -> None:
    """No more bytes than announced are inflated, and the checksum differs."""
    archive = io.BytesIO(with_wrong_size("a.gt.txt", "א".encode() * 500, 10))
    with zipfile.ZipFile(archive, "a") as more:
        more.writestr("a.png", picture())
    response = await import_archive(gateway, archive.getvalue())
    refused(response, 422, "nothing-to-import")
    assert {file["code"] for file in response.json()["files"]} == {"damaged-entry"}


async def test_an_archive_over_its_limit_is_refused_while_it_arrives(tmp_path: Path) -> None:
    """413; nothing of it stays."""
    async with in_process_gateway(tmp_path, max_import_bytes=10_000) as gateway:
        refused(await import_archive(gateway, b"PK\x03\x04" + bytes(20_000)), 413, "file-too-large")
        assert list((tmp_path / "spool").iterdir()) == []


async def test_bad_images_do_not_prevent_the_import_of_a_good_one(gateway: Gateway) -> None:
    """The corpus of bad uploads as line images: refused with their codes."""
    corpus = list(bad_images())
    files: dict[str, bytes | str] = dict(GOOD)
    for number, bad in enumerate(corpus):
        files |= {f"bad{number:03}.png": bad.data, f"bad{number:03}.gt.txt": "א"}
    response = await import_archive(gateway, zipped(files))
    assert response.status_code == 201, response.text
    codes = {file["name"]: file["code"] for file in response.json()["files"] if file["state"] == "skipped"}
    for number, bad in enumerate(corpus):
        if bad.status >= 400:
            assert codes[f"bad{number:03}.gt.txt"] in {bad.code, "file-too-large"}, bad.name


async def test_a_foreign_project_is_404_like_an_unknown_one_before_the_archive_is_read(
    gateway: Gateway,
) -> None:
    """Byte for byte, whatever is sent; nothing is imported."""
    project_id = await project(gateway)
    responses = [
        await import_archive(gateway, archive, foreign_id, client=gateway.other)
        for foreign_id in (project_id, UNKNOWN)
        for archive in (zipped(GOOD), b"no zip")
    ]
    assert {response.status_code for response in responses} == {404}
    assert len({without_trace(response) for response in responses}) == 1
    refused(await import_archive(gateway, zipped(GOOD), "7"), 404, "not-found")
    assert "ImportGroundTruth" not in gateway.state.calls
    response = await gateway.anonymous.post(
        f"/projects/{project_id}/ground-truth", files={"file": zipped(GOOD)}
    )
    refused(response, 401, "unauthenticated")


async def test_fields_that_make_no_sense_are_refused(gateway: Gateway) -> None:
    """422 with a stable code."""
    refused(await import_archive(gateway, zipped(GOOD), data={"confirm": "yes"}), 422, "invalid-input")
    refused(await import_archive(gateway, zipped(GOOD), data={"script": "square"}), 422, "unknown-field")
    project_id = await project(gateway)
    response = await gateway.client.post(f"/projects/{project_id}/ground-truth", json={})
    refused(response, 415, "unsupported-content-type")


async def test_an_import_for_another_hand_is_refused_before_an_image_is_decoded(gateway: Gateway) -> None:
    """Not file by file; the name is compared as it is stored."""
    project_id = (await upload(gateway.client, hand="דודה")).json()["project_id"]
    gateway.state.calls.clear()
    for hand, code in (
        ("דוד", "hand-mismatch"),
        ("א\0", "control-character"),
        ("א\u202e", "bidi-override"),
    ):
        response = await import_archive(gateway, zipped(GOOD), project_id, data={"hand": hand})
        refused(response, 422, code)
    assert response.json()["errors"][0]["field"] == "/hand"
    assert "ImportGroundTruth" not in gateway.state.calls
    response = await import_archive(gateway, zipped(GOOD), project_id, data={"hand": " דודה "})
    assert response.status_code == 201


async def test_an_import_ends_in_time_and_names_the_remaining_files(tmp_path: Path) -> None:
    """The same archive continues the import."""
    async with in_process_gateway(tmp_path, import_timeout_s=0.0001) as gateway:
        response = await import_archive(gateway, zipped(GOOD))
        refused(response, 422, "nothing-to-import")
        assert [file["code"] for file in response.json()["files"]] == ["out-of-time"]


async def test_imports_at_once_are_bounded(tmp_path: Path) -> None:
    """A user has one slot; 429 with Retry-After while it is used."""
    async with in_process_gateway(tmp_path) as gateway:
        project_id = await project(gateway)
        app: Any = gateway.client._transport
        with app.app.state.components.imports.acquire(gateway.user.user_id):
            response = await import_archive(gateway, zipped(GOOD), project_id)
        refused(response, 429, "rate-limited")
        assert response.headers["retry-after"]
        assert (await import_archive(gateway, zipped(GOOD), project_id)).status_code == 201


async def test_an_unavailable_registry_ends_the_import_and_a_refused_page_does_not(
    gateway: Gateway,
) -> None:
    """503 with Retry-After; a refused page is skipped."""
    project_id = await project(gateway)
    gateway.state.failures["ImportGroundTruth"] = Unavailable(retry_after=2)
    response = await import_archive(gateway, zipped(GOOD), project_id)
    refused(response, 503, "unavailable")
    gateway.state.failures["ImportGroundTruth"] = InvalidInput(code="invalid-line")
    response = await import_archive(gateway, zipped(GOOD), project_id)
    refused(response, 422, "nothing-to-import")
    assert response.json()["files"][0]["code"] == "invalid-line"


async def test_a_rotated_image_is_imported_upright(gateway: Gateway) -> None:
    """The EXIF orientation is applied before the size is compared with the document's."""
    image = Image.open(io.BytesIO(picture(60, 200)))
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", exif=exif)
    response = await import_archive(gateway, zipped({"p.jpg": buffer.getvalue(), "p.xml": alto(alto_line())}))
    assert response.status_code == 201, response.text


async def test_the_description_shows_an_import(gateway: Gateway) -> None:
    """The form and an example."""
    description = (await gateway.anonymous.get("/openapi.json")).json()
    operation = description["paths"]["/projects/{project_id}/ground-truth"]["post"]
    form = operation["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert form["properties"].keys() == {"file", "confirm", "hand"}
    assert {"201", "404", "409", "413", "415", "422", "429", "503"} <= operation["responses"].keys()
    assert json.dumps(description["components"]["schemas"]["ImportGroundTruthResponse"]).count("no-text") == 1
