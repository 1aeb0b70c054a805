"""Accounts in memory."""

from typing import Any

from ketav.registry.v1 import accounts_pb2, accounts_pb2_grpc, erasure_pb2
from ketav_common.errors import NotFound
from tests.parts.in_memory.pages import count
from tests.parts.in_memory.state import TIME, State, list_part


class Accounts(accounts_pb2_grpc.AccountServiceServicer):
    """Resolves keys, shows and deletes accounts."""

    def __init__(self, state: State) -> None:
        """Take the state."""
        self.state = state

    async def ResolveApiKey(self, request: Any, context: Any) -> Any:
        """Return the user of a key."""
        self.state.enter("ResolveApiKey", request)
        if request.key_sha256 not in self.state.keys:
            raise NotFound
        if request.session_id in self.state.ended_sessions:
            raise NotFound("The session has ended. Sign in again.", code="session-ended")
        return accounts_pb2.ResolveApiKeyResponse(user_id=self.state.keys[request.key_sha256])

    async def GetAccount(self, request: Any, context: Any) -> Any:
        """Return the caller's account."""
        self.state.enter("GetAccount", request)
        user = self.state.caller()
        if self.state.keys.get(request.key_sha256) != user.user_id:
            raise NotFound
        return accounts_pb2.GetAccountResponse(
            user_id=user.user_id,
            name=user.name,
            create_time=TIME,
            key_prefix="0a1b2c3d",
            key_create_time=TIME,
        )

    async def EndSession(self, request: Any, context: Any) -> Any:
        """End a session of the caller."""
        self.state.enter("EndSession", request)
        self.state.caller()
        self.state.ended_sessions.add(request.session_id)
        return accounts_pb2.EndSessionResponse()

    async def ListAuditEntries(self, request: Any, context: Any) -> Any:
        """Return the exports of the caller, newest first."""
        self.state.enter("ListAuditEntries", request)
        entries = self.state.caller().audit[::-1]
        part, cursor = list_part(entries, request.cursor, request.limit or 20)
        return accounts_pb2.ListAuditEntriesResponse(entries=part, next_cursor=cursor)

    async def RecordExport(self, request: Any, context: Any) -> Any:
        """Write an export of the caller."""
        self.state.enter("RecordExport", request)
        user = self.state.caller()
        owner = self.state.scope(request.project_id)
        owner.project(request.project_id)
        self.state.record_export(user, owner, request.project_id, request.format)
        return accounts_pb2.RecordExportResponse()

    async def DeleteAccount(self, request: Any, context: Any) -> Any:
        """Delete the caller's keys and data."""
        self.state.enter("DeleteAccount", request)
        user = self.state.caller()
        erasure = count(list(user.pages.values()), erasure_pb2.Erasure())
        self.state.keys = {key: owner for key, owner in self.state.keys.items() if owner != user.user_id}
        del self.state.users[user.user_id]
        return accounts_pb2.DeleteAccountResponse(erasure=erasure)
