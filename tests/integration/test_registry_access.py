"""The matrix of RPCs, identities and objects: a row for each RPC of the contracts, a cell for each identity.

A foreign object is answered byte for byte like an unknown and a deleted one. Row-level security alone answers
so, too: with the application's own filters by user left out of each query.
"""

import hashlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import grpc
import pytest
import sqlalchemy as sa
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message_factory import GetMessageClass
from grpc_status import rpc_status
from sqlalchemy.sql import operators, visitors

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import (
    accounts_pb2,
    corrections_pb2,
    ground_truth_pb2,
    jobs_pb2,
    members_pb2,
    models_pb2,
    next_lines_pb2,
    pages_pb2,
    projects_pb2,
    training_pb2,
    transcriptions_pb2,
)
from ketav_common import rpc
from ketav_gateway.services import DESCRIPTORS
from ketav_registry.usecases import accounts
from tests.architecture.test_internal_calls import documented
from tests.parts import registry as parts
from tests.parts.jobs_exports import create_export, finish, next_export
from tests.parts.postgres import PostgresServer
from tests.parts.registry import IMAGE, Registry, acting, registry_server

METHODS = {method.name: method for service in DESCRIPTORS["registry"] for method in service.methods}
ROLES = {name: set(roles.split(", ")) for name, roles in documented("registry")}
SERVICES = ("gateway", "recognizer", "trainer")


UNKNOWN = str(uuid4())


@dataclass(frozen=True)
class Objects:
    """The ids of a user's objects, one of each kind."""

    user_id: UUID
    key_sha256: bytes
    project_id: str
    page_id: str
    transcription_id: str
    line_id: str
    job_id: str
    run_id: str
    version: str
    export_id: str = UNKNOWN
    member: str = "nobody"

    @property
    def page(self) -> dict[str, Any]:
        """Return the fields that name the page."""
        return {"project_id": self.project_id, "page_id": self.page_id}


def unknown() -> Objects:
    """Return ids that no object has."""
    project, page, transcription, line, job, run = (str(uuid4()) for _ in range(6))
    version = "u-0123456789ab-1"
    return Objects(uuid4(), bytes(32), project, page, transcription, line, job, run, version)


def edited_lines(ids: Objects) -> transcriptions_pb2.EditLinesRequest:
    """Return an edit that leaves one line."""
    lines = [transcriptions_pb2.EditedLine(line_id=ids.line_id)]
    return transcriptions_pb2.EditLinesRequest(**ids.page, transcription_id=ids.transcription_id, lines=lines)


def correction(ids: Objects) -> corrections_pb2.SubmitCorrectionsRequest:
    """Return a correction of the line."""
    line = corrections_pb2.LineCorrection(line_id=ids.line_id, text="שלום")
    return corrections_pb2.SubmitCorrectionsRequest(
        **ids.page, lines=corrections_pb2.LineCorrections(lines=[line])
    )


def stored_image(ids: Objects) -> list[pages_pb2.ReplaceImageRequest]:
    """Return the messages that replace the image of a page."""
    image = page_pb2.Image(width=200, height=100, media_type="image/png", size_bytes=len(IMAGE))
    header = pages_pb2.ReplaceImageHeader(page_id=ids.page_id, image=image)
    return [pages_pb2.ReplaceImageRequest(header=header), pages_pb2.ReplaceImageRequest(chunk=IMAGE)]


def imported(ids: Objects) -> list[ground_truth_pb2.ImportGroundTruthRequest]:
    """Return the messages of an import into the project."""
    image = page_pb2.Image(width=200, height=100, media_type="image/png", size_bytes=len(IMAGE))
    [read] = parts.read_lines(["שלום"])
    line = ground_truth_pb2.KnownLine(baseline=read.baseline, boundary=read.boundary, text=read.text)
    header = ground_truth_pb2.ImportGroundTruthHeader(project_id=ids.project_id, image=image, lines=[line])
    message = ground_truth_pb2.ImportGroundTruthRequest
    return [message(header=header), message(chunk=IMAGE)]


def created_job(ids: Objects) -> list[jobs_pb2.CreateJobRequest]:
    """Return the message of a job over the page."""
    header = jobs_pb2.CreateJobHeader(project_id=ids.project_id, page_ids=[ids.page_id])
    return [jobs_pb2.CreateJobRequest(header=header)]


def recorded(ids: Objects) -> transcriptions_pb2.RecordTranscriptionRequest:
    """Return a reading of the page."""
    return transcriptions_pb2.RecordTranscriptionRequest(
        page_id=ids.page_id, model_version="hebrew_base-1", lines=parts.read_lines(["שלום"])
    )


