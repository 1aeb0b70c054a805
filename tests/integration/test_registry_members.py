"""Members of projects in the registry: what each role may do, in whose name, and until when."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import (
    accounts_pb2,
    corrections_pb2,
    jobs_pb2,
    members_pb2,
    models_pb2,
    next_lines_pb2,
    pages_pb2,
    projects_pb2,
    training_pb2,
    transcriptions_pb2,
    webhooks_pb2,
)
from ketav_common import rpc
from ketav_common.errors import Forbidden, InvalidInput, KetavError, NotFound, Precondition
from ketav_registry.usecases import accounts, members
from tests.parts.jobs import create_job, get_job, next_page, read
from tests.parts.postgres import PostgresServer
from tests.parts.registry import (
    DIGEST,
    IMAGE,
    Registry,
    acting,
    claim,
    correct,
    correct_lines,
    create,
    download,
    get_project,
    list_projects,
    pages_of,
    publish,
    queue,
    read_lines,
    registry_server,
    set_member,
)

MISSING = r"has no (project|page)"
"""Part of the answer for a project that is unknown, or of other users."""
TEXTS = ("שלום עולם", "שורה שנייה", "סוף")


@pytest.fixture(scope="module")
def database(postgres: PostgresServer) -> str:
    """Return a migrated database for this module."""
    return postgres.migrated_database()


@pytest.fixture
async def registry(postgres: PostgresServer, database: str, tmp_path: Path) -> AsyncIterator[Registry]:
    """Run a registry without jobs of earlier tests."""
    await asyncio.to_thread(postgres.execute, "DELETE FROM account", database)
    async with registry_server(postgres, tmp_path, database) as running:
        yield running


@dataclass(frozen=True)
class Team:
    """A project with a read page: its owner, an editor, a viewer and a stranger."""

    registry: Registry
    owner: UUID
    editor: UUID
    viewer: UUID
    stranger: UUID
    page: pages_pb2.Page
    line_ids: list[str]

    @property
    def project_id(self) -> str:
        """The id of the project."""
        return self.page.project_id


async def new_user(registry: Registry, name: str) -> UUID:
    """Add a user whose name is known."""
    user_id, _ = await accounts.add_user(name, stores=registry.stores)
    return user_id


async def record(registry: Registry, page: pages_pb2.Page, *texts: str) -> list[page_pb2.Line]:
    """Record a reading of a page of a project as the current user; return its lines."""
    request = transcriptions_pb2.RecordTranscriptionRequest(
        project_id=page.project_id,
        page_id=page.page_id,
        model_version="hebrew_base-1",
        lines=read_lines(texts),
    )
    return list((await answer(registry.transcriptions.RecordTranscription(request))).transcription.lines)


@pytest.fixture
async def team(registry: Registry) -> Team:
    """Share a project."""
    names = ("owner", "editor", "viewer", "stranger")
    owner, editor, viewer, stranger = [await new_user(registry, name) for name in names]
    with acting(owner):
        page = (await create(registry, project_name="יומן", hand="סבתא")).page
        lines = await record(registry, page, *TEXTS)
        await set_member(registry, page.project_id, "editor", "editor")
        await set_member(registry, page.project_id, "viewer", "viewer")
    return Team(registry, owner, editor, viewer, stranger, page, [line.line_id for line in lines])


async def answer(call: Awaitable[Any]) -> Any:
    """Await a call; raises the error of the registry."""
    with rpc.raise_ketav_errors():
        return await call


Call = Callable[[Team], Awaitable[Any]]


def unary(service: str, method: str, message: Any, **fields: Any) -> Call:
    """Return a call whose request names the project, and the page where it has one."""

    async def call(team: Team) -> Any:
        """Call the method."""
        known = {"project_id": team.project_id, "page_id": team.page.page_id, "line_id": team.line_ids[0]}
        ids = {name: value for name, value in known.items() if name in message.DESCRIPTOR.fields_by_name}
        return await answer(getattr(getattr(team.registry, service), method)(message(**ids, **fields)))

    return call


async def stored_page(team: Team) -> pages_pb2.Page:
    """Return the page as the current user."""
    request = pages_pb2.GetPageRequest(project_id=team.project_id, page_id=team.page.page_id)
    with rpc.raise_ketav_errors():
        return (await team.registry.pages.GetPage(request)).page


async def edit_lines(team: Team) -> Any:
    """Delete the last line of the page."""
    stored = (await stored_page(team)).transcription
    edit = transcriptions_pb2.EditLinesRequest(
        project_id=team.project_id,
        page_id=team.page.page_id,
        transcription_id=stored.transcription_id,
        lines=[transcriptions_pb2.EditedLine(line_id=line.line_id) for line in stored.lines[:-1]],
    )
    return await answer(team.registry.transcriptions.EditLines(edit))


async def replace_image(team: Team) -> Any:
    """Replace the image of a new page."""
    page = (await create(team.registry, IMAGE[:100], project_id=team.project_id)).page
    image = page_pb2.Image(width=100, height=200, media_type="image/png", size_bytes=len(IMAGE))
    header = pages_pb2.ReplaceImageHeader(page_id=page.page_id, project_id=team.project_id, image=image)
    parts = [pages_pb2.ReplaceImageRequest(header=header), pages_pb2.ReplaceImageRequest(chunk=IMAGE)]
    return await answer(team.registry.pages.ReplaceImage(iter(parts)))


async def start_job(team: Team) -> jobs_pb2.Job:
    """Create a job over the page."""
    header = jobs_pb2.CreateJobHeader(
        page_ids=[team.page.page_id], project_id=team.project_id, request_sha256=DIGEST
    )
    with rpc.raise_ketav_errors():
        call = team.registry.jobs.CreateJob(iter([jobs_pb2.CreateJobRequest(header=header)]))
        return (await call).job


READS: dict[str, Call] = {
    "project": lambda team: get_project(team.registry, team.project_id),
    "page": unary("pages", "GetPage", pages_pb2.GetPageRequest),
    "image": lambda team: download(team.registry, team.page),
    "corrections": unary("corrections", "ListCorrections", corrections_pb2.ListCorrectionsRequest),
    "next lines": unary("next_lines", "ListNextLines", next_lines_pb2.ListNextLinesRequest),
    "search": unary("transcriptions", "SearchLines", transcriptions_pb2.SearchLinesRequest, query="שלום"),
    "members": unary("members", "ListMembers", members_pb2.ListMembersRequest),
}
EDITS: dict[str, Call] = {
    "upload": lambda team: create(team.registry, IMAGE[:50], project_id=team.project_id),
    "reading": lambda team: record(team.registry, team.page, *TEXTS),
    "turned image": replace_image,
    "correction": lambda team: correct_lines(team.registry, team.page, {team.line_ids[0]: "שלום לכולם"}),
    "edit of lines": edit_lines,
    "job": start_job,
}
OWNS: dict[str, Call] = {
    "renaming": unary("projects", "UpdateProject", projects_pb2.UpdateProjectRequest, name="אחר"),
    "deletion of a page": unary("pages", "DeletePage", pages_pb2.DeletePageRequest),
    "deletion": unary("projects", "DeleteProject", projects_pb2.DeleteProjectRequest),
    "invitation": lambda team: set_member(team.registry, team.project_id, "stranger", "viewer"),
    "revocation of links": unary("members", "RevokeLinks", members_pb2.RevokeLinksRequest),
    "removal": unary("members", "RemoveMember", members_pb2.RemoveMemberRequest, name="owner"),
}


@pytest.mark.parametrize("name", [*READS, *EDITS, *OWNS])
async def test_each_role_may_do_what_its_name_says(team: Team, name: str) -> None:
    """A viewer reads, an editor also edits, the owner does everything; for others there is no project."""
    call = (READS | EDITS | OWNS)[name]
    permitted = {team.viewer: name in READS, team.editor: name in READS or name in EDITS}
    with acting(team.stranger), pytest.raises(NotFound, match=MISSING):
        await call(team)
    for member, may in permitted.items():
        with acting(member):
            if may:
                await call(team)
                continue
            with pytest.raises(Forbidden, match=r"You are a \w+ of this project") as caught:
                await call(team)
            assert caught.value.code == "insufficient-role"
    with acting(team.owner):
        if name == "removal":
            with pytest.raises(NotFound, match="no member with this name"):
                await call(team)
        else:
            await call(team)


async def test_projects_are_listed_with_their_owner_and_the_role_of_the_caller(team: Team) -> None:
    """Own and shared ones, newest first."""
    with acting(team.editor):
        own = (await create(team.registry, project_name="שלי")).page.project_id
        listed = (await list_projects(team.registry)).projects
        project = (await get_project(team.registry, team.project_id))[0].project
    assert [(item.project_id, item.owner, item.role) for item in listed] == [
        (own, "editor", members_pb2.ROLE_OWNER),
        (team.project_id, "owner", members_pb2.ROLE_EDITOR),
    ]
    assert (project.name, project.hand, project.owner, project.role) == (
        "יומן", "סבתא", "owner", members_pb2.ROLE_EDITOR
    )  # fmt: skip
    with acting(team.owner):
        assert [
            (project.owner, project.role) for project in (await list_projects(team.registry)).projects
        ] == [("owner", members_pb2.ROLE_OWNER)]
    with acting(team.stranger):
        assert not (await list_projects(team.registry)).projects


async def test_what_a_member_adds_belongs_to_the_owner_and_corrections_name_their_author(team: Team) -> None:
    """The page, and the history of a line that two people corrected; the ground truth is the owner's."""
    with acting(team.editor):
        page = (await create(team.registry, IMAGE[:70], project_id=team.project_id)).page
        await correct_lines(team.registry, team.page, {team.line_ids[0]: "שלום לכולם"})
    with acting(team.owner):
        total = await correct_lines(team.registry, team.page, {team.line_ids[1]: "שורה שנייה"})
        await correct_lines(team.registry, team.page, {team.line_ids[0]: "שלום לך"})
    assert total == 2
    assert page.page_id in {stored.page_id for stored in await pages_of(team.registry, team.owner)}
    request = corrections_pb2.ListCorrectionsRequest(
        project_id=team.project_id, page_id=team.page.page_id, line_id=team.line_ids[0]
    )
    for reader in (team.owner, team.viewer):
        with acting(reader):
            history = (await team.registry.corrections.ListCorrections(request)).corrections
            stored = await stored_page(team)
        assert [(item.author, item.text) for item in history] == [
            ("owner", "שלום לך"), ("editor", "שלום לכולם")
        ]  # fmt: skip
        assert [line.author for line in stored.transcription.lines] == ["owner", "owner", ""]


