"""LearningService."""

from ketav.registry.v1 import learning_pb2 as pb
from ketav.registry.v1 import learning_pb2_grpc
from ketav_common.context import current_user
from ketav_registry.convert import common
from ketav_registry.convert import learning as convert
from ketav_registry.database import Database
from ketav_registry.usecases import learning, progress


class LearningServicer(learning_pb2_grpc.LearningServiceServicer):
    """What a user sees of the learning."""

    def __init__(self, database: Database) -> None:
        """Take what the use cases need."""
        self._database = database

    async def GetReadiness(self, request: pb.GetReadinessRequest, context: object) -> pb.GetReadinessResponse:
        """Say how near the caller's next runs are."""
        script = common.script(request.script) if request.script else None
        found, calendar = await learning.get_readiness(current_user(), script, database=self._database)
        return convert.readiness(found, calendar)

    async def ListProgress(self, request: pb.ListProgressRequest, context: object) -> pb.ListProgressResponse:
        """List the caller's pages with what was misread at first; the first answer adds up versions."""
        script = common.script(request.script) if request.script else None
        after, limit = common.after_id(request.cursor), common.limit(request.limit, 20, 100)
        wanted = (current_user(), script)
        pages, more = await progress.list_progress(*wanted, after, limit, database=self._database)
        if after is not None:
            return convert.progress(pages, common.cursor(more))
        versions, complete = await progress.progress_by_version(*wanted, database=self._database)
        return convert.progress(pages, common.cursor(more), versions, complete=complete)

    async def ListNextLines(
        self, request: pb.ListNextLinesRequest, context: object
    ) -> pb.ListNextLinesResponse:
        """Return the lines whose correction would teach most."""
        project_id, limit = common.uuid(request.project_id, "project"), common.limit(request.limit, 16, 100)
        found, total = await learning.list_next_lines(
            current_user(), project_id, limit, database=self._database
        )
        return convert.next_lines(found, total)

    async def GetTrainingPolicy(
        self, request: pb.GetTrainingPolicyRequest, context: object
    ) -> pb.GetTrainingPolicyResponse:
        """Return the caller's policy."""
        found = await learning.get_training_policy(current_user(), database=self._database)
        return pb.GetTrainingPolicyResponse(policy=convert.policy(found))

    async def SetTrainingPolicy(
        self, request: pb.SetTrainingPolicyRequest, context: object
    ) -> pb.SetTrainingPolicyResponse:
        """Replace the caller's policy."""
        wanted = convert.wanted_policy(request.policy)
        kept = await learning.set_training_policy(current_user(), wanted, database=self._database)
        return pb.SetTrainingPolicyResponse(policy=convert.policy(kept))
