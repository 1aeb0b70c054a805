"""`ketav login`: store the address of the server and the key."""

import json
import os
from typing import Annotated

import typer

from ketav_client import Ketav
from ketav_client.settings import DEFAULT_URL, config_path
from ketav_command.output import say

OWNER_ONLY = 0o600


def login(
    url: Annotated[
        str, typer.Option(prompt="Address of the server", help="Address of the server.")
    ] = DEFAULT_URL,
    api_key: Annotated[
        str, typer.Option("--key", prompt="API key", hide_input=True, help="API key; without it a prompt.")
    ] = "",
) -> None:
    """Check a key and store it, readable by you alone."""
    with Ketav(url, api_key) as client:
        account = client.get_account()
        settings = client.settings
    path = config_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        # Strings of JSON are strings of TOML.
        file.write(f"url = {json.dumps(settings.url)}\napi_key = {json.dumps(settings.api_key)}\n")
    path.chmod(OWNER_ONLY)
    say(f"{account.name} uses {settings.url}. The key is in {path}.")
