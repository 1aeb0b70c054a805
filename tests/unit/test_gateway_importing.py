"""Importing ground truth through the gateway, good archives and bad ones."""

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
from ketav_common.errors import Conflict, InvalidInput, Unavailable
from ketav_engine.images import decode
from ketav_engine.segmentation.line_finder import to_grey, whole
from tests.parts.archives import (
    alto,
    alto_line,
    claiming,
    encrypted,
    lying,
    page_line,
    page_xml,
    picture,
    renamed,
    symlink,
    zipped,
    zipped_all,
)
from tests.parts.bad_images import bad_images
from tests.parts.gateway import Gateway, scripted_gateway, upload

UNKNOWN = str(uuid4())
GOOD: dict[str, bytes | str] = {"a.png": picture(), "a.gt.txt": "שלום"}


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    """Run a gateway that takes images of 1 MiB before scripted services."""
    async with scripted_gateway(tmp_path, max_upload_bytes=1 << 20) as running:
        yield running


async def project(gateway: Gateway) -> str:
    """Return a project of the first user."""
    return str((await upload(gateway.client)).json()["project_id"])


async def bring(
    gateway: Gateway, archive: bytes, where: str = "", client: httpx.AsyncClient | None = None, **request: Any
) -> httpx.Response:
    """Post an archive."""
    where = where or await project(gateway)
    return await (client or gateway.client).post(
        f"/projects/{where}/ground-truth", files={"file": ("x.zip", archive)}, **request
    )


def headers(gateway: Gateway) -> list[ground_truth_pb2.ImportGroundTruthHeader]:
    """Return what the registry was told of the imported images."""
    kind = ground_truth_pb2.ImportGroundTruthHeader
    return [request for request in gateway.script.requests if isinstance(request, kind)]


def refused(answer: httpx.Response, status: int, code: str) -> None:
    """Expect a problem."""
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"


async def test_line_images_become_pages_of_one_line(gateway: Gateway) -> None:
    """Each with the geometry with which the engine reads a line image: a reading finds the same place."""
    files: dict[str, bytes | str] = {
        "a.png": picture(),
        "a.gt.txt": "שלום",
        "d/b.tif": picture(300, 80, 1),
        "d/b.gt.txt": "\ufeffעולם\r\n",
    }
    answer = await bring(gateway, zipped(files))
    assert answer.status_code == 201, answer.text
    body = answer.json()
    counted = ("imported_lines", "unchanged_lines", "quarantined_lines", "skipped_files")
    assert [body[name] for name in counted] == [2, 0, 0, 0]
    assert [(file["name"], file["state"]) for file in body["files"]] == [
        ("a.gt.txt", "imported"),
        ("d/b.gt.txt", "imported"),
    ]
    told = headers(gateway)
    assert [line.text for header in told for line in header.lines] == ["שלום", "עולם"]
    for header in told:
        assert header.layout == page_pb2.LAYOUT_LINE
        found = whole(to_grey(decode(gateway.script.images[body["files"][told.index(header)]["image_id"]])))
        [line] = header.lines
        assert tuple((point.x, point.y) for point in line.baseline) == found.baseline
        assert tuple((point.x, point.y) for point in line.boundary) == found.boundary


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
async def test_a_page_comes_with_the_lines_of_its_document(
    gateway: Gateway, name: str, document: str
) -> None:
    """ALTO and PAGE, beside the image or naming it."""
    answer = await bring(gateway, zipped({"p.png": picture(), name: document}))
    assert answer.status_code == 201, answer.text
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
    """The second answer says so, file by file."""
    where = await project(gateway)
    await bring(gateway, zipped(GOOD), where)
    answer = await bring(gateway, zipped(GOOD), where)
    assert answer.status_code == 201
    body = answer.json()
    assert (body["imported_lines"], body["unchanged_lines"]) == (0, 1)
    assert [file["state"] for file in body["files"]] == ["unchanged"]


