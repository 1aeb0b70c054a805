"""The gateway relies on this contract: the real registry and the registry in memory of its tests keep it."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import (
    accounts_pb2,
    corrections_pb2,
    erasure_pb2,
    ground_truth_pb2,
    jobs_pb2,
    models_pb2,
    next_lines_pb2,
    pages_pb2,
    projects_pb2,
    training_pb2,
    transcriptions_pb2,
    webhooks_pb2,
)
from ketav_common import rpc
from ketav_common.errors import Changed, Conflict, InvalidInput, KetavError, NotFound, Precondition
from ketav_gateway.http.authentication import Credential, resolve_api_key
from ketav_gateway.services import Deadlines, Services, call, connect, stream, upload
from ketav_registry.usecases import accounts
from tests.parts import registry as real
from tests.parts.identities import SIGNER
from tests.parts.in_memory import State, add_registry
from tests.parts.in_memory.training import add_run
from tests.parts.postgres import PostgresServer
from tests.parts.registry import acting

DEADLINE_S = 20.0
UNKNOWN = "00000000-0000-4000-8000-000000000000"
IMAGE = b"\x89PNG" + bytes(range(256)) * 6000  # over one chunk
TEXTS = ("שלום עולם", "שורה שנייה", "סוף")


@dataclass(frozen=True)
class Subject:
    """A registry behind the gateway's client, a way to make users with an API key, and to queue a run."""

    services: Services
    new_user: Callable[[], Awaitable[tuple[UUID, str]]]
    queue_run: Callable[[UUID], Awaitable[str]]

    async def user(self) -> UUID:
        """Return the id of a new user."""
        return (await self.new_user())[0]

    async def create(self, user: UUID, data: bytes = IMAGE, **header: Any) -> pages_pb2.CreatePageResponse:
        """Store an image."""

        async def messages() -> AsyncIterator[pages_pb2.CreatePageRequest]:
            """Yield the upload."""
            for message in real.upload(data, **header):
                yield message

        with acting(user):
            return await upload(self.services.pages.CreatePage, messages(), DEADLINE_S)

    async def record(self, user: UUID, page: pages_pb2.Page, *texts: str) -> list[page_pb2.Line]:
        """Record a reading; return the lines with their ids."""
        request = transcriptions_pb2.RecordTranscriptionRequest(
            page_id=page.page_id, model_version="hebrew_base-1", lines=real.read_lines(texts)
        )
        with acting(user):
            response = await call(self.services.transcriptions.RecordTranscription, request, DEADLINE_S)
        return list(response.transcription.lines)

    async def read_page(self, user: UUID, **header: Any) -> tuple[pages_pb2.Page, list[page_pb2.Line]]:
        """Store a page that has been read as TEXTS."""
        page = (await self.create(user, **header)).page
        return page, await self.record(user, page, *TEXTS)

    async def get_page(self, user: UUID, page: pages_pb2.Page) -> pages_pb2.Page:
        """Return a page."""
        request = pages_pb2.GetPageRequest(project_id=page.project_id, page_id=page.page_id)
        with acting(user):
            return (await call(self.services.pages.GetPage, request, DEADLINE_S)).page

    async def correct(
        self, user: UUID, page: pages_pb2.Page, *lines: corrections_pb2.LineCorrection, **fields: Any
    ) -> corrections_pb2.SubmitCorrectionsResponse:
        """Submit corrections of lines, or `corrected_text`."""
        if lines:
            fields["lines"] = corrections_pb2.LineCorrections(lines=lines)
        request = corrections_pb2.SubmitCorrectionsRequest(
            project_id=page.project_id, page_id=page.page_id, request_sha256=real.DIGEST, **fields
        )
        with acting(user):
            return await call(self.services.corrections.SubmitCorrections, request, DEADLINE_S)

    async def create_job(self, user: UUID, document: bytes = b"", **header: Any) -> jobs_pb2.Job:
        """Create a job over stored pages or a document."""

        async def messages() -> AsyncIterator[jobs_pb2.CreateJobRequest]:
            """Yield header and document."""
            fields: dict[str, Any] = {"request_sha256": real.DIGEST, "size_bytes": len(document)} | header
            yield jobs_pb2.CreateJobRequest(header=jobs_pb2.CreateJobHeader(**fields))
            if document:
                yield jobs_pb2.CreateJobRequest(chunk=document)

        with acting(user):
            return (await upload(self.services.jobs.CreateJob, messages(), DEADLINE_S)).job

    async def do(self, user: UUID, method: Any, request: Any) -> Any:
        """Call any method as a user."""
        with acting(user):
            return await call(method, request, DEADLINE_S)

    async def project(self, user: UUID, project_id: str, **fields: Any) -> list[Any]:
        """Return the messages of GetProject."""
        request = projects_pb2.GetProjectRequest(project_id=project_id, **fields)
        with acting(user):
            return [
                message async for message in stream(self.services.projects.GetProject, request, DEADLINE_S)
            ]


def line(line_id: str, text: str, *, confirm: bool = False) -> corrections_pb2.LineCorrection:
    """Return the correction of a line."""
    return corrections_pb2.LineCorrection(line_id=line_id, text=text, confirm=confirm)


def services_on(channel: Any) -> Services:
    """Return the gateway's stubs on one channel."""
    deadlines = Deadlines(DEADLINE_S, DEADLINE_S, DEADLINE_S, DEADLINE_S, DEADLINE_S)
    return connect(dict.fromkeys(("registry", "recognizer", "trainer"), channel), deadlines)


@asynccontextmanager
async def open_real(postgres: PostgresServer, database: str, folder: Path) -> AsyncIterator[Subject]:
    """Run the registry over PostgreSQL."""
    async with real.registry_server(postgres, folder, database) as registry:

        async def new_user() -> tuple[UUID, str]:
            """Add a user; return id and API key."""
            return await accounts.add_user(f"user {uuid4()}", stores=registry.stores)

        async def queue_run(user: UUID) -> str:
            """Correct enough lines and queue a run."""
            with acting(user):
                await real.correct(registry, 8)
            return (await real.queue(registry, user)).run_id

        async with rpc.channel(f"unix:{folder}/registry.sock", registry.signer) as channel:
            yield Subject(services_on(channel), new_user, queue_run)


