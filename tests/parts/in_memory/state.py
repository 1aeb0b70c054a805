"""The state of the services in memory: users with their data, recorded calls, failures to inject."""

import hashlib
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from google.protobuf.timestamp_pb2 import Timestamp

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import (
    accounts_pb2,
    erasure_pb2,
    jobs_pb2,
    members_pb2,
    models_pb2,
    pages_pb2,
    projects_pb2,
    training_pb2,
    transcriptions_pb2,
    webhooks_pb2,
)
from ketav_common import context
from ketav_common.errors import Conflict, Forbidden, InvalidInput, KetavError, NotFound
from ketav_registry.convert.common import invalid_cursor

TIME = Timestamp(seconds=1_760_000_000)
BASE = page_pb2.Model(
    version="hebrew_base-1", kind=page_pb2.MODEL_KIND_BASE, sha256=b"\x5a" * 32, size_bytes=7_000_000
)
EMPTY_TEXT = page_pb2.Quarantine(code="empty-text", reason="The line has no text. Confirm that it has none.")
_CURSOR = "after-"


@dataclass
class StoredPage:
    """A page with its image, the texts read on it, and the history of its lines: None is a withdrawal."""

    message: pages_pb2.Page
    image: bytes
    first_reading: list[page_pb2.Line] = field(default_factory=list)
    history: dict[str, list[str | None]] = field(default_factory=dict)
    recorded_lines: int = 0
    edits: list[transcriptions_pb2.Transcription] = field(default_factory=list)
    corrections: int = 0

    def lines(self) -> list[page_pb2.Line]:
        """Return the lines of the latest transcription."""
        return list(self.message.transcription.lines)


@dataclass
class User:
    """The data of one user; a dictionary keeps the order of insertion."""

    user_id: str
    projects: dict[str, projects_pb2.Project] = field(default_factory=dict)
    pages: dict[str, StoredPage] = field(default_factory=dict)
    runs: dict[str, training_pb2.TrainingRun] = field(default_factory=dict)
    jobs: dict[str, jobs_pb2.Job] = field(default_factory=dict)
    exports: dict[str, jobs_pb2.ClaimedExport] = field(default_factory=dict)
    """Exports that no gateway has claimed, by the ids of their jobs."""
    results: dict[str, bytes] = field(default_factory=dict)
    versions: dict[str, models_pb2.ModelVersion] = field(default_factory=dict)
    policy: training_pb2.TrainingPolicy = field(
        default_factory=lambda: training_pb2.TrainingPolicy(automatic=True, minimum_gap_seconds=300)
    )
    webhook: webhooks_pb2.Webhook | None = None
    audit: list[accounts_pb2.AuditEntry] = field(default_factory=list)
    responses: dict[str, tuple[bytes, Any]] = field(default_factory=dict)
    links: dict[str, int] = field(default_factory=dict)
    """How often the links to each project were revoked."""
    members: dict[str, dict[str, members_pb2.Member]] = field(default_factory=dict)
    """Of each project, by the ids of the users."""

    @property
    def name(self) -> str:
        """The name of the account."""
        return f"user {self.user_id}"

    def project(self, project_id: str) -> projects_pb2.Project:
        """Return a project; raises NotFound."""
        if project_id not in self.projects:
            raise NotFound("This account has no project with this id. List the projects with GET /projects/.")
        return self.projects[project_id]

    def page(self, project_id: str, page_id: str) -> StoredPage:
        """Return a page of a project; raises NotFound."""
        self.project(project_id)
        stored = self.pages.get(page_id)
        if stored is None or stored.message.project_id != project_id:
            raise NotFound("This project has no page with this id. List its pages.")
        return stored

    def require_hand(self, name: str) -> None:
        """Raise InvalidInput if a name is not empty and no project's hand has it."""
        if name and name not in {project.hand for project in self.projects.values()}:
            raise InvalidInput(
                "This account has no hand with this name. List the projects.",
                code="unknown-hand",
                details={"pointer": "/hand"},
            )

    def script_of(self, hand: str) -> page_pb2.Script.ValueType:
        """Return the script of a hand, modern cursive for a new one."""
        projects = [project for project in self.projects.values() if hand and project.hand == hand]
        return projects[0].script if projects else page_pb2.SCRIPT_MODERN_CURSIVE

    def check_script(self, hand: str, script: page_pb2.Script.ValueType) -> None:
        """Raise InvalidInput if a hand with projects has another script; 0 is any."""
        known = any(hand and project.hand == hand for project in self.projects.values())
        if known and script not in {0, self.script_of(hand)}:
            raise InvalidInput(
                "The hand has another script. Name another hand.",
                code="hand-script",
                details={"pointer": "/hand"},
            )

    def pages_of(self, project_id: str) -> list[StoredPage]:
        """Return the pages of a project, oldest first."""
        return [stored for stored in self.pages.values() if stored.message.project_id == project_id]

    def repeated(self, method: str, request_id: str, sha256: bytes) -> Any:
        """Return the first response to a repeated request, else None; raises Conflict for a reused key."""
        known_sha256, response = self.responses.get(f"{method} {request_id}", (sha256, None))
        if request_id and known_sha256 != sha256:
            raise Conflict(
                "The Idempotency-Key was used for a different request. Use a new key.",
                code="idempotency-key-reused",
            )
        return response if request_id else None

    def remember(self, method: str, request_id: str, sha256: bytes, response: Any) -> None:
        """Store the response to a request with an Idempotency-Key."""
        if request_id:
            self.responses[f"{method} {request_id}"] = (sha256, response)

    def ground_truth_lines(self) -> int:
        """Return the number of corrected lines that are not quarantined."""
        lines = [line for stored in self.pages.values() for line in stored.lines()]
        return sum(line.HasField("verified_text") for line in lines)