async def test_a_key_names_the_whole_request_and_each_of_its_pages(gateway: Gateway) -> None:
    """The registry is told the same for the same archive, and another digest with `confirm`."""
    where = await project(gateway)
    files = GOOD | {"b.png": picture(seed=1), "b.gt.txt": "עולם"}
    key: dict[str, Any] = {"headers": {"Idempotency-Key": "mine"}}
    for _ in range(2):
        await bring(gateway, zipped(files), where, **key)
    await bring(gateway, zipped(files), where, data={"confirm": "true"}, **key)
    told = headers(gateway)
    names = [header.request_id.rpartition(":") for header in told]
    assert len({whole_request for whole_request, _, _ in names}) == 1
    assert [number for _, _, number in names] == ["0", "1"] * 3
    assert told[0].request_sha256 == told[2].request_sha256 != told[4].request_sha256
    assert [header.confirm for header in told] == [False] * 4 + [True] * 2
    gateway.script.failures["ImportGroundTruth"] = Conflict(code="idempotency-key-reused")
    refused(await bring(gateway, zipped(files), where, **key), 409, "idempotency-key-reused")


async def test_a_line_in_quarantine_or_left_out_is_named_by_its_number(gateway: Gateway) -> None:
    """Numbers are those of the document, also behind a line that was left out."""
    gateway.script.doubtful = {"ב"}
    document = alto(alto_line("") + alto_line("א") + alto_line("ב") + alto_line("ג", points="1,1"))
    answer = await bring(gateway, zipped({"p.png": picture(), "p.xml": document}))
    [file] = answer.json()["files"]
    assert [(line["line"], line["state"], line["code"]) for line in file["lines"]] == [
        (0, "skipped", "no-text"),
        (3, "skipped", "no-area"),
        (2, "quarantined", "empty-text"),
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
    "a length that lies": (lying("b.gt.txt", b"a" * 1000, 10), "damaged-entry"),
}


async def test_a_bad_file_of_an_archive_is_left_out_and_the_good_one_imported(gateway: Gateway) -> None:
    """Named with a stable code beside a pair that is in order; alone it is 422, and nothing is stored."""
    for name, (files, code) in FILES.items():
        where = await project(gateway)
        gateway.script.calls.clear()
        refused(answer := await bring(gateway, zipped(files), where), 422, "nothing-to-import")
        assert code in {file["code"] for file in answer.json()["files"]}, name
        assert "ImportGroundTruth" not in gateway.script.calls
        answer = await bring(gateway, zipped(GOOD | files), where)
        assert answer.status_code == 201, (name, answer.text)
        body = answer.json()
        assert body["imported_lines"] + body["unchanged_lines"] == 1, name
        skipped = [file for file in body["files"] if file["state"] == "skipped"]
        assert code in {file["code"] for file in skipped}, name
        assert all(file["reason"] for file in skipped)
    assert gateway.settings.spool_dir is not None
    assert list(gateway.settings.spool_dir.iterdir()) == []


async def test_an_entry_that_is_no_plain_file_is_left_out(gateway: Gateway) -> None:
    """What no honest program writes, byte by byte."""
    where = await project(gateway)
    for name, (archive, code) in ENTRIES.items():
        refused(answer := await bring(gateway, archive, where), 422, "nothing-to-import")
        assert [file["code"] for file in answer.json()["files"]] == [code], name
    assert "ImportGroundTruth" not in gateway.script.calls


async def test_of_two_files_of_one_name_neither_counts(gateway: Gateway) -> None:
    """Also when only case or normal form tell them apart."""
    with pytest.warns(UserWarning, match="Duplicate name"):
        archive = zipped_all([("a.gt.txt", "א"), ("a.gt.txt", "ב"), ("B.png", b""), ("b.PNG", b"")])
    answer = await bring(gateway, archive)
    assert [file["code"] for file in answer.json()["files"]] == ["duplicate-name"] * 4


async def test_names_are_shown_without_what_disturbs(gateway: Gateway) -> None:
    """No override, no control character, 200 characters at most."""
    answer = await bring(gateway, zipped({"\u202eb\x1b[2J": "", "c" * 999: ""}))
    names = {file["name"] for file in answer.json()["files"]}
    assert names == {"\ufffdb\ufffd[2J", "c" * 200}


