"""Members of projects. A row is the owner's; row-level security shows it to the member, too."""

import sqlalchemy as sa

from ketav_registry.domain.members import MemberRole
from ketav_registry.tables.columns import created_at, enumeration, foreign_key, metadata, owner

project_member = sa.Table(
    "project_member",
    metadata,
    sa.Column("project_id", sa.Uuid, nullable=False),
    # The user who has the role; `user_id` is the owner of the project.
    sa.Column("member_id", sa.Uuid, sa.ForeignKey("account.id", ondelete="CASCADE"), nullable=False),
    owner(),
    sa.Column("role", enumeration(MemberRole), nullable=False),
    created_at(),
    foreign_key("project", "project_id", cascade=True),
    sa.PrimaryKeyConstraint("project_id", "member_id"),
    sa.CheckConstraint("member_id <> user_id", name="not_the_owner"),
    sa.Index(None, "member_id"),
    sa.Index(None, "user_id"),
)