@asynccontextmanager
async def open_in_memory(folder: Path) -> AsyncIterator[Subject]:
    """Run the registry in memory."""
    state, signer, address = State(), SIGNER, f"unix:{folder}/memory.sock"

    async def new_user() -> tuple[UUID, str]:
        """Add a user; return id and API key."""
        key = f"ktv_{uuid4().hex}"
        return UUID(state.add_key(key)), key

    async def queue_run(user: UUID) -> str:
        """Add a queued run."""
        return add_run(state.user(str(user))).run_id

    server = rpc.build_server(partial(add_registry, state), bind=address, signer=signer, service="registry")
    await server.grpc.start()
    async with rpc.channel(address, signer) as channel:
        yield Subject(services_on(channel), new_user, queue_run)
    await server.grpc.stop(0)


@pytest.fixture(scope="module")
def database(postgres: PostgresServer) -> str:
    """Return a migrated database for this module."""
    return postgres.migrated_database()


@pytest.fixture(params=["real", "in memory"])
async def registry(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Subject]:
    """Open a registry."""
    opened: AbstractAsyncContextManager[Subject] = open_in_memory(tmp_path)
    if request.param == "real":
        postgres, database = request.getfixturevalue("postgres"), request.getfixturevalue("database")
        opened = open_real(postgres, database, tmp_path)
    async with opened as subject:
        yield subject


async def refused(error: type[KetavError], code: str, awaited: Awaitable[Any]) -> None:
    """Assert that a call is refused with an error and its code."""
    with pytest.raises(error) as caught:
        await awaited
    assert (type(caught.value), caught.value.code) == (error, code)


async def test_a_key_belongs_to_its_user_until_the_account_is_deleted(registry: Subject) -> None:
    """Unknown keys are not found, and neither are those of a deleted account."""
    user, key = await registry.new_user()
    digest = hashlib.sha256(key.encode()).digest()
    assert await resolve_api_key(registry.services, Credential(digest)) == user
    await refused(NotFound, "not-found", resolve_api_key(registry.services, Credential(bytes(32))))
    page, _ = await registry.read_page(user)
    response = await registry.do(
        user, registry.services.accounts.DeleteAccount, accounts_pb2.DeleteAccountRequest()
    )
    assert (response.erasure.pages, response.erasure.lines) == (1, 3)
    await refused(NotFound, "not-found", resolve_api_key(registry.services, Credential(digest)))
    await refused(NotFound, "not-found", registry.get_page(user, page))


async def test_a_session_that_its_user_has_ended_is_not_found_and_the_key_is_served_on(
    registry: Subject,
) -> None:
    """Another session of the same key, too; ending it again changes nothing."""
    user, key = await registry.new_user()
    digest = hashlib.sha256(key.encode()).digest()
    ended, other = uuid4().bytes, uuid4().bytes
    request = accounts_pb2.EndSessionRequest(session_id=ended)
    request.expire_time.FromDatetime(datetime.now(UTC) + timedelta(hours=1))
    for _ in range(2):
        await registry.do(user, registry.services.accounts.EndSession, request)
    await refused(NotFound, "session-ended", resolve_api_key(registry.services, Credential(digest, ended)))
    assert await resolve_api_key(registry.services, Credential(digest, other)) == user
    assert await resolve_api_key(registry.services, Credential(digest)) == user


async def test_an_account_is_shown_to_its_user_with_the_key_of_the_request(registry: Subject) -> None:
    """The key of another user, and an unknown one, are not found."""
    user, key = await registry.new_user()
    get, request = registry.services.accounts.GetAccount, accounts_pb2.GetAccountRequest
    own = request(key_sha256=hashlib.sha256(key.encode()).digest())
    account = await registry.do(user, get, own)
    assert UUID(account.user_id) == user
    assert account.name
    assert len(account.key_prefix) == 8
    assert min(account.create_time.seconds, account.key_create_time.seconds) > 0
    await refused(NotFound, "not-found", registry.do(await registry.user(), get, own))
    await refused(NotFound, "not-found", registry.do(user, get, request(key_sha256=bytes(32))))


async def test_a_page_is_stored_in_a_new_project_or_in_the_named_one(registry: Subject) -> None:
    """With the script and name of the header; a project of another user is not found."""
    user, stranger = await registry.user(), await registry.user()
    created = await registry.create(user, project_name="יומן", script=page_pb2.SCRIPT_SQUARE)
    page = created.page
    assert (created.model.version, created.model.kind) == ("hebrew_base-1", page_pb2.MODEL_KIND_BASE)
    assert (page.state, page.image.width, page.image.size_bytes) == (
        pages_pb2.PAGE_STATE_STORED,
        200,
        len(IMAGE),
    )
    assert page.image.sha256 == hashlib.sha256(IMAGE).digest()
    assert not page.HasField("transcription")
    second = (await registry.create(user, IMAGE[:50], project_id=page.project_id)).page
    [project, *pages] = await registry.project(user, page.project_id)
    assert (project.project.name, project.project.script) == ("יומן", page_pb2.SCRIPT_SQUARE)
    assert [message.page.page_id for message in pages] == [page.page_id, second.page_id]
    await refused(NotFound, "not-found", registry.create(stranger, project_id=page.project_id))
    await refused(InvalidInput, "size-mismatch", registry.create(user, image={"size_bytes": 7}))


async def test_a_repeated_upload_is_one_page(registry: Subject) -> None:
    """It carries the transcription once the page was read; the key of another request is a conflict."""
    user = await registry.user()
    first = await registry.create(user, request_id="key")
    again = await registry.create(user, request_id="key")
    assert again.page.page_id == first.page.page_id
    assert not again.page.HasField("transcription")
    await registry.record(user, first.page, *TEXTS)
    read = await registry.create(user, request_id="key")
    assert [item.text for item in read.page.transcription.lines] == list(TEXTS)
    await refused(
        Conflict, "idempotency-key-reused", registry.create(user, request_id="key", sha256=bytes(32))
    )
    other = await registry.create(await registry.user(), request_id="key", sha256=bytes(32))
    assert other.page.page_id != first.page.page_id


async def test_a_page_is_read_with_a_version_of_the_user_or_a_base(registry: Subject) -> None:
    """An unknown version is not found, in an upload and in a download."""
    user = await registry.user()
    created = await registry.create(user, model_version="hebrew_base-1")
    assert created.model.version == "hebrew_base-1"
    await refused(NotFound, "not-found", registry.create(user, model_version="nobody-1"))
    header, data = await downloaded(registry, user, created.page)
    assert (header.page.page_id, header.model.version) == (created.page.page_id, "hebrew_base-1")
    assert not header.page.HasField("transcription")
    assert data == IMAGE
    await refused(NotFound, "not-found", downloaded(registry, user, created.page, "nobody-1"))
    await refused(NotFound, "not-found", downloaded(registry, await registry.user(), created.page))


