"""AccountService."""

from ketav.registry.v1 import accounts_pb2 as pb
from ketav.registry.v1 import accounts_pb2_grpc
from ketav_common.context import current_user, require_role
from ketav_registry.convert import accounts as convert_accounts
from ketav_registry.convert import common
from ketav_registry.convert import erasure as convert
from ketav_registry.stores import Stores
from ketav_registry.usecases import accounts, accounts_audit, erasure

_MAX_FORMAT = 16
"""Code points of a format's name in the audit log."""


class AccountServicer(accounts_pb2_grpc.AccountServiceServicer):
    """Resolves API keys, shows and deletes accounts, ends sessions."""

    def __init__(self, stores: Stores) -> None:
        """Work with these stores."""
        self._stores = stores

    async def ResolveApiKey(
        self, request: pb.ResolveApiKeyRequest, context: object
    ) -> pb.ResolveApiKeyResponse:
        """Return the user of an API key."""
        require_role("gateway")
        key_sha256 = common.digest(request.key_sha256)
        user_id = await accounts.resolve_api_key(
            key_sha256, convert_accounts.session_id(request.session_id), stores=self._stores
        )
        return pb.ResolveApiKeyResponse(user_id=str(user_id))

    async def GetAccount(self, request: pb.GetAccountRequest, context: object) -> pb.GetAccountResponse:
        """Return the caller's account."""
        key_sha256 = common.digest(request.key_sha256)
        account = await accounts.get_account(current_user(), key_sha256, stores=self._stores)
        return convert_accounts.account_message(account)

    async def EndSession(self, request: pb.EndSessionRequest, context: object) -> pb.EndSessionResponse:
        """End a session of the caller."""
        session_id, expires_at = convert_accounts.ended_session(request)
        await accounts.end_session(current_user(), session_id, expires_at, stores=self._stores)
        return pb.EndSessionResponse()

    async def DeleteAccount(
        self, request: pb.DeleteAccountRequest, context: object
    ) -> pb.DeleteAccountResponse:
        """Delete the caller's account."""
        done = await erasure.delete_account(current_user(), stores=self._stores)
        return pb.DeleteAccountResponse(erasure=convert.erasure(done))

    async def ListAuditEntries(
        self, request: pb.ListAuditEntriesRequest, context: object
    ) -> pb.ListAuditEntriesResponse:
        """List what was done to the caller's account."""
        after = common.id_position(request.cursor, "audit")
        limit = common.limit(request.limit, default=20, maximum=100)
        part = await accounts_audit.list_entries(current_user(), after, limit, stores=self._stores)
        return pb.ListAuditEntriesResponse(
            entries=[convert_accounts.audit_message(entry) for entry in part.entries],
            next_cursor=common.cursor(part.next_position, "audit"),
        )

    async def RecordExport(self, request: pb.RecordExportRequest, context: object) -> pb.RecordExportResponse:
        """Write that the caller exports a project."""
        project_id = common.uuid(request.project_id, "project_id")
        user_id, name = current_user(), request.format[:_MAX_FORMAT]
        await accounts_audit.record_export(user_id, project_id, name, stores=self._stores)
        return pb.RecordExportResponse()