async def test_undoing_an_edit_restores_corrections_in_the_name_of_their_author(team: Team) -> None:
    """The history also names who restored them; a second undo by another person keeps the author."""
    first = team.line_ids[2]
    request = corrections_pb2.ListCorrectionsRequest(
        project_id=team.project_id, page_id=team.page.page_id, line_id=first
    )
    undo = transcriptions_pb2.UndoLineEditRequest(project_id=team.project_id, page_id=team.page.page_id)
    with acting(team.owner):
        await correct_lines(team.registry, team.page, {first: "סוף טוב"})
    for number, (editor, undoer, name) in enumerate(
        ((team.owner, team.editor, "editor"), (team.editor, team.owner, "owner"))
    ):
        with acting(editor):
            await edit_lines(team)
        with acting(undoer):
            await answer(team.registry.transcriptions.UndoLineEdit(undo))
            history = (await team.registry.corrections.ListCorrections(request)).corrections
            line = (await stored_page(team)).transcription.lines[2]
        assert (history[0].text, history[0].author, history[0].restored_by) == ("סוף טוב", "owner", name)
        assert len(history) == 2 * number + 3
        assert history[-1].restored_by == ""
        assert (line.corrected_text, line.author) == ("סוף טוב", "owner")


async def test_an_export_by_a_member_is_in_the_audit_logs_of_member_and_owner(team: Team) -> None:
    """The owner reads the member's name; a viewer or a stranger reads nothing of it."""
    export = accounts_pb2.RecordExportRequest(project_id=team.project_id, format="pdf")
    listed = accounts_pb2.ListAuditEntriesRequest(limit=1)
    logs = {}
    with acting(team.editor):
        await answer(team.registry.accounts.RecordExport(export))
    for user in (team.owner, team.editor, team.viewer, team.stranger):
        with acting(user):
            [logs[user]] = (await team.registry.accounts.ListAuditEntries(listed)).entries
    subject = f"{team.project_id} pdf"
    of_owner, of_member = logs[team.owner], logs[team.editor]
    assert (of_owner.actor, of_owner.member, of_owner.subject) == ("member", "editor", subject)
    assert (of_member.actor, of_member.member, of_member.subject) == ("user", "", subject)
    assert {logs[user].action for user in (team.viewer, team.stranger)} == {"key.created"}


