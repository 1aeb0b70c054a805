"""`ketav projects`: list the projects with their ids."""

from ketav_command.connect import connected
from ketav_command.output import lines


def projects() -> None:
    """List your projects: id, script and name, newest first."""
    with connected() as client:
        lines(f"{project.project_id}  {project.script:<14}  {project.name}" for project in client.projects())