async def downloaded(
    registry: Subject, user: UUID, page: pages_pb2.Page, version: str = ""
) -> tuple[pages_pb2.DownloadImageHeader, bytes]:
    """Return the header and the bytes of an image."""
    request = pages_pb2.DownloadImageRequest(
        project_id=page.project_id, page_id=page.page_id, model_version=version
    )
    with acting(user):
        method = registry.services.pages.DownloadImage
        parts = [part async for part in stream(method, request, DEADLINE_S)]
    assert all(part.WhichOneof("part") == "chunk" for part in parts[1:])
    return parts[0].header, b"".join(part.chunk for part in parts[1:])


async def test_the_latest_reading_counts(registry: Subject) -> None:
    """Its lines have ids and the page is read; another user's page is not found."""
    user = await registry.user()
    page, lines = await registry.read_page(user)
    assert len({item.line_id for item in lines}) == 3
    stored = await registry.get_page(user, page)
    assert stored.state == pages_pb2.PAGE_STATE_READ
    assert stored.transcription.model.version == "hebrew_base-1"
    assert [item.order for item in stored.transcription.lines] == [0, 1, 2]
    await registry.record(user, page, "אחרת")
    assert [item.text for item in (await registry.get_page(user, page)).transcription.lines] == ["אחרת"]
    await refused(NotFound, "not-found", registry.record(await registry.user(), page, "א"))
    await refused(NotFound, "not-found", registry.get_page(await registry.user(), page))


async def test_lists_continue_at_their_cursor(registry: Subject) -> None:
    """Projects newest first, pages oldest first; a foreign cursor is refused."""
    user = await registry.user()
    pages = [(await registry.create(user, IMAGE[: 50 + i])).page for i in range(3)]
    method, request = registry.services.projects.ListProjects, projects_pb2.ListProjectsRequest
    first = await registry.do(user, method, request(limit=2))
    rest = await registry.do(user, method, request(limit=2, cursor=first.next_cursor))
    assert [project.project_id for project in [*first.projects, *rest.projects]] == [
        page.project_id for page in reversed(pages)
    ]
    assert rest.next_cursor == ""
    await refused(InvalidInput, "invalid-cursor", registry.do(user, method, request(cursor="forged")))
    project_id = pages[0].project_id
    more = [(await registry.create(user, IMAGE[: 90 + i], project_id=project_id)).page for i in range(2)]
    parts = await registry.project(user, project_id, limit=2)
    assert [part.WhichOneof("part") for part in parts] == ["project", "page", "page", "next_cursor"]
    rest = await registry.project(user, project_id, limit=2, cursor=parts[-1].next_cursor)
    assert [part.page.page_id for part in rest[1:]] == [more[1].page_id]
    await refused(InvalidInput, "invalid-cursor", registry.project(user, project_id, cursor="forged"))
    await refused(NotFound, "not-found", registry.project(await registry.user(), project_id))


async def test_a_project_is_created_once_for_a_key_and_its_name_is_free(registry: Subject) -> None:
    """The key of another request and the name of another project are conflicts, for this user alone."""
    user, stranger = await registry.user(), await registry.user()
    projects = registry.services.projects
    request = partial(projects_pb2.CreateProjectRequest, request_id="key", request_sha256=real.DIGEST)
    square = request(name="יומן", script=page_pb2.SCRIPT_SQUARE)
    created = (await registry.do(user, projects.CreateProject, square)).project
    assert (created.name, created.script) == ("יומן", page_pb2.SCRIPT_SQUARE)
    assert created.create_time.seconds > 0
    assert (await registry.do(user, projects.CreateProject, square)).project == created
    assert [part.project for part in await registry.project(user, created.project_id)] == [created]
    page = (await registry.create(user, project_id=created.project_id)).page
    assert page.project_id == created.project_id
    refusals = {
        "idempotency-key-reused": request(name="אחר", request_sha256=bytes(32)),
        "name-taken": projects_pb2.CreateProjectRequest(name="יומן"),
    }
    for code, refused_request in refusals.items():
        await refused(Conflict, code, registry.do(user, projects.CreateProject, refused_request))
    plain = projects_pb2.CreateProjectRequest(name="יומן")
    others = (await registry.do(stranger, projects.CreateProject, plain)).project
    assert others.script == page_pb2.SCRIPT_MODERN_CURSIVE


async def test_a_project_changes_in_the_named_fields_alone(registry: Subject) -> None:
    """Not to the name of another project, and for its owner only; its own name is no conflict."""
    user = await registry.user()
    projects, update = registry.services.projects, projects_pb2.UpdateProjectRequest
    names = ("ראשון", "שני")
    first, second = [
        (
            await registry.do(user, projects.CreateProject, projects_pb2.CreateProjectRequest(name=name))
        ).project
        for name in names
    ]
    script = update(project_id=first.project_id, script=page_pb2.SCRIPT_RASHI)
    changed = (await registry.do(user, projects.UpdateProject, script)).project
    assert (changed.name, changed.script) == (names[0], page_pb2.SCRIPT_RASHI)
    name = update(project_id=first.project_id, name="שלישי")
    changed = (await registry.do(user, projects.UpdateProject, name)).project
    assert (changed.name, changed.script) == ("שלישי", page_pb2.SCRIPT_RASHI)
    assert (await registry.project(user, first.project_id))[0].project == changed
    for unchanged in (update(project_id=first.project_id), name):
        assert (await registry.do(user, projects.UpdateProject, unchanged)).project == changed
    same_name = update(project_id=second.project_id, name="שלישי")
    await refused(Conflict, "name-taken", registry.do(user, projects.UpdateProject, same_name))
    await refused(NotFound, "not-found", registry.do(await registry.user(), projects.UpdateProject, name))


