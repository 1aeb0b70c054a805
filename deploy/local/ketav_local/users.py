"""The first user of the local system."""

import asyncio

from ketav_local.system import System

API_KEY = "api_key"


async def first_user(system: System) -> str:
    """Give the first user's API key, kept in `api_key` of the data folder; make the user on first use.

    Raises RuntimeError with the command's output when it fails.
    """
    path = system.data.root / API_KEY
    if path.exists():
        return path.read_text().strip()
    spec = system.admin("first-user", "users", "add", "first", needs=())
    command = await asyncio.create_subprocess_exec(
        *spec.command, env=dict(spec.env), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, complaint = await command.communicate()
    key = next((word for word in output.decode().split() if word.startswith("ktv_")), None)
    if command.returncode or key is None:
        raise RuntimeError(f"no first user: {complaint.decode().strip()}")
    system.data.write_private(API_KEY, key + "\n")
    return key
