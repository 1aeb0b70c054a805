"""The README and the command of the client on a whole system: read, continue, correct, train, export."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest
from PIL import Image

from tests.e2e.local_system import LocalSystem, boxes

README = Path(__file__).resolve().parents[2] / "client/README.md"
PAGES = 30
"""Images of an interrupted reading: so many that it goes on for a second or two after the first one."""
KETAV = Path(sys.executable).with_name("ketav")


def examples(language: str) -> list[str]:
    """Return the examples of the client's README in a language."""
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


def environment(system: LocalSystem, folder: Path) -> dict[str, str]:
    """Return the environment of a user of the system, without a stored key and with `ketav` on PATH."""
    own = {
        "KETAV_URL": f"http://127.0.0.1:{system.port}",
        "KETAV_API_KEY": system.api_key,
        "KETAV_CONFIG": str(folder / "config.toml"),
        "PATH": f"{KETAV.parent}{os.pathsep}{os.environ['PATH']}",
    }
    return {**os.environ, **own}


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    """Return a folder with three images of 8 to 10 lines: enough to train."""
    folder = tmp_path / "pages"
    folder.mkdir()
    for number in (1, 2, 3):
        (folder / f"{number:03}.png").write_bytes(boxes(number + 7))
    return folder


def run(system: LocalSystem, folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder with the user's environment."""
    return subprocess.run(
        command,
        cwd=folder,
        env=environment(system, folder),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_the_commands_of_the_readme_read_correct_train_and_export(system: LocalSystem, pages: Path) -> None:
    """They are run as printed, in one shell."""
    [commands] = examples("sh")
    ran = run(system, pages.parent, "bash", "-euo", "pipefail", "-c", commands)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    texts = pages.parent / "texts"
    assert "3 files are read, 0 failed." in ran.stderr
    assert "3 edited pages are sent, 0 of them need another look." in ran.stderr
    assert {path.name for path in texts.glob("001.*")} == {"001.txt", "001.alto.xml"}
    assert re.search(r"^(Promoted|Rejected): \S", ran.stderr, re.MULTILINE), ran.stderr
    assert (pages.parent / "letters.pdf").read_bytes().startswith(b"%PDF-")
    project = json.loads((texts / "ketav.json").read_text())["project_id"]
    exported = run(system, pages.parent, str(KETAV), "export", project, "--format", "page", "--out", ".")
    assert exported.returncode == 0, exported.stderr
    with ZipFile(pages.parent / f"{project}.zip") as archive:
        contents = [archive.read(name).decode() for name in archive.namelist()]
    corrected = (texts / "001.txt").read_text().splitlines()[0]
    assert corrected.startswith("ש")
    assert len(contents) == 3
    assert any(corrected in content for content in contents)


@pytest.mark.parametrize("number", [0, 1])
def test_the_python_examples_of_the_readme_run(system: LocalSystem, pages: Path, number: int) -> None:
    """The synchronous and the asynchronous one."""
    ran = run(system, pages.parent, sys.executable, "-c", examples("python")[number])
    assert ran.returncode == 0, ran.stderr
    assert len(ran.stdout.splitlines()) >= 8
    assert number == 1 or "not-found What the request names does not exist" in ran.stdout, ran.stdout


@pytest.fixture
def _interruptible() -> Iterator[None]:
    """Make Ctrl-C interrupt the commands of the test, also when the tests run as a background job."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_interruptible")
def test_an_interrupted_reading_continues_and_reads_no_page_twice(
    system: LocalSystem, tmp_path: Path
) -> None:
    """Ctrl-C ends it with status 130; the repetition reads the rest, and the project has each page once."""
    images = tmp_path / "images"
    images.mkdir()
    for number in range(PAGES):
        (images / f"{number:02}.png").write_bytes(boxes(2 + number % 3, seed=number, width=600 + number))
    command = [str(KETAV), "ocr", str(images), "--out", "interrupted", "--parallel", "1"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment(system, tmp_path), stderr=subprocess.PIPE
    ) as first:
        while not list(tmp_path.glob("interrupted/*.txt")):
            assert first.poll() is None, first.communicate()
            time.sleep(0.02)
        first.send_signal(signal.SIGINT)
        _, printed = first.communicate(timeout=30)
    assert first.returncode == 130, printed
    assert b"run the command again to continue" in printed
    done = len(list(tmp_path.glob("interrupted/*.txt")))
    assert done < PAGES
    second = run(system, tmp_path, *command)
    assert second.returncode == 0, second.stderr
    project = json.loads((tmp_path / "interrupted/ketav.json").read_text())["project_id"]
    with system.client() as client:
        listed = client.get(f"/projects/{project}", params={"limit": 100}).json()["images"]
    assert len(listed) == PAGES
    assert len(list(tmp_path.glob("interrupted/*.txt"))) == PAGES


def test_a_document_is_read_by_a_job_into_a_text_for_each_page(system: LocalSystem, tmp_path: Path) -> None:
    """A repetition follows the same job: the project has each page once."""
    pages = [Image.open(io.BytesIO(boxes(lines))).convert("RGB") for lines in (2, 3, 4)]
    pages[0].save(tmp_path / "book.pdf", save_all=True, append_images=pages[1:], resolution=72)
    for _ in range(2):
        ran = run(system, tmp_path, str(KETAV), "ocr", "book.pdf", "--out", "document")
        assert ran.returncode == 0, ran.stderr
        texts = sorted((tmp_path / "document").glob("*.txt"))
        assert [path.name for path in texts] == ["book-001.txt", "book-002.txt", "book-003.txt"]
        assert [len(path.read_text().splitlines()) for path in texts] == [2, 3, 4]
        texts[0].unlink()
    project = json.loads((tmp_path / "document/ketav.json").read_text())["project_id"]
    with system.client() as client:
        assert len(client.get(f"/projects/{project}").json()["images"]) == 3
        jobs = client.get("/jobs/").json()["jobs"]
        assert [job["kind"] for job in jobs if job["project_id"] == project] == ["reading"]


def test_a_repeated_reading_leaves_an_edited_text_as_it_is(system: LocalSystem, tmp_path: Path) -> None:
    """Another text of the document is missing, so it is read again; the edited one is still to be sent."""
    images = [Image.open(io.BytesIO(boxes(count))) for count in (2, 3)]
    images[0].save(tmp_path / "book.pdf", save_all=True, append_images=images[1:])
    command = (str(KETAV), "ocr", "book.pdf", "--out", "texts", "--name", "Edited")
    assert run(system, tmp_path, *command).returncode == 0
    (tmp_path / "texts/book-001.txt").write_text("שלום\nעולם")
    (tmp_path / "texts/book-002.txt").unlink()
    again = run(system, tmp_path, *command)
    assert "you have edited it" in again.stdout + again.stderr
    assert (tmp_path / "texts/book-001.txt").read_text() == "שלום\nעולם"
    assert (tmp_path / "texts/book-002.txt").exists()
    corrected = run(system, tmp_path, str(KETAV), "correct", "texts")
    assert "1 edited pages" in corrected.stdout + corrected.stderr


def test_a_refusal_is_printed_in_the_words_of_the_server(system: LocalSystem, tmp_path: Path) -> None:
    """A file that is no image: status 1, its name and the sentences; the other file is read."""
    (tmp_path / "bad.png").write_bytes(b"no image")
    (tmp_path / "good.png").write_bytes(boxes(2))
    ran = run(system, tmp_path, str(KETAV), "ocr", "bad.png", "good.png", "--out", "refused")
    assert ran.returncode == 1
    assert re.search(r"^bad\.png: [A-Z].*\.$", ran.stderr, re.MULTILINE), ran.stderr
    assert [path.name for path in (tmp_path / "refused").glob("*.txt")] == ["good.txt"]
    again = run(system, tmp_path, str(KETAV), "ocr", "good.png", "--out", "elsewhere", "--name", "refused")
    assert (again.returncode, "--project" in again.stderr) == (2, True), again.stderr


def test_a_stored_key_is_used_and_readable_by_its_owner_alone(system: LocalSystem, tmp_path: Path) -> None:
    """`ketav login` checks the key before it stores it; a wrong one is refused and not stored."""
    env = environment(system, tmp_path)
    for name in ("KETAV_API_KEY", "KETAV_URL"):
        del env[name]
    url = f"http://127.0.0.1:{system.port}"
    without = subprocess.run([KETAV, "projects"], env=env, capture_output=True, text=True, check=False)
    assert (without.returncode, "ketav login" in without.stderr) == (2, True)
    wrong = subprocess.run(
        [KETAV, "login", "--url", url, "--key", "ktv_wrong"],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert wrong.returncode == 1, wrong.stderr
    assert not Path(env["KETAV_CONFIG"]).exists()
    subprocess.run(
        [KETAV, "login", "--url", url, "--key", system.api_key], env=env, check=True, capture_output=True
    )
    assert Path(env["KETAV_CONFIG"]).stat().st_mode & 0o777 == 0o600
    subprocess.run([KETAV, "projects"], env=env, check=True, capture_output=True)


def test_a_server_that_does_not_answer_is_named_with_status_3(tmp_path: Path, system: LocalSystem) -> None:
    """The sentence has the address; the commands of the server work without any server."""
    env = environment(system, tmp_path) | {"KETAV_URL": "http://127.0.0.1:9"}
    ran = subprocess.run(
        [KETAV, "projects"], env=env, capture_output=True, text=True, check=False, timeout=60
    )
    assert ran.returncode == 3
    assert "The server at http://127.0.0.1:9 did not answer" in ran.stderr
    helped = subprocess.run([KETAV, "admin", "--help"], env=env, capture_output=True, text=True, check=True)
    assert "Operate a Ketav system" in helped.stdout