async def test_a_project_gets_a_hand_of_its_script(registry: Subject) -> None:
    """When it is created and later; the hand of another script is refused, an empty name is the own hand."""
    user = await registry.user()
    projects, update = registry.services.projects, projects_pb2.UpdateProjectRequest
    request = projects_pb2.CreateProjectRequest(name="א", hand="דודה", script=page_pb2.SCRIPT_RASHI)
    first = (await registry.do(user, projects.CreateProject, request)).project
    assert (first.hand, first.script) == ("דודה", page_pb2.SCRIPT_RASHI)
    request = projects_pb2.CreateProjectRequest(name="ב", hand="דודה")
    second = (await registry.do(user, projects.CreateProject, request)).project
    assert (second.hand, second.script) == ("דודה", page_pb2.SCRIPT_RASHI)
    own = update(project_id=first.project_id, hand="")
    assert (await registry.do(user, projects.UpdateProject, own)).project.hand == ""
    square = update(project_id=first.project_id, script=page_pb2.SCRIPT_SQUARE)
    assert (await registry.do(user, projects.UpdateProject, square)).project.hand == ""
    aunt = update(project_id=first.project_id, hand="דודה")
    await refused(InvalidInput, "hand-script", registry.do(user, projects.UpdateProject, aunt))
    both = update(project_id=first.project_id, hand="דודה", script=page_pb2.SCRIPT_RASHI)
    changed = (await registry.do(user, projects.UpdateProject, both)).project
    assert (changed.hand, changed.script, changed.name) == ("דודה", page_pb2.SCRIPT_RASHI, "א")


async def test_corrections_are_shown_on_the_page(registry: Subject) -> None:
    """Lines by id; the number of verified lines; the same request twice is one."""
    user = await registry.user()
    page, lines = await registry.read_page(user)
    response = await registry.correct(user, page, line(lines[1].line_id, "שורה אחרת"), request_id="key")
    assert (response.accepted_lines, response.ground_truth_lines) == (1, 1)
    assert not response.unaligned
    assert not response.quarantined
    stored = (await registry.get_page(user, page)).transcription.lines
    assert [item.corrected_text if item.HasField("corrected_text") else None for item in stored] == [
        None,
        "שורה אחרת",
        None,
    ]
    again = await registry.correct(user, page, line(lines[1].line_id, "שורה אחרת"), request_id="key")
    assert again.feedback_id == response.feedback_id


async def test_a_correction_is_refused_if_the_line_has_changed_since(registry: Subject) -> None:
    """Nothing is stored; a line without a correction has an empty id, a withdrawal has one, too."""
    user = await registry.user()
    page, lines = await registry.read_page(user)
    first = lines[0]

    async def correct_seen(text: str, seen: str) -> str:
        """Correct the first line as a client that has seen this correction; return the new one."""
        item = line(first.line_id, text)
        item.seen_correction_id = seen
        await registry.correct(user, page, item)
        return (await registry.get_page(user, page)).transcription.lines[0].correction_id

    assert first.correction_id == ""
    one = await correct_seen("שלום לכולם", "")
    assert UUID(one)
    await refused(Changed, "line-changed", correct_seen("שלום לך", ""))
    assert (await registry.get_page(user, page)).transcription.lines[0].corrected_text == "שלום לכולם"
    two = await correct_seen("שלום לכם", one)
    assert two != one
    withdraw = corrections_pb2.WithdrawCorrectionRequest(
        project_id=page.project_id, page_id=page.page_id, line_id=first.line_id
    )
    await registry.do(user, registry.services.corrections.WithdrawCorrection, withdraw)
    await refused(Changed, "line-changed", correct_seen("שלום לנו", two))
    await registry.correct(user, page, line(first.line_id, "שלום לי"))


async def edit(registry: Subject, user: UUID, page: pages_pb2.Page, *items: Any) -> list[page_pb2.Line]:
    """Edit the lines of a page as its user sees them; return the lines of the page after it."""
    seen = (await registry.get_page(user, page)).transcription
    request = transcriptions_pb2.EditLinesRequest(
        project_id=page.project_id,
        page_id=page.page_id,
        transcription_id=seen.transcription_id,
        lines=items,
    )
    await registry.do(user, registry.services.transcriptions.EditLines, request)
    return list((await registry.get_page(user, page)).transcription.lines)


def box(top: int, text: str = "") -> page_pb2.Line:
    """Return a new line at a height."""
    corners = [(10, top), (90, top), (90, top + 10), (10, top + 10)]
    return page_pb2.Line(
        baseline=[page_pb2.Point(x=x, y=y) for x, y in corners[1::-1]],
        boundary=[page_pb2.Point(x=x, y=y) for x, y in corners],
        text=text,
    )


def stays(remaining: page_pb2.Line) -> transcriptions_pb2.EditedLine:
    """Return a line of an edit that stays as it is."""
    return transcriptions_pb2.EditedLine(line_id=remaining.line_id)


async def test_edited_lines_are_another_transcription_and_the_others_keep_their_corrections(
    registry: Subject,
) -> None:
    """In the order of the request, by the same model; undoing returns to the lines before, also twice."""
    user = await registry.user()
    page, lines = await registry.read_page(user)
    await registry.correct(user, page, line(lines[0].line_id, "שלום לכולם"))
    added = transcriptions_pb2.EditedLine(new_line=box(500, "חדש"))
    one = await edit(registry, user, page, *map(stays, reversed(lines)), added)
    assert [item.text for item in one] == [*(item.text for item in reversed(lines)), "חדש"]
    assert one[len(lines) - 1].corrected_text == "שלום לכולם"
    edited = (await registry.get_page(user, page)).transcription
    assert edited.edited
    assert edited.model.version == "hebrew_base-1"
    two = await edit(registry, user, page, *map(stays, one[:-1]))
    assert len(two) == len(lines)
    undo = transcriptions_pb2.UndoLineEditRequest(project_id=page.project_id, page_id=page.page_id)
    for expected in (one, lines):
        await registry.do(user, registry.services.transcriptions.UndoLineEdit, undo)
        restored = (await registry.get_page(user, page)).transcription
        assert [item.text for item in restored.lines] == [item.text for item in expected]
    assert not restored.edited
    assert restored.lines[0].corrected_text == "שלום לכולם"
    undoing = registry.do(user, registry.services.transcriptions.UndoLineEdit, undo)
    await refused(Precondition, "nothing-to-undo", undoing)