@dataclass
class State:
    """All users, what the services were asked, and what a test makes of them.

    `failures` has the error of a method that fails; `recognize_s` is the time of a recognition in seconds;
    `turn` the degrees by which the recognizer turns images whose direction it may detect;
    `sent_image_bytes` counts what DownloadImage has sent; `quarantined_texts` are quarantined in
    addition to the empty text; `erasure` has the consequences of a deletion for models and runs, which these
    services do not compute.
    """

    users: dict[str, User] = field(default_factory=dict)
    exporters: dict[str, set[str]] = field(default_factory=dict)
    """The exports that each user has created."""
    ended_sessions: set[bytes] = field(default_factory=set)
    keys: dict[bytes, str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    requests: list[Any] = field(default_factory=list)
    failures: dict[str, KetavError] = field(default_factory=dict)
    recognize_s: float = 0.0
    turn: int = 0
    sent_image_bytes: int = 0
    quarantined_texts: set[str] = field(default_factory=set)
    erasure: erasure_pb2.Erasure = field(default_factory=erasure_pb2.Erasure)

    def add_key(self, key: str) -> str:
        """Add a user with this API key; return the user's id."""
        user_id = str(uuid4())
        self.keys[hashlib.sha256(key.encode()).digest()] = user_id
        return user_id

    def user_of(self, key: str) -> User:
        """Return the user of an API key."""
        return self.user(self.keys[hashlib.sha256(key.encode()).digest()])

    def user(self, user_id: str) -> User:
        """Return a user's data; a new user has none."""
        return self.users.setdefault(user_id, User(user_id))

    def caller(self) -> User:
        """Return the data of the calling user."""
        return self.user(str(context.current_user()))

    def scope(self, project_id: str, needed: members_pb2.Role.ValueType = members_pb2.ROLE_VIEWER) -> User:
        """Return the data of the owner of a project that the caller is a member of, else of the caller.

        Raises Forbidden when the role of the member is less than the needed one.
        """
        user_id = str(context.current_user())
        for owner in self.users.values():
            member = owner.members.get(project_id, {}).get(user_id)
            if member is not None and member.role < needed:
                role = members_pb2.Role.Name(member.role).removeprefix("ROLE_").lower()
                raise Forbidden(
                    f"You are a {role} of this project. Ask the owner.",
                    code="insufficient-role",
                    details={"role": role},
                )
            if member is not None:
                return owner
        return self.caller()

    def visible_projects(self) -> dict[str, projects_pb2.Project]:
        """Return the projects that the caller owns or is a member of, by their ids, in the order of users."""
        caller = str(context.current_user())
        return {
            project_id: project
            for user in self.users.values()
            for project_id, project in user.projects.items()
            if user.user_id == caller or caller in user.members.get(project_id, {})
        }

    def described(self, project: projects_pb2.Project) -> projects_pb2.Project:
        """Return a project with its owner and the role of the caller."""
        described = projects_pb2.Project()
        described.CopyFrom(project)
        described.owner = self.scope(project.project_id).name
        described.role = self.role(project.project_id)
        return described

    def role(self, project_id: str) -> members_pb2.Role.ValueType:
        """Return what the caller is in a project that they see."""
        user_id = str(context.current_user())
        member = self.scope(project_id).members.get(project_id, {}).get(user_id)
        return members_pb2.ROLE_OWNER if member is None else member.role

    def enter(self, method: str, request: Any = None) -> None:
        """Record a call; raises the error that a test has set for the method."""
        self.calls.append(method)
        self.requests.append(request)
        if method in self.failures:
            raise self.failures[method]

    def record_export(self, caller: User, owner: User, project_id: str, kind: str) -> None:
        """Write an export into the audit logs of the caller and, for a member, of the owner."""
        entry = accounts_pb2.AuditEntry(
            actor="user", action="project.exported", subject=f"{project_id} {kind}", create_time=TIME
        )
        caller.audit.append(entry)
        if owner is not caller:
            copy = accounts_pb2.AuditEntry()
            copy.CopyFrom(entry)
            copy.actor, copy.member = "member", caller.name
            owner.audit.append(copy)

    def page(self, page_id: str) -> StoredPage:
        """Return a page by its id alone, for assertions."""
        return next(user.pages[page_id] for user in self.users.values() if page_id in user.pages)

    def quarantine(self, text: str, *, confirmed: bool) -> page_pb2.Quarantine | None:
        """Return why a text does not train; None when it does."""
        if not text or (text in self.quarantined_texts and not confirmed):
            return EMPTY_TEXT
        return None


def correct_line(
    line: page_pb2.Line, text: str, quarantine: page_pb2.Quarantine | None, author: str = ""
) -> None:
    """Set the latest correction of a line."""
    line.corrected_text = text
    line.author = author
    line.correction_id = str(uuid4())
    line.ClearField("quarantine")
    if quarantine is None:
        line.verified_text = text
    else:
        line.quarantine.CopyFrom(quarantine)


def list_part(items: list[Any], cursor: str, limit: int) -> tuple[list[Any], str]:
    """Return a part of a list and the cursor of the next part; raises InvalidInput for a foreign cursor."""
    start = 0
    if cursor:
        number = cursor.removeprefix(_CURSOR)
        if number == cursor or not number.isdigit():
            raise invalid_cursor()
        start = int(number)
    end = start + limit
    return items[start:end], f"{_CURSOR}{end}" if end < len(items) else ""