ROWS: dict[str, Callable[[Objects], Any]] = {
    "GetAccount": lambda ids: accounts_pb2.GetAccountRequest(key_sha256=ids.key_sha256),
    "RecordExport": lambda ids: accounts_pb2.RecordExportRequest(project_id=ids.project_id, format="txt"),
    "GetProject": lambda ids: projects_pb2.GetProjectRequest(project_id=ids.project_id),
    "DownloadExport": lambda ids: jobs_pb2.DownloadExportRequest(job_id=ids.export_id),
    "CreateExport": lambda ids: jobs_pb2.CreateExportRequest(project_id=ids.project_id, format="txt"),
    "UpdateProject": lambda ids: projects_pb2.UpdateProjectRequest(project_id=ids.project_id, name="x"),
    "CreatePage": lambda ids: [*parts.upload(IMAGE, project_id=ids.project_id)],
    "ReplaceImage": stored_image,
    "GetPage": lambda ids: pages_pb2.GetPageRequest(**ids.page),
    "DownloadImage": lambda ids: pages_pb2.DownloadImageRequest(**ids.page),
    "FindLineEdit": lambda ids: transcriptions_pb2.FindLineEditRequest(**ids.page, request_id="x"),
    "SearchLines": lambda ids: transcriptions_pb2.SearchLinesRequest(project_id=ids.project_id, query="שלום"),
    "SubmitCorrections": correction,
    "ListCorrections": lambda ids: corrections_pb2.ListCorrectionsRequest(**ids.page, line_id=ids.line_id),
    "WithdrawCorrection": lambda ids: corrections_pb2.WithdrawCorrectionRequest(
        **ids.page, line_id=ids.line_id
    ),
    "EditLines": edited_lines,
    "UndoLineEdit": lambda ids: transcriptions_pb2.UndoLineEditRequest(**ids.page),
    "RecordTranscription": recorded,
    "ImportGroundTruth": imported,
    "ListNextLines": lambda ids: next_lines_pb2.ListNextLinesRequest(project_id=ids.project_id),
    "CreateJob": created_job,
    "GetJob": lambda ids: jobs_pb2.GetJobRequest(job_id=ids.job_id),
    "CancelJob": lambda ids: jobs_pb2.CancelJobRequest(job_id=ids.job_id),
    "GetTrainingRun": lambda ids: training_pb2.GetTrainingRunRequest(run_id=ids.run_id),
    "CancelTrainingRun": lambda ids: training_pb2.CancelTrainingRunRequest(run_id=ids.run_id),
    "GetModel": lambda ids: models_pb2.GetModelRequest(version=ids.version),
    "ActivateModel": lambda ids: models_pb2.ActivateModelRequest(version=ids.version),
    "ListMembers": lambda ids: members_pb2.ListMembersRequest(project_id=ids.project_id),
    "CheckRole": lambda ids: members_pb2.CheckRoleRequest(project_id=ids.project_id),
    "SetMember": lambda ids: members_pb2.SetMemberRequest(
        project_id=ids.project_id, name=ids.member, role=members_pb2.ROLE_VIEWER
    ),
    "RemoveMember": lambda ids: members_pb2.RemoveMemberRequest(project_id=ids.project_id, name=ids.member),
    "RevokeLinks": lambda ids: members_pb2.RevokeLinksRequest(project_id=ids.project_id),
    "DeletePage": lambda ids: pages_pb2.DeletePageRequest(**ids.page),
    "DeleteProject": lambda ids: projects_pb2.DeleteProjectRequest(project_id=ids.project_id),
}
"""The RPCs of users that name an object, in an order in which the owner may call them all."""
WITHOUT_OBJECT = {
    *(
        "DeleteAccount",
        "EndSession",
        "ListProjects",
        "CreateProject",
        "ListJobs",
        "CreateTrainingRun",
    ),
    *("ListTrainingRuns", "GetReadiness", "GetTrainingPolicy", "SetTrainingPolicy", "GetUserModel"),
    *(
        "ListAuditEntries",
        "RenameHand",
        "ListModels",
        "ListModelProgress",
        "SetWebhook",
        "GetWebhook",
        "DeleteWebhook",
        "TestWebhook",
    ),
}
"""The RPCs of users about all objects of the caller, or none: what they return is in `test_lists_…`."""
LISTS: dict[str, Any] = {
    "ListProjects": projects_pb2.ListProjectsRequest(),
    "ListJobs": jobs_pb2.ListJobsRequest(),
    "ListAuditEntries": accounts_pb2.ListAuditEntriesRequest(limit=100),
    "ListTrainingRuns": training_pb2.ListTrainingRunsRequest(),
    "ListModels": models_pb2.ListModelsRequest(),
    "ListModelProgress": models_pb2.ListModelProgressRequest(),
    "SearchLines": transcriptions_pb2.SearchLinesRequest(query="שלום", limit=100),
}