async def test_a_merged_line_has_the_text_that_its_lines_decide(registry: Subject) -> None:
    """It counts as corrected, and undoing the merge corrects the lines again."""
    user = await registry.user()
    page, lines = await registry.read_page(user)
    await registry.correct(user, page, line(lines[0].line_id, "שלום לכולם"))
    await registry.correct(user, page, line(lines[1].line_id, "ועוד שורה"))
    merged = transcriptions_pb2.EditedLine(
        new_line=box(500, "שלום לכולם ועוד שורה"),
        corrected_text="שלום לכולם ועוד שורה",
        replaced_line_ids=[lines[0].line_id, lines[1].line_id],
    )
    after = await edit(registry, user, page, merged, *map(stays, lines[2:]))
    assert after[0].verified_text == "שלום לכולם ועוד שורה"
    await edit(registry, user, page, *map(stays, after[1:]))
    undo = transcriptions_pb2.UndoLineEditRequest(project_id=page.project_id, page_id=page.page_id)
    await registry.do(user, registry.services.transcriptions.UndoLineEdit, undo)
    [merged_again, *_] = (await registry.get_page(user, page)).transcription.lines
    assert merged_again.verified_text == "שלום לכולם ועוד שורה"
    await registry.do(user, registry.services.transcriptions.UndoLineEdit, undo)
    restored = (await registry.get_page(user, page)).transcription.lines
    assert [item.verified_text for item in restored[:2]] == ["שלום לכולם", "ועוד שורה"]


async def test_a_repeated_edit_of_lines_is_stored_once(registry: Subject) -> None:
    """Also two at the same time; the same key for another request is a conflict, of each user alone."""
    user = await registry.user()
    page, lines = await registry.read_page(user)
    service = registry.services.transcriptions
    names: dict[str, Any] = {"project_id": page.project_id, "page_id": page.page_id}
    seen = (await registry.get_page(user, page)).transcription.transcription_id
    for left in (2, 1):
        key: dict[str, Any] = {"request_id": f"edit {left}", "request_sha256": real.DIGEST}
        find = transcriptions_pb2.FindLineEditRequest(**names, **key)
        assert not (await registry.do(user, service.FindLineEdit, find)).found
        request = transcriptions_pb2.EditLinesRequest(
            **names, **key, transcription_id=seen, lines=map(stays, lines[:left])
        )
        edits = (registry.do(user, service.EditLines, request) for _ in range(2))
        await asyncio.gather(*edits)
        assert (await registry.do(user, service.FindLineEdit, find)).found
        after = (await registry.get_page(user, page)).transcription
        lines, seen = list(after.lines), after.transcription_id
        assert len(lines) == left
    key = {"request_id": "undo", "request_sha256": real.DIGEST}
    undo = transcriptions_pb2.UndoLineEditRequest(**names, **key)
    await asyncio.gather(*(registry.do(user, service.UndoLineEdit, undo) for _ in range(2)))
    assert len((await registry.get_page(user, page)).transcription.lines) == 2
    other: dict[str, Any] = {"request_id": "undo", "request_sha256": hashlib.sha256(b"other").digest()}
    for method, reused in (
        (service.UndoLineEdit, transcriptions_pb2.UndoLineEditRequest(**names, **other)),
        (service.FindLineEdit, transcriptions_pb2.FindLineEditRequest(**names, **other)),
        (service.EditLines, transcriptions_pb2.EditLinesRequest(**names, **other, transcription_id=seen)),
    ):
        await refused(Conflict, "idempotency-key-reused", registry.do(user, method, reused))
    stranger = registry.do(await registry.user(), service.UndoLineEdit, undo)
    await refused(NotFound, "not-found", stranger)


async def test_edits_that_fit_no_page_are_refused(registry: Subject) -> None:
    """Unknown and repeated lines, a page that has changed since, and a page of another user."""
    user = await registry.user()
    page, lines = await registry.read_page(user)
    unknown = transcriptions_pb2.EditedLine(line_id=str(uuid4()))
    await refused(InvalidInput, "unknown-line", edit(registry, user, page, unknown))
    twice = edit(registry, user, page, stays(lines[0]), stays(lines[0]))
    await refused(InvalidInput, "duplicate-line", twice)
    await edit(registry, user, page, *map(stays, lines))
    stale = transcriptions_pb2.EditLinesRequest(
        project_id=page.project_id, page_id=page.page_id, transcription_id=str(uuid4())
    )
    edit_lines = registry.services.transcriptions.EditLines
    await refused(Changed, "lines-changed", registry.do(user, edit_lines, stale))
    await refused(NotFound, "not-found", registry.do(await registry.user(), edit_lines, stale))


async def test_an_empty_correction_is_quarantined(registry: Subject) -> None:
    """It is stored and shown with its reason, and does not count as ground truth."""
    user = await registry.user()
    page, lines = await registry.read_page(user)
    response = await registry.correct(user, page, line(lines[0].line_id, ""))
    assert (response.accepted_lines, response.ground_truth_lines) == (1, 0)
    [quarantined] = response.quarantined
    assert (quarantined.line_id, quarantined.quarantine.code) == (lines[0].line_id, "empty-text")
    assert quarantined.quarantine.reason
    stored = (await registry.get_page(user, page)).transcription.lines[0]
    assert stored.HasField("corrected_text")
    assert stored.quarantine.code == "empty-text"


async def test_a_whole_text_is_aligned_to_the_lines(registry: Subject) -> None:
    """A text without a line and a line without a text are reported."""
    user = await registry.user()
    page, lines = await registry.read_page(user)
    text = f"{TEXTS[0]}!\nקזקזקזקזקז\n{TEXTS[1]}!"
    response = await registry.correct(user, page, corrected_text=text)
    assert response.accepted_lines == 2
    assert {(item.text, item.line_id) for item in response.unaligned} == {
        ("קזקזקזקזקז", ""),
        ("", lines[2].line_id),
    }
    assert all(item.reason for item in response.unaligned)


async def test_corrections_that_fit_no_page_are_refused(registry: Subject) -> None:
    """A foreign line, a line twice, a page that was not read, a page of another user."""
    user = await registry.user()
    page, lines = await registry.read_page(user)
    unread = (await registry.create(user, IMAGE[:60])).page
    twice = (line(lines[0].line_id, "א"), line(lines[0].line_id, "ב"))
    await refused(InvalidInput, "unknown-line", registry.correct(user, page, line(UNKNOWN, "א")))
    await refused(InvalidInput, "duplicate-line", registry.correct(user, page, *twice))
    await refused(Precondition, "page-not-read", registry.correct(user, unread, line(UNKNOWN, "א")))
    stranger = await registry.user()
    await refused(NotFound, "not-found", registry.correct(stranger, page, line(lines[0].line_id, "א")))