ARCHIVES: dict[str, tuple[bytes, int, str]] = {
    "nothing": (b"", 415, "unsupported-media-type"),
    "an image": (picture(), 415, "unsupported-media-type"),
    "gzip": (b"\x1f\x8b" + bytes(100), 415, "unsupported-media-type"),
    "an image before a zip": (picture() + zipped(GOOD), 415, "unsupported-media-type"),
    "cut off": (zipped(GOOD)[:-30], 422, "damaged-archive"),
    "only its beginning": (b"PK\x03\x04", 422, "damaged-archive"),
    "a comment behind it": (zipped(GOOD, comment=b"hello"), 422, "damaged-archive"),
    "a broken directory": (claiming(2, 200), 422, "damaged-archive"),
    "no file in it": (zipped({}), 422, "nothing-to-import"),
    "only a folder": (zipped({"a/": ""}), 422, "nothing-to-import"),
    "more entries than counted": (claiming(1, 9 << 20), 413, "too-many-entries"),
    "60,000 entries": (claiming(60_000, 100), 413, "too-many-entries"),
    "6,000 files": (zipped({str(i): "" for i in range(6000)}), 413, "too-many-entries"),
    "zip64": (
        zipped(GOOD)[:-22] + b"PK\x06\x07" + bytes(16) + zipped(GOOD)[-22:],
        422,
        "unsupported-archive",
    ),
}


async def test_what_is_no_archive_is_refused_as_a_whole(gateway: Gateway) -> None:
    """4xx with a stable code; no spooled file stays."""
    where = await project(gateway)
    for name, (archive, status, code) in ARCHIVES.items():
        answer = await bring(gateway, archive, where)
        assert (answer.status_code, answer.json()["code"]) == (status, code), name
    assert gateway.settings.spool_dir is not None
    assert list(gateway.settings.spool_dir.iterdir()) == []


async def test_an_archive_that_inflates_too_far_is_refused_before_it_does(tmp_path: Path) -> None:
    """The sum of what its entries say counts; what one of them holds beyond that is never inflated."""
    async with scripted_gateway(tmp_path, max_import_inflated_bytes=40 << 20) as gateway:
        two = zipped({f"{i}.png": bytes(24 << 20) for i in range(2)})  # 48 MiB of zeros in 48 KiB
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        refused(await bring(gateway, two), 413, "archive-too-large")
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024
        liar = lying("a.png", bytes(100 << 20), 1000)
        assert len(liar) < 1 << 20
        answer = await bring(gateway, liar)
        refused(answer, 422, "nothing-to-import")
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024


async def test_a_file_that_is_longer_than_it_says_is_damaged(gateway: Gateway) -> None:
    """Not a byte more than announced is inflated, and the checksum does not fit."""
    archive = io.BytesIO(lying("a.gt.txt", "א".encode() * 500, 10))
    with zipfile.ZipFile(archive, "a") as more:
        more.writestr("a.png", picture())
    answer = await bring(gateway, archive.getvalue())
    refused(answer, 422, "nothing-to-import")
    assert {file["code"] for file in answer.json()["files"]} == {"damaged-entry"}


async def test_an_archive_over_its_limit_is_refused_while_it_arrives(tmp_path: Path) -> None:
    """413; nothing of it stays."""
    async with scripted_gateway(tmp_path, max_import_bytes=10_000) as gateway:
        refused(await bring(gateway, b"PK\x03\x04" + bytes(20_000)), 413, "file-too-large")
        assert list((tmp_path / "spool").iterdir()) == []


async def test_no_bad_image_harms_beside_a_good_one(gateway: Gateway) -> None:
    """The corpus of the uploads as line images: each is refused by its code, the good one is imported."""
    corpus = list(bad_images())
    files: dict[str, bytes | str] = dict(GOOD)
    for number, bad in enumerate(corpus):
        files |= {f"bad{number:03}.png": bad.data, f"bad{number:03}.gt.txt": "א"}
    answer = await bring(gateway, zipped(files))
    assert answer.status_code == 201, answer.text
    found = {file["name"]: file["code"] for file in answer.json()["files"] if file["state"] == "skipped"}
    for number, bad in enumerate(corpus):
        if bad.status >= 400:
            assert found[f"bad{number:03}.gt.txt"] in {bad.code, "file-too-large"}, bad.name


