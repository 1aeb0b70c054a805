"""The command `ketav` in this process, as an operator calls it."""

import json
from typing import Any

from typer.testing import CliRunner

from ketav_registry.cli import app


def ketav(*arguments: str, status: int = 0) -> str:
    """Run the command, check its exit status, and return what it prints on both streams."""
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == status, result.output
    assert "Traceback" not in result.output
    return result.output.strip()


def ketav_json(*arguments: str, status: int = 0) -> Any:
    """Run the command with --json and return the decoded output."""
    result = CliRunner().invoke(app, [*arguments, "--json"])
    assert result.exit_code == status, result.output
    lines = result.stdout.splitlines()
    start = next(
        (number for number, line in enumerate(lines) if line in {"[", "[]"}), None
    )  # after log events
    # A StopIteration would never leave `asyncio.to_thread`.
    assert start is not None, result.output
    return json.loads("\n".join(lines[start:]))
