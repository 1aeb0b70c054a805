"""The Python client: settings, repetitions, errors, paging, and its freshness."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from ketav_client import (
    AsyncKetav,
    ConfigurationError,
    ConnectionFailedError,
    Ketav,
    KetavError,
    Limits,
    ProblemError,
    Reading,
)
from ketav_client.generated.api.projects.export_project import export_project
from ketav_client.generated.models import NewProject, ProjectChange
from ketav_client.readings import ReadPage
from ketav_client.settings import ClientSettings
from ketav_command.read_again import read_failed_pages
from ketav_command.upload_folder import ReadFile, UploadFolder, UploadFolderError, WrittenPage
from ketav_common.errors import NotFound
from tests.parts.gateway import KEY, Gateway, png, upload
from tools import generate_client

PROJECT = {
    "project_id": "p",
    "name": "n",
    "script": "square",
    "hand": None,
    "created_at": "2026-11-27T00:00:00Z",
    "owner": "o",
    "role": "owner",
}
Respond = Callable[[httpx.Request], httpx.Response]


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the settings of the machine out of the tests."""
    for name in ("KETAV_URL", "KETAV_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KETAV_CONFIG", str(tmp_path / "config.toml"))


def client(respond: Respond, retries: int = 2) -> Ketav:
    """Return a client whose server is a function."""
    return Ketav("http://server", KEY, limits=Limits(retries), transport=httpx.MockTransport(respond))


def answers(*responses: httpx.Response | Exception) -> tuple[Respond, list[httpx.Request]]:
    """Return a server that gives these responses one after the other, and the requests that it received."""
    received: list[httpx.Request] = []
    rest: Iterator[httpx.Response | Exception] = iter(responses)

    def respond(request: httpx.Request) -> httpx.Response:
        """Return the next response."""
        received.append(request)
        response = next(rest)
        if isinstance(response, Exception):
            raise response
        return response

    return respond, received