async def test_a_transaction_for_a_member_neither_sees_nor_writes_the_audit_log(team: Team) -> None:
    """Row-level security refuses it, whatever the query asks for: for each role."""
    database, project_id = team.registry.stores.database, UUID(team.project_id)
    insertion = sa.text(
        "INSERT INTO audit_entry (id, user_id, actor, action) VALUES (gen_random_uuid(), :owner, 'user', 'x')"
    )
    for member in (team.editor, team.viewer):
        async with database.project(member, project_id) as scope:
            assert not list(await scope.transaction.scalars(sa.text("SELECT id FROM audit_entry")))
            with pytest.raises(sa.exc.DBAPIError, match="row-level security"):
                await scope.transaction.execute(insertion, {"owner": team.owner})
            await scope.transaction.rollback()
    async with database.project(team.owner, project_id) as scope:
        assert list(await scope.transaction.scalars(sa.text("SELECT id FROM audit_entry")))


async def test_members_find_the_text_of_shared_projects_until_they_are_removed(team: Team) -> None:
    """Without naming a project, next to their own text; a stranger finds nothing."""

    async def hits_of(user: UUID) -> list[tuple[str, str]]:
        """Return the projects and the texts of the hits of a user."""
        request = transcriptions_pb2.SearchLinesRequest(query="שלום")
        with acting(user):
            hits = (await team.registry.transcriptions.SearchLines(request)).hits
        return [(hit.project_id, hit.line.text) for hit in hits]

    with acting(team.editor):
        own = (await create(team.registry)).page
        await record(team.registry, own, "שלום שלי")
    shared = (team.project_id, TEXTS[0])
    assert await hits_of(team.editor) == [(own.project_id, "שלום שלי"), shared]
    assert await hits_of(team.viewer) == [shared]
    assert await hits_of(team.owner) == [shared]
    assert await hits_of(team.stranger) == []
    await members.remove_member(team.owner, UUID(team.project_id), "viewer", stores=team.registry.stores)
    assert await hits_of(team.viewer) == []


