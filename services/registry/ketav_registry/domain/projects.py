"""Projects."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ketav_registry.domain.models import Script
from ketav_registry.domain.projects_hands import Hand


@dataclass(frozen=True, slots=True)
class Project:
    """A group of pages of one hand, in one script."""

    project_id: UUID
    name: str
    hand: Hand
    create_time: datetime

    @property
    def script(self) -> Script:
        """The script of its pages, which is that of its hand."""
        return self.hand.script