def new_line(text: str, top: int = 0) -> ground_truth_pb2.KnownLine:
    """Return a line of an import."""
    box = ((10, top), (190, top), (190, top + 30), (10, top + 30))
    return ground_truth_pb2.KnownLine(
        baseline=[page_pb2.Point(x=10, y=top + 10), page_pb2.Point(x=190, y=top + 10)],
        boundary=[page_pb2.Point(x=x, y=y) for x, y in box],
        text=text,
    )


async def imported(
    registry: Subject, user: UUID, project_id: str, *lines: ground_truth_pb2.KnownLine, **fields: Any
) -> ground_truth_pb2.ImportGroundTruthResponse:
    """Import an image with lines."""
    data = IMAGE[:500]
    image = page_pb2.Image(width=200, height=100, media_type="image/png", size_bytes=len(data))
    header = ground_truth_pb2.ImportGroundTruthHeader(
        project_id=project_id, layout=page_pb2.LAYOUT_PAGE, image=image, lines=lines, **fields
    )

    async def messages() -> AsyncIterator[ground_truth_pb2.ImportGroundTruthRequest]:
        """Yield the import."""
        yield ground_truth_pb2.ImportGroundTruthRequest(header=header)
        yield ground_truth_pb2.ImportGroundTruthRequest(chunk=data)

    with acting(user):
        return await upload(registry.services.ground_truth.ImportGroundTruth, messages(), DEADLINE_S)


async def test_an_import_is_a_page_with_corrected_lines(registry: Subject) -> None:
    """No model has read it; the same image again is the same page, and only a new text is stored."""
    user = await registry.user()
    project_id = (await registry.create(user)).page.project_id
    lines = (new_line("שלום"), new_line("עולם", 40))
    first = await imported(registry, user, project_id, *lines)
    assert (first.imported_lines, first.ground_truth_lines) == (2, 2)
    stored = await registry.get_page(user, pages_pb2.Page(project_id=project_id, page_id=first.page_id))
    assert not stored.transcription.HasField("model")
    assert [item.corrected_text for item in stored.transcription.lines] == ["שלום", "עולם"]
    again = await imported(registry, user, project_id, *lines)
    assert (again.page_id, again.imported_lines, again.ground_truth_lines) == (first.page_id, 0, 2)
    changed = await imported(registry, user, project_id, new_line("שלום"), new_line("אחר", 40))
    assert (changed.page_id, changed.imported_lines) == (first.page_id, 1)
    await refused(NotFound, "not-found", imported(registry, await registry.user(), project_id, *lines))


async def test_the_key_of_an_import_belongs_to_one_request(registry: Subject) -> None:
    """Sent again it gets the first response; with another digest it is a conflict."""
    user = await registry.user()
    project_id = (await registry.create(user)).page.project_id
    key = {"request_id": "import:1:0", "request_sha256": real.DIGEST}
    first = await imported(registry, user, project_id, new_line("שלום"), **key)
    again = await imported(registry, user, project_id, new_line("שלום"), **key)
    assert (again.page_id, again.imported_lines) == (first.page_id, 1)
    other = key | {"request_sha256": bytes(32)}
    await refused(
        Conflict, "idempotency-key-reused", imported(registry, user, project_id, new_line("א"), **other)
    )


async def test_what_is_deleted_is_counted_and_not_found_afterwards(registry: Subject) -> None:
    """Pages, lines of all readings, corrections; models and runs are not touched without one."""
    user, stranger = await registry.user(), await registry.user()
    page, lines = await registry.read_page(user)
    await registry.correct(user, page, line(lines[0].line_id, "שלום לך"))
    await registry.record(user, page, "אחרת")
    second = (await registry.create(user, IMAGE[:70], project_id=page.project_id)).page
    ids = {"project_id": page.project_id, "page_id": page.page_id}
    delete_page = partial(
        registry.do, method=registry.services.pages.DeletePage, request=pages_pb2.DeletePageRequest(**ids)
    )
    await refused(NotFound, "not-found", delete_page(stranger))
    assert (await delete_page(user)).erasure == erasure_pb2.Erasure(pages=1, lines=4, corrections=1)
    await refused(NotFound, "not-found", delete_page(user))
    delete_project = partial(
        registry.do,
        method=registry.services.projects.DeleteProject,
        request=projects_pb2.DeleteProjectRequest(project_id=page.project_id),
    )
    await refused(NotFound, "not-found", delete_project(stranger))
    assert (await delete_project(user)).erasure == erasure_pb2.Erasure(pages=1)
    await refused(NotFound, "not-found", delete_project(user))
    await refused(NotFound, "not-found", registry.get_page(user, second))


async def test_a_queued_run_is_shown_and_cancelled_at_once(registry: Subject) -> None:
    """A run that has ended cannot be cancelled; another user's run is not found."""
    user = await registry.user()
    run_id = await registry.queue_run(user)
    training = registry.services.training
    get = training_pb2.GetTrainingRunRequest(run_id=run_id)
    run = (await registry.do(user, training.GetTrainingRun, get)).run
    assert (run.run_id, run.state) == (run_id, training_pb2.TRAINING_RUN_STATE_QUEUED)
    assert not run.HasField("cer_base")
    cancel = training_pb2.CancelTrainingRunRequest(run_id=run_id)
    ended = (await registry.do(user, training.CancelTrainingRun, cancel)).run
    assert (ended.state, ended.cancel_requested) == (training_pb2.TRAINING_RUN_STATE_CANCELLED, True)
    assert ended.revision > run.revision
    await refused(Precondition, "run-ended", registry.do(user, training.CancelTrainingRun, cancel))
    stranger = await registry.user()
    await refused(NotFound, "not-found", registry.do(stranger, training.GetTrainingRun, get))
    await refused(NotFound, "not-found", registry.do(stranger, training.CancelTrainingRun, cancel))


