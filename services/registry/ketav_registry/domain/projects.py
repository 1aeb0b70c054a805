"""Projects."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ketav_registry.domain.models import Script


@dataclass(frozen=True, slots=True)
class Project:
    """A group of pages in one script."""

    project_id: UUID
    name: str
    script: Script
    create_time: datetime
