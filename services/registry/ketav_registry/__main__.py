"""`python -m ketav_registry` is the `ketav` command."""

from ketav_registry.cli import app

app()