async def test_a_foreign_project_is_404_like_an_unknown_one_before_the_archive_is_read(
    gateway: Gateway,
) -> None:
    """Byte for byte, whatever is sent; a foreign user imports nothing."""
    where = await project(gateway)
    answers = [
        await bring(gateway, archive, place, client=gateway.other)
        for place in (where, UNKNOWN)
        for archive in (zipped(GOOD), b"no zip")
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    refused(await bring(gateway, zipped(GOOD), "7"), 404, "not-found")
    assert "ImportGroundTruth" not in gateway.script.calls
    answer = await gateway.stranger.post(f"/projects/{where}/ground-truth", files={"file": zipped(GOOD)})
    refused(answer, 401, "unauthenticated")


async def test_fields_that_make_no_sense_are_refused(gateway: Gateway) -> None:
    """422 with a stable code."""
    refused(await bring(gateway, zipped(GOOD), data={"confirm": "yes"}), 422, "invalid-input")
    refused(await bring(gateway, zipped(GOOD), data={"script": "square"}), 422, "unknown-field")
    where = await project(gateway)
    answer = await gateway.client.post(f"/projects/{where}/ground-truth", json={})
    refused(answer, 415, "unsupported-content-type")


async def test_an_import_ends_in_time_and_says_what_is_left(tmp_path: Path) -> None:
    """What was not reached is named; the same archive goes on from there."""
    async with scripted_gateway(tmp_path, import_timeout_s=0.0001) as gateway:
        answer = await bring(gateway, zipped(GOOD))
        refused(answer, 422, "nothing-to-import")
        assert [file["code"] for file in answer.json()["files"]] == ["out-of-time"]


async def test_imports_at_once_are_bounded(tmp_path: Path) -> None:
    """A user has one slot, refused with Retry-After while it is taken."""
    async with scripted_gateway(tmp_path) as gateway:
        where = await project(gateway)
        app: Any = gateway.client._transport
        user_id = next(owner for owner, _ in gateway.script.projects.values())
        with app.app.state.components.imports.acquire(user_id):
            answer = await bring(gateway, zipped(GOOD), where)
        refused(answer, 429, "rate-limited")
        assert answer.headers["retry-after"]
        assert (await bring(gateway, zipped(GOOD), where)).status_code == 201


async def test_a_registry_that_is_away_ends_the_import_and_a_page_it_refuses_does_not(
    gateway: Gateway,
) -> None:
    """503 with Retry-After: sent again, the archive goes on; a refused page is left out."""
    where = await project(gateway)
    gateway.script.failures["ImportGroundTruth"] = Unavailable(retry_after=2)
    answer = await bring(gateway, zipped(GOOD), where)
    refused(answer, 503, "unavailable")
    gateway.script.failures["ImportGroundTruth"] = InvalidInput("no", code="invalid-line")
    answer = await bring(gateway, zipped(GOOD), where)
    refused(answer, 422, "nothing-to-import")
    assert answer.json()["files"][0]["code"] == "invalid-line"


async def test_an_image_turned_by_its_camera_is_imported_upright(gateway: Gateway) -> None:
    """EXIF is applied before the document's size is compared."""
    image = Image.open(io.BytesIO(picture(60, 200)))
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", exif=exif)
    answer = await bring(gateway, zipped({"p.jpg": buffer.getvalue(), "p.xml": alto(alto_line())}))
    assert answer.status_code == 201, answer.text


async def test_the_description_shows_an_import(gateway: Gateway) -> None:
    """The form and an example are in the API's description."""
    description = (await gateway.stranger.get("/openapi.json")).json()
    operation = description["paths"]["/projects/{project_id}/ground-truth"]["post"]
    form = operation["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert form["properties"].keys() == {"file", "confirm"}
    assert {"201", "404", "409", "413", "415", "422", "429", "503"} <= operation["responses"].keys()
    assert json.dumps(description["components"]["schemas"]["ImportGroundTruthResponse"]).count("no-text") == 1