async def test_a_removed_member_finds_no_project_and_their_corrections_keep_their_name(team: Team) -> None:
    """At the next call; and a member may leave."""
    with acting(team.editor):
        await correct_lines(team.registry, team.page, {team.line_ids[0]: "שלום לכולם"})
    with acting(team.owner):
        await members.remove_member(team.owner, UUID(team.project_id), "editor", stores=team.registry.stores)
        assert (await stored_page(team)).transcription.lines[0].author == "editor"
    with acting(team.editor):
        for call in (*READS.values(), *EDITS.values()):
            with pytest.raises(NotFound, match=MISSING):
                await call(team)
        assert not (await list_projects(team.registry)).projects
    leave = members_pb2.RemoveMemberRequest(project_id=team.project_id, name="viewer")
    with acting(team.viewer):
        await answer(team.registry.members.RemoveMember(leave))
        with pytest.raises(NotFound, match="has no project"):
            await get_project(team.registry, team.project_id)


async def test_a_revocation_waits_for_calls_under_way_and_later_ones_find_no_project(team: Team) -> None:
    """A call of the editor that began before ends before it; one that waits meanwhile finds nothing."""
    database, project_id = team.registry.stores.database, UUID(team.project_id)
    async with database.project(team.editor, project_id) as scope:
        revocation = asyncio.create_task(
            members.remove_member(team.owner, project_id, "editor", stores=team.registry.stores)
        )
        await asyncio.sleep(0.3)
        assert not revocation.done()
        assert scope.member_id == team.editor
        with acting(team.editor):
            waiting = asyncio.create_task(get_project(team.registry, team.project_id))
            await asyncio.sleep(0.2)
    await revocation
    with pytest.raises(NotFound, match="has no project"):
        await waiting


async def test_a_role_changes_at_once(team: Team) -> None:
    """The viewer becomes an editor, the editor a viewer; the list has the order of their invitations."""
    with acting(team.owner):
        member = await set_member(team.registry, team.project_id, "viewer", "editor")
        await set_member(team.registry, team.project_id, "editor", "viewer")
        request = members_pb2.ListMembersRequest(project_id=team.project_id)
        listed = (await team.registry.members.ListMembers(request)).members
    assert (member.name, member.role) == ("viewer", members_pb2.ROLE_EDITOR)
    assert [(item.name, item.role) for item in listed] == [
        ("editor", members_pb2.ROLE_VIEWER), ("viewer", members_pb2.ROLE_EDITOR)
    ]  # fmt: skip
    with acting(team.viewer):
        await EDITS["correction"](team)
    with acting(team.editor), pytest.raises(Forbidden):
        await EDITS["correction"](team)


