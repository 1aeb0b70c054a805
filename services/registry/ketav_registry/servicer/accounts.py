"""AccountService."""

from ketav.registry.v1 import accounts_pb2 as pb
from ketav.registry.v1 import accounts_pb2_grpc
from ketav_common.context import current_user, require_role
from ketav_registry.convert import common
from ketav_registry.convert import erasure as convert
from ketav_registry.database import Database
from ketav_registry.usecases import accounts, erasure


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

    async def DeleteAccount(
        self, request: pb.DeleteAccountRequest, context: object
    ) -> pb.DeleteAccountResponse:
        """Delete the caller's account."""
        done = await erasure.delete_account(current_user(), database=self._database)
        return pb.DeleteAccountResponse(erasure=convert.erasure(done))