def test_each_rpc_of_the_registry_has_a_row() -> None:
    """A new one needs a row about whose objects it is, or an entry that it is about none."""
    of_users = {name for name, roles in ROLES.items() if "user" in roles}
    assert METHODS.keys() == ROLES.keys()
    assert of_users == ROWS.keys() | WITHOUT_OBJECT
    named = {name for name in of_users if _names_an_object(METHODS[name])}
    assert named <= ROWS.keys()


def _names_an_object(method: MethodDescriptor) -> bool:
    """Return whether the request of a method, or its header, has the id of an object."""
    messages = [method.input_type, *(field.message_type for field in method.input_type.fields)]
    names = {field.name for message in messages if message is not None for field in message.fields}
    return bool(names & {"project_id", "page_id", "line_id", "job_id", "run_id", "version"})


async def outcome(channel: Any, name: str, request: Any) -> tuple[str, str, bytes]:
    """Call an RPC and return its code, its sentence and its details; the response of a success."""
    method = METHODS[name]
    sides = (method.client_streaming, method.server_streaming)
    kind = "_".join("stream" if streams else "unary" for streams in sides)
    call = getattr(channel, kind)(
        f"/{method.containing_service.full_name}/{name}",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=None,
    )
    sent = iter(request) if method.client_streaming else request
    try:
        answer = call(sent, timeout=30)
        if method.server_streaming:
            return "OK", "", b"".join([part async for part in answer])
        return "OK", "", await answer
    except grpc.aio.AioRpcError as error:
        status = rpc_status.from_call(error)
        details = b"" if status is None else status.details[0].SerializeToString(deterministic=True)
        return error.code().name, error.details() or "", details


def _empty(name: str) -> Any:
    """Return the empty request of a method."""
    message = GetMessageClass(METHODS[name].input_type)()
    return [message] if METHODS[name].client_streaming else message


async def make_objects(registry: Registry, name: str) -> Objects:
    """Create a user with one object of each kind."""
    user_id, key = await accounts.add_user(f"{name} {uuid4()}", stores=registry.stores)
    with acting(user_id):
        await parts.correct(registry, 16, pages=1)
    run_id = (await parts.queue(registry, user_id)).run_id
    version = await parts.publish(registry, run_id, (await parts.claim(registry, run_id)).fence)
    with acting(user_id):
        page = (await parts.create(registry)).page
        reading = await parts.record(registry, page, "שלום", "לכולם")
        ids = Objects(
            user_id,
            hashlib.sha256(key.encode()).digest(),
            page.project_id,
            page.page_id,
            reading.transcription_id,
            reading.lines[0].line_id,
            "",
            run_id,
            version.model.version,
        )
        await registry.corrections.SubmitCorrections(correction(ids))
        job = (await registry.jobs.CreateJob(iter(created_job(ids)))).job
    member = f"member {uuid4()}"
    await accounts.add_user(member, stores=registry.stores)
    export = await create_export(registry, user_id, ids.project_id)
    await finish(registry, await next_export(registry))
    return replace(ids, job_id=job.job_id, export_id=export.job_id, member=member)


@contextmanager
def without_filters(registry: Registry) -> Iterator[list[str]]:
    """Leave comparisons of `user_id` with a value out of each query; yield the tables that had some."""
    left_out: list[str] = []

    def is_filter(element: Any) -> bool:
        """Return whether an element compares the owner of a row with a value."""
        return (
            isinstance(element, sa.BinaryExpression)
            and element.operator is operators.eq
            and getattr(element.left, "name", "") == "user_id"
            and isinstance(element.right, sa.BindParameter)
        )

    def rewrite(
        _connection: Any, query: Any, many: Any, parameters: Any, _options: Any
    ) -> tuple[Any, Any, Any]:
        """Replace the filters of a query by a condition that is always true."""

        def replaced(element: Any, **_: Any) -> Any:
            """Return the condition for a filter."""
            if is_filter(element):
                left_out.append(str(getattr(element.left.table, "name", "")))
                return sa.true()
            return None

        if isinstance(query, sa.ClauseElement) and not isinstance(query, sa.TextClause):
            query = visitors.replacement_traverse(query, {}, replaced)
        return query, many, parameters

    logins = registry.stores.database._logins
    engines = (logins.user.sync_engine, logins.system.sync_engine)
    for engine in engines:
        sa.event.listen(engine, "before_execute", rewrite, retval=True)
    try:
        yield left_out
    finally:
        for engine in engines:
            sa.event.remove(engine, "before_execute", rewrite)