@pytest.mark.parametrize(
    ("name", "role", "error", "code"),
    [
        ("nobody", "viewer", InvalidInput, "unknown-account"),
        ("", "viewer", InvalidInput, "unknown-account"),
        ("owner", "viewer", InvalidInput, "member-is-owner"),
        ("stranger", "owner", InvalidInput, "invalid-role"),
        ("stranger", "unspecified", InvalidInput, "invalid-role"),
    ],
)
async def test_an_invitation_names_another_account_and_a_role(
    team: Team, name: str, role: str, error: type[KetavError], code: str
) -> None:
    """Ownership is not given."""
    with acting(team.owner), pytest.raises(error) as caught:
        await set_member(team.registry, team.project_id, name, role)
    assert caught.value.code == code


async def test_a_project_has_a_bounded_number_of_members(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more is refused; the role of a member still changes."""
    monkeypatch.setattr(members, "MAX_MEMBERS", 2)
    with acting(team.owner):
        with pytest.raises(Precondition) as caught:
            await set_member(team.registry, team.project_id, "stranger", "viewer")
        await set_member(team.registry, team.project_id, "viewer", "editor")
    assert caught.value.code == "too-many-members"


async def test_the_keys_of_members_and_of_the_owner_are_apart(team: Team) -> None:
    """The same Idempotency-Key names different requests of different users, and one request of each."""
    pages = {}
    for number, user in enumerate((team.owner, team.editor)):
        with acting(user):
            first, again = [
                (await create(
                    team.registry, IMAGE[: 90 + number], project_id=team.project_id, request_id="key",
                    sha256=bytes([number]) * 32,
                )).page.page_id
                for _ in range(2)
            ]  # fmt: skip
        assert first == again
        pages[user] = first
    assert len(set(pages.values())) == 2


async def test_a_member_does_not_see_what_else_the_owner_has(team: Team) -> None:
    """Neither other projects nor models, runs, webhook and policy: those calls are about the member."""
    registry = team.registry
    with acting(team.owner):
        await correct(registry, 8)
    run_id = (await queue(registry, team.owner)).run_id
    version = await publish(registry, run_id, (await claim(registry, run_id)).fence)
    with acting(team.owner):
        await registry.webhooks.SetWebhook(webhooks_pb2.SetWebhookRequest(url="https://example.org/"))
        other = (await create(registry)).page
    with acting(team.editor):
        assert not (await registry.training.ListTrainingRuns(training_pb2.ListTrainingRunsRequest())).runs
        listed = (await registry.models.ListModels(models_pb2.ListModelsRequest())).versions
        assert version.model.version not in {item.model.version for item in listed}
        for call in (
            registry.webhooks.GetWebhook(webhooks_pb2.GetWebhookRequest()),
            registry.training.GetTrainingRun(training_pb2.GetTrainingRunRequest(run_id=run_id)),
        ):
            with pytest.raises(NotFound):
                await answer(call)
        with pytest.raises(NotFound):
            await download(registry, other)
        # A page of another project by the id of the shared one.
        mixed = pages_pb2.GetPageRequest(project_id=team.project_id, page_id=other.page_id)
        with pytest.raises(NotFound):
            await answer(registry.pages.GetPage(mixed))
        forged = pages_pb2.Page(project_id=team.project_id, page_id=other.page_id)
        with pytest.raises(NotFound):
            await record(registry, forged, "א")
        # The version serves the owner's own hand, and this project is of another one.
        with pytest.raises(NotFound, match="no model version"):
            await create(registry, project_id=team.project_id, model_version=version.model.version)


async def test_an_editor_reads_with_the_model_of_the_owners_hand(registry: Registry) -> None:
    """Deleting a corrected line taints it, in the name of the owner; the base serves again."""
    owner, editor = await new_user(registry, "owner"), await new_user(registry, "editor")
    with acting(owner):
        [page_id, _] = await correct(registry, 8)
        page = next(page for page in await pages_of(registry, owner) if page.page_id == page_id)
        await set_member(registry, page.project_id, "editor", "editor")
    run_id = (await queue(registry, owner)).run_id
    version = (await publish(registry, run_id, (await claim(registry, run_id)).fence)).model.version
    with acting(editor):
        assert (await create(registry, project_id=page.project_id)).model.version == version
        team = Team(registry, owner, editor, editor, editor, page, [])
        consequences = (await edit_lines(team)).consequences
        assert list(consequences.tainted_versions) == [version]
        assert (
            await create(registry, IMAGE[:60], project_id=page.project_id)
        ).model.version == "hebrew_base-1"


async def test_a_job_of_a_member_is_visible_in_the_project_and_takes_their_turn(team: Team) -> None:
    """Its rows are the owner's; the owner and the editor take turns, and a removed editor sees no job."""
    registry = team.registry
    own = await create_job(registry, team.owner, project_id=team.project_id)
    editors_job = await create_job(registry, team.editor, project_id=team.project_id)
    served = []
    for _ in range(4):
        claimed = await next_page(registry)
        assert claimed.user_id == str(team.owner)
        served.append(claimed.job_id)
        await read(registry, claimed)
    assert served == [own.job_id, editors_job.job_id] * 2
    for user in (team.owner, team.editor, team.viewer):
        assert (await get_job(registry, user, editors_job.job_id)).pages_read == 2
        with acting(user):
            listed = (await registry.jobs.ListJobs(jobs_pb2.ListJobsRequest())).jobs
        assert [job.job_id for job in listed] == [editors_job.job_id, own.job_id]
    cancel = jobs_pb2.CancelJobRequest(job_id=editors_job.job_id)
    with acting(team.viewer), pytest.raises(Forbidden):
        await answer(registry.jobs.CancelJob(cancel))
    with acting(team.stranger), pytest.raises(NotFound):
        await answer(registry.jobs.CancelJob(cancel))
    with acting(team.editor):
        assert (await answer(registry.jobs.CancelJob(cancel))).job.state == jobs_pb2.JOB_STATE_CANCELLED
    await members.remove_member(team.owner, UUID(team.project_id), "editor", stores=registry.stores)
    with pytest.raises(NotFound, match="no job"):
        await get_job(registry, team.editor, editors_job.job_id)


@pytest.mark.parametrize("removed", [False, True])
async def test_the_end_of_a_job_is_announced_to_the_member_who_created_it(
    team: Team, *, removed: bool, postgres: PostgresServer, database: str
) -> None:
    """And not to the owner; to no user when the member was removed."""
    registry = team.registry
    for user in (team.owner, team.editor):
        with acting(user):
            await registry.webhooks.SetWebhook(webhooks_pb2.SetWebhookRequest(url="https://example.org/"))
    job = await create_job(registry, team.editor, 1, project_id=team.project_id)
    if removed:
        await members.remove_member(team.owner, UUID(team.project_id), "editor", stores=registry.stores)
    await read(registry, await next_page(registry))
    query = "SELECT user_id FROM webhook_delivery WHERE job_id = $1"
    rows = await asyncio.to_thread(postgres.execute, query, database, UUID(job.job_id))
    assert [row["user_id"] for row in rows] == ([] if removed else [team.editor])


async def test_the_deletion_of_a_members_account_keeps_the_owners_pages(team: Team) -> None:
    """The corrections lose their author's name, and the name is free; the membership ends."""
    with acting(team.editor):
        await correct_lines(team.registry, team.page, {team.line_ids[0]: "שלום לכולם"})
        await team.registry.accounts.DeleteAccount(accounts_pb2.DeleteAccountRequest())
    with acting(team.owner):
        line = (await stored_page(team)).transcription.lines[0]
        listed = (
            await team.registry.members.ListMembers(
                members_pb2.ListMembersRequest(project_id=team.project_id)
            )
        ).members
    assert (line.corrected_text, line.author) == ("שלום לכולם", "")
    assert [member.name for member in listed] == ["viewer"]


async def test_the_deletion_of_the_owners_account_ends_the_project_for_its_members(team: Team) -> None:
    """Nothing of it remains in their lists."""
    with acting(team.owner):
        await team.registry.accounts.DeleteAccount(accounts_pb2.DeleteAccountRequest())
    with acting(team.editor):
        assert not (await list_projects(team.registry)).projects
        with pytest.raises(NotFound, match="has no project"):
            await get_project(team.registry, team.project_id)