async def test_a_job_is_made_of_a_document_or_of_stored_pages(registry: Subject) -> None:
    """In a new project or the one of the pages; a repeated request gets the first job."""
    user = await registry.user()
    book: dict[str, Any] = {"page_count": 2, "project_name": "Book", "request_id": "a"}
    of_document = await registry.create_job(user, b"%PDF-1.7", **book)
    assert (of_document.state, of_document.revision) == (jobs_pb2.JOB_STATE_QUEUED, 1)
    assert [(page.position, page.page_id) for page in of_document.pages] == [(1, ""), (2, "")]
    again = await registry.create_job(user, b"%PDF-1.7", **book)
    assert again.job_id == of_document.job_id
    page = (await registry.create(user, IMAGE[:80], project_id=of_document.project_id)).page
    ids: dict[str, Any] = {"project_id": page.project_id, "page_ids": [page.page_id]}
    of_page = await registry.create_job(user, **ids)
    assert [(item.position, item.page_id) for item in of_page.pages] == [(1, page.page_id)]
    other_sha256: dict[str, Any] = {"request_id": "a", "request_sha256": b"x" * 32}
    await refused(Conflict, "idempotency-key-reused", registry.create_job(user, **ids, **other_sha256))
    stranger = await registry.user()
    await refused(NotFound, "not-found", registry.create_job(stranger, **ids))
    await refused(NotFound, "not-found", registry.create_job(user, **ids, model_version="none-1"))
    headers: list[dict[str, Any]] = [{}, {"page_count": 301}, ids | {"page_ids": [page.page_id] * 2}]
    for header in headers:
        await refused(InvalidInput, "invalid-job", registry.create_job(user, **header))


async def test_a_job_is_shown_listed_and_cancelled_by_its_user(registry: Subject) -> None:
    """With its pages or without; one that has ended cannot be cancelled."""
    user, stranger = await registry.user(), await registry.user()
    created = [(await registry.create_job(user, b"%PDF-1.7", page_count=1)).job_id for _ in range(3)]
    jobs = registry.services.jobs
    get = jobs_pb2.GetJobRequest(job_id=created[0])
    assert len((await registry.do(user, jobs.GetJob, get)).job.pages) == 1
    without = jobs_pb2.GetJobRequest(job_id=created[0], without_pages=True)
    assert not (await registry.do(user, jobs.GetJob, without)).job.pages
    first = await registry.do(user, jobs.ListJobs, jobs_pb2.ListJobsRequest(limit=2))
    rest = await registry.do(user, jobs.ListJobs, jobs_pb2.ListJobsRequest(limit=2, cursor=first.next_cursor))
    assert [job.job_id for job in [*first.jobs, *rest.jobs]] == created[::-1]
    assert not rest.next_cursor
    cancel = jobs_pb2.CancelJobRequest(job_id=created[0])
    for method, request in ((jobs.GetJob, get), (jobs.CancelJob, cancel)):
        await refused(NotFound, "not-found", registry.do(stranger, method, request))
    ended = (await registry.do(user, jobs.CancelJob, cancel)).job
    assert (ended.state, ended.cancel_requested) == (jobs_pb2.JOB_STATE_CANCELLED, True)
    assert ended.revision > 1
    await refused(Precondition, "job-ended", registry.do(user, jobs.CancelJob, cancel))
    [page] = (await registry.do(user, jobs.GetJob, get)).job.pages
    assert page.state == jobs_pb2.JOB_PAGE_STATE_CANCELLED


async def test_runs_are_listed_newest_first(registry: Subject) -> None:
    """Only the caller's own; the list continues at its cursor."""
    user = await registry.user()
    training, request = registry.services.training, training_pb2.ListTrainingRunsRequest
    nothing = await registry.do(user, training.ListTrainingRuns, request())
    assert (list(nothing.runs), nothing.next_cursor) == ([], "")
    runs = []
    for _ in range(3):
        runs.append(await registry.queue_run(user))
        cancel = training_pb2.CancelTrainingRunRequest(run_id=runs[-1])
        await registry.do(user, training.CancelTrainingRun, cancel)
    first = await registry.do(user, training.ListTrainingRuns, request(limit=2))
    rest = await registry.do(user, training.ListTrainingRuns, request(cursor=first.next_cursor))
    assert [run.run_id for run in [*first.runs, *rest.runs]] == runs[::-1]
    assert rest.next_cursor == ""
    assert {run.state for run in first.runs} == {training_pb2.TRAINING_RUN_STATE_CANCELLED}
    assert not (await registry.do(await registry.user(), training.ListTrainingRuns, request())).runs
    forged = request(cursor="forged")
    await refused(InvalidInput, "invalid-cursor", registry.do(user, training.ListTrainingRuns, forged))


async def test_a_project_is_shown_without_transcriptions(registry: Subject) -> None:
    """The same pages in the same parts."""
    user = await registry.user()
    page, _ = await registry.read_page(user)
    await registry.create(user, IMAGE[:70], project_id=page.project_id)
    parts = await registry.project(user, page.project_id, limit=1, without_transcriptions=True)
    assert [part.WhichOneof("part") for part in parts] == ["project", "page", "next_cursor"]
    assert parts[1].page.state == pages_pb2.PAGE_STATE_READ
    assert not parts[1].page.HasField("transcription")
    [_, whole, _] = await registry.project(user, page.project_id, limit=1)
    assert whole.page.HasField("transcription")


async def test_readiness_counts_the_lines_of_a_script(registry: Subject) -> None:
    """Modern cursive without any line; a script by its name; quarantined lines are counted apart."""
    user = await registry.user()
    method, request = registry.services.training.GetReadiness, training_pb2.GetReadinessRequest
    [nothing] = (await registry.do(user, method, request())).scripts
    assert (nothing.script, nothing.verified_lines) == (page_pb2.SCRIPT_MODERN_CURSIVE, 0)
    assert nothing.missing_lines == nothing.next_run_lines == 16
    assert nothing.wait_reason == training_pb2.WAIT_REASON_TOO_FEW_LINES
    assert nothing.reason
    assert nothing.expected_gain.source
    page, lines = await registry.read_page(user, script=page_pb2.SCRIPT_SQUARE)
    await registry.correct(user, page, line(lines[0].line_id, "שלום לך"), line(lines[1].line_id, ""))
    response = await registry.do(user, method, request())
    [square] = response.scripts
    assert (square.script, square.verified_lines, square.quarantined_lines) == (page_pb2.SCRIPT_SQUARE, 1, 1)
    assert square.missing_lines == 15
    assert (response.active_run_id, bool(response.policy_text)) == ("", True)
    [rashi] = (await registry.do(user, method, request(script=page_pb2.SCRIPT_RASHI))).scripts
    assert (rashi.script, rashi.verified_lines) == (page_pb2.SCRIPT_RASHI, 0)


