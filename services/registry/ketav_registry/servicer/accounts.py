"""AccountService."""

from ketav.registry.v1 import accounts_pb2 as pb
from ketav.registry.v1 import accounts_pb2_grpc
from ketav_common.context import require_role
from ketav_registry.convert import common
from ketav_registry.database import Database
from ketav_registry.usecases import accounts


class AccountServicer(accounts_pb2_grpc.AccountServiceServicer):
    """Users and their API keys."""

    def __init__(self, database: Database) -> None:
        """Take what the use cases need."""
        self._database = database

    async def ResolveApiKey(
        self, request: pb.ResolveApiKeyRequest, context: object
    ) -> pb.ResolveApiKeyResponse:
        """Say whose a key is."""
        require_role("gateway")
        key = common.digest(request.key_sha256)
        user_id = await accounts.resolve_api_key(key, database=self._database)
        return pb.ResolveApiKeyResponse(user_id=str(user_id))
