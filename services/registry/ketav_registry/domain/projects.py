"""Projects."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from ketav_registry.domain.members import Role
from ketav_registry.domain.models import Script
from ketav_registry.domain.projects_hands import Hand
from ketav_registry.domain.requests import RequestKey


@dataclass(frozen=True, slots=True)
class Project:
    """A group of pages of one hand, in one script; `owner` is a name, `role` what the reading user is."""

    project_id: UUID
    name: str
    hand: Hand
    create_time: datetime
    owner: str = ""
    role: Role = Role.OWNER

    @property
    def script(self) -> Script:
        """The script of its pages, which is that of its hand."""
        return self.hand.script


@dataclass(frozen=True, slots=True)
class NewProject:
    """A project that a client creates without a page; without a script it has that of its hand."""

    name: str
    script: Script | None = None
    hand: str = ""
    request: RequestKey = field(default_factory=RequestKey)


@dataclass(frozen=True, slots=True)
class ProjectChange:
    """A change of a project; None leaves a field unchanged."""

    name: str | None = None
    script: Script | None = None
    hand: str | None = None
