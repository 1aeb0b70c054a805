"""Model versions in memory."""

from collections import defaultdict
from typing import Any

from rapidfuzz.distance import Levenshtein

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import models_pb2, models_pb2_grpc
from ketav_common.errors import NotFound, Precondition
from tests.parts.in_memory.state import BASE, TIME, State, StoredPage, User, list_part

ACTIVE = models_pb2.MODEL_STATE_ACTIVE
AVAILABLE = models_pb2.MODEL_STATE_AVAILABLE
_UNUSABLE = {models_pb2.MODEL_STATE_RETIRED: "model-retired", models_pb2.MODEL_STATE_TAINTED: "model-tainted"}


def add_version(user: User, version: str, **fields: Any) -> models_pb2.ModelVersion:
    """Add a version of a user, fine-tuned from the base unless the fields say otherwise."""
    model = page_pb2.Model(version=version, kind=page_pb2.MODEL_KIND_USER, sha256=b"\x5a" * 32, size_bytes=9)
    defaults: dict[str, Any] = {
        "script": page_pb2.SCRIPT_MODERN_CURSIVE,
        "state": AVAILABLE,
        "parent_version": BASE.version,
        "create_time": TIME,
        "card_json": '{"epochs": 3}',
    }
    user.versions[version] = models_pb2.ModelVersion(model=model, **(defaults | fields))
    return user.versions[version]


class Models(models_pb2_grpc.ModelServiceServicer):
    """Lists, shows and activates versions. The gateway calls no method for files."""

    def __init__(self, state: State) -> None:
        """Take the state."""
        self.state = state

    GetUserModel = DownloadModel = PublishModel = CheckModels = None  # type: ignore[assignment]

    async def ListModels(self, request: Any, context: Any) -> Any:
        """List the caller's versions and the base, newest first, without cards."""
        self.state.enter("ListModels", request)
        versions = _versions(self.state.caller())
        part, cursor = list_part([*reversed(versions.values())], request.cursor, request.limit or 20)
        response = models_pb2.ListModelsResponse(versions=part, next_cursor=cursor)
        for version in response.versions:
            version.ClearField("card_json")
        return response

    async def GetModel(self, request: Any, context: Any) -> Any:
        """Return a version with its card and its ancestors."""
        self.state.enter("GetModel", request)
        versions = _versions(self.state.caller())
        version = _required(versions, request.version)
        response = models_pb2.GetModelResponse(version=version)
        while version.parent_version:
            version = versions[version.parent_version]
            response.lineage.add().CopyFrom(version)
        for ancestor in response.lineage:
            ancestor.ClearField("card_json")
        return response

    async def ActivateModel(self, request: Any, context: Any) -> Any:
        """Make a version the active one."""
        self.state.enter("ActivateModel", request)
        user = self.state.caller()
        version = _required(_versions(user), request.version)
        if known := user.repeated("done", request.request_id, request.request_sha256):
            return known
        user.require_hand(request.hand)
        if request.hand and version.model.version in user.versions and version.hand != request.hand:
            raise Precondition("The version is of another hand. Choose another one.", code="hand-mismatch")
        if code := _UNUSABLE.get(version.state):
            raise Precondition("This version never serves. Choose another one.", code=code)
        for other in user.versions.values():
            if other.state == ACTIVE:
                other.state = AVAILABLE
        if request.version in user.versions:
            user.versions[request.version].state = ACTIVE
        response = models_pb2.ActivateModelResponse(version=_versions(user)[request.version])
        response.version.ClearField("card_json")
        user.remember("done", request.request_id, request.request_sha256, response)
        return response

    async def ListModelProgress(self, request: Any, context: Any) -> Any:
        """Compare the first readings of pages with the corrections of their lines."""
        self.state.enter("ListModelProgress", request)
        user = self.state.caller()
        user.require_hand(request.hand)
        pages = [_page_progress(user, stored) for stored in reversed(user.pages.values())]
        compared = [page for page in pages if _is_requested(page, request)]
        part, cursor = list_part(compared, request.cursor, request.limit or 20)
        return models_pb2.ListModelProgressResponse(
            pages=part,
            next_cursor=cursor,
            versions=[] if request.cursor else _totals(compared),
            versions_complete=not request.cursor,
        )


def _is_requested(page: models_pb2.PageProgress, request: Any) -> bool:
    """Return whether a page has compared lines and is of the script and the hand of a request."""
    hand = request.hand if request.HasField("hand") else page.hand
    return bool(page.errors.lines) and request.script in {0, page.script} and page.hand == hand


def _versions(user: User) -> dict[str, models_pb2.ModelVersion]:
    """Return the base and the user's versions, oldest first; the base is active while no version is."""
    base_serves = not any(version.state == ACTIVE for version in user.versions.values())
    base = models_pb2.ModelVersion(model=BASE, state=ACTIVE if base_serves else AVAILABLE, create_time=TIME)
    return {BASE.version: base} | user.versions


def _required(versions: dict[str, models_pb2.ModelVersion], version: str) -> models_pb2.ModelVersion:
    """Return a version; raises NotFound."""
    if version not in versions:
        raise NotFound("This account has no model version with this name. List the versions.")
    return versions[version]


def _page_progress(user: User, stored: StoredPage) -> models_pb2.PageProgress:
    """Return the errors of the first reading of a page, over its corrected lines."""
    corrected = {line.line_id: line.corrected_text for line in stored.lines() if line.corrected_text}
    pairs = [
        (line.text, corrected[line.line_id]) for line in stored.first_reading if line.line_id in corrected
    ]
    return models_pb2.PageProgress(
        page_id=stored.message.page_id,
        project_id=stored.message.project_id,
        script=user.projects[stored.message.project_id].script,
        hand=user.projects[stored.message.project_id].hand,
        model=stored.message.transcription.model,
        read_time=TIME,
        errors=models_pb2.ReadingErrors(
            lines=len(pairs),
            edits=sum(Levenshtein.distance(text, verified) for text, verified in pairs),
            length=sum(len(verified) for _, verified in pairs),
        ),
    )


def _totals(pages: list[models_pb2.PageProgress]) -> list[models_pb2.VersionProgress]:
    """Return the errors by version and script."""
    groups: defaultdict[tuple[str, int, str], list[models_pb2.PageProgress]] = defaultdict(list)
    for page in pages:
        groups[page.model.version, page.script, page.hand].append(page)
    return [
        models_pb2.VersionProgress(
            model=group[0].model,
            script=group[0].script,
            hand=group[0].hand,
            pages=len(group),
            errors=models_pb2.ReadingErrors(
                lines=sum(page.errors.lines for page in group),
                edits=sum(page.errors.edits for page in group),
                length=sum(page.errors.length for page in group),
            ),
            first_read_time=TIME,
            last_read_time=TIME,
        )
        for group in groups.values()
    ]