async def test_a_policy_is_kept_for_its_user(registry: Subject) -> None:
    """Automatic by default; a gap over a week is refused."""
    user = await registry.user()
    training = registry.services.training
    get = training_pb2.GetTrainingPolicyRequest()
    default = (await registry.do(user, training.GetTrainingPolicy, get)).policy
    assert (default.automatic, default.minimum_gap_seconds) == (True, 300)
    policy = training_pb2.TrainingPolicy(automatic=False, minimum_gap_seconds=0)
    changed = training_pb2.SetTrainingPolicyRequest(policy=policy)
    assert (await registry.do(user, training.SetTrainingPolicy, changed)).policy == policy
    assert (await registry.do(user, training.GetTrainingPolicy, get)).policy == policy
    assert (await registry.do(await registry.user(), training.GetTrainingPolicy, get)).policy == default
    policy.minimum_gap_seconds = 604_801
    too_long = training_pb2.SetTrainingPolicyRequest(policy=policy)
    await refused(InvalidInput, "invalid-gap", registry.do(user, training.SetTrainingPolicy, too_long))


async def test_the_base_serves_a_user_without_a_version(registry: Subject) -> None:
    """It is listed, shown and activated; an unknown version is not found."""
    user = await registry.user()
    models = registry.services.models
    listed = await registry.do(user, models.ListModels, models_pb2.ListModelsRequest())
    [base] = listed.versions
    assert (base.model.version, base.state) == ("hebrew_base-1", models_pb2.MODEL_STATE_ACTIVE)
    assert (base.script, base.parent_version, base.card_json, listed.next_cursor) == (0, "", "", "")
    record = await registry.do(user, models.GetModel, models_pb2.GetModelRequest(version="hebrew_base-1"))
    assert (record.version.model, list(record.lineage)) == (base.model, [])
    activate = models_pb2.ActivateModelRequest(version="hebrew_base-1")
    activated = await registry.do(user, models.ActivateModel, activate)
    assert activated.version.state == models_pb2.MODEL_STATE_ACTIVE
    for method, request in (
        (models.GetModel, models_pb2.GetModelRequest(version="nobody-1")),
        (models.ActivateModel, models_pb2.ActivateModelRequest(version="nobody-1")),
    ):
        await refused(NotFound, "not-found", registry.do(user, method, request))


async def test_progress_compares_first_readings_with_corrections(registry: Subject) -> None:
    """Edits by length, by page and, in the first part, by version; a script without pages has none."""
    user = await registry.user()
    pages = [await registry.read_page(user, data=IMAGE[: 50 + i]) for i in range(2)]
    for page, lines in pages:
        await registry.correct(user, page, line(lines[0].line_id, "שלום עלם"))
    method, request = registry.services.models.ListModelProgress, models_pb2.ListModelProgressRequest
    first = await registry.do(user, method, request(limit=1))
    [newest] = first.pages
    assert newest.page_id == pages[1][0].page_id
    assert (newest.errors.lines, newest.errors.edits, newest.errors.length) == (1, 1, 8)
    [version] = first.versions
    assert (version.pages, version.errors.edits, version.errors.length) == (2, 2, 16)
    assert first.versions_complete
    rest = await registry.do(user, method, request(limit=1, cursor=first.next_cursor))
    assert ([page.page_id for page in rest.pages], rest.next_cursor) == ([pages[0][0].page_id], "")
    assert not rest.versions
    assert not (await registry.do(user, method, request(script=page_pb2.SCRIPT_RASHI))).pages
    await refused(InvalidInput, "invalid-cursor", registry.do(user, method, request(cursor="forged")))


async def test_next_lines_are_the_uncorrected_ones(registry: Subject) -> None:
    """With their number, at most as many as asked for; another user's project is not found."""
    user = await registry.user()
    page, lines = await registry.read_page(user)
    await registry.correct(user, page, line(lines[1].line_id, "שורה אחרת"))
    method, request = registry.services.next_lines.ListNextLines, next_lines_pb2.ListNextLinesRequest
    listed = await registry.do(user, method, request(project_id=page.project_id))
    assert {item.line_id for item in listed.lines} == {lines[0].line_id, lines[2].line_id}
    assert listed.candidates == 2
    for item in listed.lines:
        assert (item.page_id, item.text) == (page.page_id, TEXTS[item.order])
        assert 0 <= item.uncertainty <= 1
        assert item.reason
    one = await registry.do(user, method, request(project_id=page.project_id, limit=1))
    assert (len(one.lines), one.candidates) == (1, 2)
    stranger = await registry.user()
    await refused(NotFound, "not-found", registry.do(stranger, method, request(project_id=page.project_id)))


async def test_a_webhook_belongs_to_its_user(registry: Subject) -> None:
    """Set with a secret, shown with its deliveries, tested once for a key, deleted."""
    user, stranger = await registry.user(), await registry.user()
    webhooks = registry.services.webhooks
    get, test = webhooks_pb2.GetWebhookRequest(), webhooks_pb2.TestWebhookRequest(request_id="key")
    requests = (
        (webhooks.GetWebhook, get),
        (webhooks.TestWebhook, test),
        (webhooks.DeleteWebhook, webhooks_pb2.DeleteWebhookRequest()),
    )
    url = "https://example.org/hook"
    created = await registry.do(user, webhooks.SetWebhook, webhooks_pb2.SetWebhookRequest(url=url))
    assert created.secret.startswith("whsec_")
    assert (created.webhook.url, created.webhook.disabled_reason) == (url, "")
    for method, request in requests:
        await refused(NotFound, "no-webhook", registry.do(stranger, method, request))
    delivery_id = (await registry.do(user, webhooks.TestWebhook, test)).delivery_id
    assert (await registry.do(user, webhooks.TestWebhook, test)).delivery_id == delivery_id
    [delivery] = (await registry.do(user, webhooks.GetWebhook, get)).webhook.deliveries
    assert (delivery.delivery_id, delivery.event) == (delivery_id, "webhook.test")
    assert (delivery.state, delivery.attempts) == (webhooks_pb2.DELIVERY_STATE_WAITING, 0)
    await registry.do(user, *requests[2])
    for method, request in requests:
        await refused(NotFound, "no-webhook", registry.do(user, method, request))
    http = webhooks_pb2.SetWebhookRequest(url="http://example.org/hook")
    await refused(InvalidInput, "invalid-url", registry.do(user, webhooks.SetWebhook, http))