@pytest.fixture
async def registry(postgres: PostgresServer, tmp_path: Path) -> AsyncIterator[Registry]:
    """Run a registry on a database of its own."""
    async with registry_server(postgres, tmp_path, postgres.migrated_database()) as running:
        yield running


@asynccontextmanager
async def channel_of(registry: Registry, folder: Path) -> AsyncIterator[Any]:
    """Open a channel that signs the caller's identity, if there is one."""
    async with rpc.channel(f"unix:{folder}/registry.sock", registry.signer) as channel:
        yield channel


async def test_each_rpc_is_for_its_roles_alone(registry: Registry, tmp_path: Path) -> None:
    """Without an identity none is served; users call none of the services', services none of each other's.

    A user is a person of the REST API or of the command line: there is no role with more rights.
    """
    admitted = {}
    async with channel_of(registry, tmp_path) as channel:
        for name, roles in ROLES.items():
            code, _, _ = await outcome(channel, name, _empty(name))
            admitted[name, "anonymous"] = code != "UNAUTHENTICATED"
            for role in {"user", *SERVICES} - roles:
                with acting(uuid4() if role == "user" else None, role):
                    code, _, _ = await outcome(channel, name, _empty(name))
                refusals = {"PERMISSION_DENIED"} | ({"INVALID_ARGUMENT"} if "user" in roles else set())
                admitted[name, role] = code not in refusals
    assert [cell for cell, is_admitted in admitted.items() if is_admitted] == []
    assert len(admitted) > 3 * len(METHODS)


@pytest.mark.parametrize("filters", [True, False], ids=["filters", "row-level-security-alone"])
async def test_a_foreign_object_is_answered_like_an_unknown_one(
    registry: Registry, tmp_path: Path, *, filters: bool
) -> None:
    """NOT_FOUND with the same bytes, for each RPC with an object, also one of a user who is deleted."""
    owner, other = [await make_objects(registry, name) for name in ("owner", "other")]
    deleted = await make_objects(registry, "deleted")
    with acting(deleted.user_id):
        await registry.accounts.DeleteAccount(accounts_pb2.DeleteAccountRequest())
    wrong, left_out = {}, []
    async with channel_of(registry, tmp_path) as channel:
        for name, request in ROWS.items():
            with acting(other.user_id):
                if filters:
                    cells = [
                        await outcome(channel, name, request(ids)) for ids in (unknown(), owner, deleted)
                    ]
                else:
                    with without_filters(registry) as tables:
                        cells = [await outcome(channel, name, request(ids)) for ids in (unknown(), owner)]
                    left_out += tables
            if len(set(cells)) != 1 or cells[0][0] != "NOT_FOUND":
                wrong[name] = cells
    assert wrong == {}
    assert filters or {"project", "page", "job", "training_run", "model_version"} <= set(left_out)


@pytest.mark.parametrize("filters", [True, False], ids=["filters", "row-level-security-alone"])
async def test_lists_have_the_objects_of_the_caller_alone(
    registry: Registry, tmp_path: Path, *, filters: bool
) -> None:
    """No id of another user is in any of them."""
    owner, other = [await make_objects(registry, name) for name in ("owner", "other")]
    async with channel_of(registry, tmp_path) as channel:
        for name, request in LISTS.items():
            with acting(other.user_id):
                if filters:
                    code, _, response = await outcome(channel, name, request)
                else:
                    with without_filters(registry):
                        code, _, response = await outcome(channel, name, request)
            assert code == "OK"
            ids = (owner.job_id, owner.export_id, owner.run_id, owner.version)
            for value in (owner.project_id, owner.page_id, *ids):
                assert value.encode() not in response, name


async def test_the_owner_is_served_by_each_row(registry: Registry, tmp_path: Path) -> None:
    """So that the rows above are refused for the caller, not for the request."""
    owner = await make_objects(registry, "owner")
    missing = []
    async with channel_of(registry, tmp_path) as channel:
        for name, request in ROWS.items():
            with acting(owner.user_id):
                code, sentence, _ = await outcome(channel, name, request(owner))
            if code in {"NOT_FOUND", "INTERNAL", "UNKNOWN", "INVALID_ARGUMENT", "PERMISSION_DENIED"}:
                missing.append((name, code, sentence))
    assert missing == []
