"""Members of projects: the owner invites them by name; the next call of a removed one finds no project."""

from uuid import UUID

from ketav_common.errors import InvalidInput, NotFound, Precondition
from ketav_common.logging import get_logger
from ketav_registry.domain.members import Member, MemberRole, Role
from ketav_registry.repository import accounts, members
from ketav_registry.stores import Stores
from ketav_registry.usecases.accounts import clean_name
from ketav_registry.usecases.projects import require_project

log = get_logger()

MAX_MEMBERS = 100
"""Members of a project: a class or a society that transcribes together."""


async def list_members(user_id: UUID, project_id: UUID, *, stores: Stores) -> list[Member]:
    """Return the members of a project that the user sees. NotFound: there is no such project."""
    async with stores.database.project(user_id, project_id) as scope:
        await require_project(scope.transaction, scope.owner_id, project_id)
        async with scope.as_owner():
            return await members.list_members(scope.transaction, project_id)


async def check_role(user_id: UUID, project_id: UUID, needed: Role, *, stores: Stores) -> tuple[Role, str]:
    """Return what the user is in a project, and the state that a link signed for them contains.

    NotFound: there is no such project. Forbidden insufficient-role.
    """
    async with stores.database.project(user_id, project_id, needed) as scope:
        await require_project(scope.transaction, scope.owner_id, project_id)
        return scope.role, await members.link_state(scope.transaction, project_id, scope.member_id)


async def revoke_links(user_id: UUID, project_id: UUID, *, stores: Stores) -> None:
    """Revoke the links to a project of the user. NotFound: no such project. Forbidden insufficient-role."""
    async with stores.database.project(user_id, project_id, Role.OWNER) as scope:
        await require_project(scope.transaction, user_id, project_id)
        await members.increment_link_number(scope.transaction, user_id, project_id)
    log.info("links_revoked", project_id=str(project_id))


async def set_member(
    user_id: UUID, project_id: UUID, name: str, role: MemberRole, *, stores: Stores
) -> Member:
    """Make the user with a name a member of the caller's project, or change the role of a member.

    The transactions of the project that run now end first. NotFound: there is no such project. Forbidden
    insufficient-role. InvalidInput unknown-account, member-is-owner. Precondition too-many-members.
    """
    async with stores.database.project(user_id, project_id, Role.OWNER) as scope:
        await require_project(scope.transaction, user_id, project_id)
    member_id = await _find_account(name, stores)
    if member_id == user_id:
        raise InvalidInput(
            "You own this project. Send the name of another account.",
            code="member-is-owner",
            details={"pointer": "/name"},
        )
    async with stores.database.project(user_id, project_id, Role.OWNER, exclusive=True) as scope:
        await require_project(scope.transaction, user_id, project_id)
        known = {member.user_id for member in await members.list_members(scope.transaction, project_id)}
        if member_id not in known and len(known) >= MAX_MEMBERS:
            raise Precondition(
                f"The project has {MAX_MEMBERS} members, and more are not possible. Remove one first.",
                code="too-many-members",
            )
        await members.put_member(scope.transaction, user_id, project_id, member_id, role)
        listed = await members.list_members(scope.transaction, project_id)
    log.info("member_set", project_id=str(project_id), role=role)
    return next(member for member in listed if member.user_id == member_id)


async def _find_account(name: str, stores: Stores) -> UUID:
    """Return the user with a name. InvalidInput unknown-account: no account, or more than one, has it."""
    stored = _stored_name(name)
    users = []
    if stored:
        async with stores.database.system() as transaction:
            users = await accounts.find_users(transaction, stored)
    if len(users) != 1:
        raise InvalidInput(
            f"No account is named {name!r}. Send the name of the account as GET /me shows it to its user.",
            code="unknown-account",
            details={"pointer": "/name"},
        )
    return users[0].user_id


def _stored_name(name: str) -> str:
    """Return a name as accounts have it; empty for one that no account can have."""
    try:
        return clean_name(name)
    except InvalidInput:
        return ""


async def remove_member(user_id: UUID, project_id: UUID, name: str, *, stores: Stores) -> None:
    """End the membership of the user with a name: the owner of any member, a member of their own.

    The transactions of the project that run now end first. NotFound: there is no such project, or
    unknown-member. Forbidden insufficient-role.
    """
    stored = _stored_name(name)
    async with stores.database.project(user_id, project_id, exclusive=True) as scope:
        await require_project(scope.transaction, scope.owner_id, project_id)
        async with scope.as_owner():
            listed = await members.list_members(scope.transaction, project_id)
        member = next((member for member in listed if member.name == stored), None)
        if member is None or member.user_id != scope.member_id:
            scope.require(Role.OWNER)
        if member is None:
            raise NotFound(
                "This project has no member with this name. List the members with GET "
                "/projects/PROJECT_ID/members.",
                code="unknown-member",
            )
        async with scope.as_owner():
            await members.delete_member(scope.transaction, project_id, member.user_id)
    log.info("member_removed", project_id=str(project_id))