def test_the_arguments_come_before_the_environment_and_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each setting by itself; the address has a default, the key has none."""
    with pytest.raises(
        ConfigurationError, match=r"Set KETAV_API_KEY, or store a key in .* with `ketav login`"
    ):
        ClientSettings.load()
    (tmp_path / "config.toml").write_text('url = "https://file"\napi_key = "of-file"\n')
    assert ClientSettings.load() == ClientSettings("https://file", "of-file")
    monkeypatch.setenv("KETAV_URL", "https://environment/ketav/")
    assert ClientSettings.load() == ClientSettings("https://environment/ketav", "of-file")
    assert ClientSettings.load("http://argument", "own") == ClientSettings("http://argument", "own")


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("url = ", "cannot be read"),
        ("key = 'x'", "has the setting key, which is not valid"),
        ("url = 'localhost:8000'\napi_key = 'x'", "'localhost:8000' is no address of a server"),
        ('api_key = "two\\nlines"', "without line breaks"),
    ],
)
def test_a_wrong_file_is_refused_with_the_reason(tmp_path: Path, text: str, detail: str) -> None:
    """Before any request."""
    (tmp_path / "config.toml").write_text(text)
    with pytest.raises(ConfigurationError, match=detail):
        ClientSettings.load()


def test_an_overloaded_server_is_asked_again_after_the_seconds_that_it_names() -> None:
    """With the same Idempotency-Key, so that a project is created once."""
    respond, received = answers(
        httpx.Response(429, headers={"Retry-After": "0"}),
        httpx.ConnectError("refused"),
        httpx.Response(201, json=PROJECT),
    )
    with client(respond) as ketav:
        assert ketav.create_project(body=NewProject("n")).project_id == "p"
    keys = [request.headers["Idempotency-Key"] for request in received]
    assert len(keys) == 3
    assert len(set(keys)) == 1
    assert received[0].headers["Authorization"] == f"Bearer {KEY}"


def test_a_repeated_change_has_one_idempotency_key_too() -> None:
    """The lines of a page have other ids after an edit, so the server must know the request again."""
    busy = httpx.Response(503, headers={"Retry-After": "0"})
    respond, received = answers(busy, httpx.Response(204), busy, httpx.Response(200, json=PROJECT))
    with client(respond) as ketav:
        ketav.delete_webhook()
        ketav.update_project("p", body=ProjectChange(name="n"))
    keys = [request.headers["Idempotency-Key"] for request in received]
    assert keys[0] == keys[1] != keys[2] == keys[3]


def test_repetitions_have_a_bound() -> None:
    """Then the error of the server or of the connection is raised."""
    busy = {"type": "urn:x", "title": "Busy", "status": 503, "detail": "The server is busy.", "code": "busy"}
    respond, received = answers(*[httpx.Response(503, json=busy, headers={"Retry-After": "0"})] * 3)
    with (
        client(respond, retries=2) as ketav,
        pytest.raises(ProblemError, match=r"^The server is busy\.$") as caught,
    ):
        ketav.livez()
    assert (caught.value.code, caught.value.status, len(received)) == ("busy", 503, 3)
    respond, received = answers(httpx.ConnectError("refused"))
    with client(respond, retries=0) as ketav, pytest.raises(ConnectionFailedError, match="KETAV_URL"):
        ketav.livez()


def test_a_refused_field_is_named_in_the_error() -> None:
    """The text has the detail and each field with its own sentence once."""
    field = {"field": "/name", "message": "The name is empty. Send a name."}
    problem = {"type": "urn:x", "title": "T", "status": 422, "detail": "A field is wrong.", "code": "invalid"}
    respond, _ = answers(httpx.Response(422, json={**problem, "errors": [field]}))
    with client(respond) as ketav, pytest.raises(ProblemError) as caught:
        ketav.create_project(body=NewProject(""))
    assert str(caught.value) == "A field is wrong.\n/name: The name is empty. Send a name."


def test_another_server_at_the_address_is_named() -> None:
    """A response that is no problem document."""
    respond, _ = answers(httpx.Response(404, text="<html>"))
    with client(respond) as ketav, pytest.raises(ProblemError, match="is that of Ketav and not of another"):
        ketav.get_readiness()


def test_a_list_is_fetched_in_parts() -> None:
    """With the cursor of each part until one has none."""
    respond, received = answers(
        httpx.Response(200, json={"projects": [PROJECT, PROJECT], "next_cursor": "c 1"}),
        httpx.Response(200, json={"projects": [PROJECT], "next_cursor": None}),
    )
    with client(respond) as ketav:
        assert len(list(ketav.projects())) == 3
    assert [request.url.params.get("cursor") for request in received] == [None, "c 1"]


def test_a_download_that_ends_early_leaves_no_file(tmp_path: Path) -> None:
    """A whole one replaces the file of that name; an error of the server does not."""

    def parts() -> Iterator[bytes]:
        """Yield a part, then lose the connection."""
        yield b"half"
        raise httpx.ReadError("lost")

    target = tmp_path / "project.pdf"
    problem = {"type": "urn:x", "title": "T", "status": 404, "detail": "There is none.", "code": "not-found"}
    respond, _ = answers(
        httpx.Response(200, content=b"whole"),
        httpx.Response(404, json=problem),
        httpx.Response(200, content=parts()),
    )
    sizes: list[int] = []
    with client(respond) as ketav:
        ketav.download(export_project("p"), target, sizes.append)
        with pytest.raises(ProblemError, match="There is none"):
            ketav.download(export_project("p"), target)
        with pytest.raises(ConnectionFailedError):
            ketav.download(export_project("p"), target)
    assert sizes == [5]
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("project.pdf", b"whole")]


def test_values_of_a_newer_server_are_passed_on() -> None:
    """A script and a field that this client does not list."""
    respond, _ = answers(httpx.Response(201, json=PROJECT | {"script": "yemenite", "colour": "red"}))
    with client(respond) as ketav:
        project = ketav.create_project(body=NewProject("n"))
    assert str(project.script) == "yemenite"
    assert project.additional_properties["colour"] == "red"


async def test_the_asynchronous_client_reads_and_lists_on_a_gateway(gateway: Gateway, tmp_path: Path) -> None:
    """Through the gateway itself, with its services in memory."""
    path = tmp_path / "page.png"
    path.write_bytes(png())
    transport = gateway.client._transport
    async with AsyncKetav("http://gateway", KEY, transport=transport) as ketav:
        reading = await ketav.read(path, name="מחברת", script="square", idempotency_key="one")
        again = await ketav.read(path, name="מחברת", script="square", idempotency_key="one")
        assert [page.image_id for page in reading.pages] == [page.image_id for page in again.pages]
        assert reading.text
        listed = [project async for project in ketav.projects()]
        assert [(project.name, project.script) for project in listed] == [("מחברת", "square")]
        images = [image async for image in ketav.images(reading.project_id)]
        assert [image.image_id for image in images] == [reading.pages[0].image_id]
        exported = await ketav.export(reading.project_id, images[0].image_id, format_="json")
        assert json.loads(exported)


async def test_an_export_is_written_by_a_job_and_downloaded(gateway: Gateway, tmp_path: Path) -> None:
    """Its changes and the parts of its file are passed on; one that fails says why and leaves no file."""
    read = (await upload(gateway.client)).json()
    target = tmp_path / "project.pdf"
    states: list[str] = []
    sizes: list[int] = []
    async with AsyncKetav("http://gateway", KEY, transport=gateway.client._transport) as ketav:
        await ketav.export_to(
            target,
            read["project_id"],
            format_="pdf",
            on_change=lambda job: states.append(job.state),
            on_bytes=sizes.append,
        )
        assert target.read_bytes().startswith(b"%PDF")
        assert (states[-1], sum(sizes)) == ("succeeded", target.stat().st_size)
        gateway.state.failures["GetProject"] = NotFound("There is no such project. List the projects.")
        with pytest.raises(KetavError, match="no such project"):
            await ketav.export_to(tmp_path / "other.pdf", read["project_id"], format_="tei")
    names = await asyncio.to_thread(
        lambda: sorted(path.name for path in tmp_path.iterdir() if path.is_file())
    )
    assert names == ["project.pdf"]


async def test_pages_that_a_job_has_stored_and_not_read_are_read_again(
    gateway: Gateway, tmp_path: Path
) -> None:
    """A page that is not stored keeps its error, and one that fails again has a new one."""
    path = tmp_path / "page.png"
    path.write_bytes(png())
    async with AsyncKetav("http://gateway", KEY, transport=gateway.client._transport) as ketav:
        read = await ketav.read(path, name="מחברת", script="square")
        image_id = read.pages[0].image_id
        failed = [
            ReadPage(image_id, None, "broken"),
            ReadPage(None, None, "too small"),
            ReadPage("x", "text"),
        ]
        unknown = ReadPage("8a7c1f0e-3a3b-4a55-9d56-0f6c7b0c9b11", None, "broken")
        again = await read_failed_pages(ketav, Reading(read.project_id, [*failed, unknown]))
    assert again.pages[:3] == [read.pages[0], *failed[1:]]
    assert again.pages[3].text is None
    assert again.pages[3].error not in {None, "broken"}


def test_the_generated_client_is_that_of_the_description(tmp_path: Path) -> None:
    """A file that differs, is missing or is left over is listed."""
    fresh = tmp_path / "generated"
    generate_client.generate_client(fresh)
    assert generate_client.stale(fresh) == []
    (fresh / "client.py").write_text("")
    (fresh / "types.py").unlink()
    (fresh / "new.py").write_text("")
    assert generate_client.stale(fresh) == ["client.py", "new.py", "types.py"]


def test_an_upload_folder_keeps_its_state_and_refuses_a_damaged_one(tmp_path: Path) -> None:
    """A text that was edited is listed; an unchanged one, and one that was deleted, are not."""
    folder = UploadFolder(tmp_path / "out", "project")
    pages = [
        WrittenPage(str(n), f"{n}.txt", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        for n in range(3)
    ]
    folder.files["book"] = ReadFile("digest", pages)
    folder.save()
    (folder.path / "0.txt").write_text("")
    (folder.path / "1.txt").write_text("edited")
    opened = UploadFolder.open(folder.path)
    assert opened == folder
    assert [page.name for page in opened.edited()] == ["1.txt"]
    assert not opened.has("book", "digest")
    (folder.path / "2.txt").write_text("")
    assert opened.has("book", "digest")
    assert not opened.has("book", "other content")
    (folder.path / "ketav.json").write_text("{")
    with pytest.raises(UploadFolderError, match=r"is damaged\. Delete it"):
        UploadFolder.open(folder.path)


def test_the_commands_of_a_server_load_no_library_of_the_client() -> None:
    """The image of the registry has none of them; a client command alone loads them."""
    program = (
        "import sys; sys.argv = ['ketav', 'admin', '--help']\n"
        "from ketav_command.main import main\n"
        "try: main()\n"
        "except SystemExit: print(sorted({'attrs', 'httpx_retries', 'ketav_client'} & set(sys.modules)))\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.endswith("[]\n"), ran.stdout


def test_a_client_command_without_its_libraries_says_what_to_install() -> None:
    """In the image of the registry, which has the commands of the server."""
    program = (
        "import sys; sys.argv = ['ketav', 'ocr', 'page.png']\n"
        "sys.modules['httpx'] = None\n"
        "from ketav_command.main import main\n"
        "main()\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert "The library httpx is not installed here. Install ketav-client" in ran.stderr
    assert "Without them there are admin, migrate, models, users." in ran.stderr
