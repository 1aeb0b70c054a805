"""Generate the Python client from the OpenAPI document of the gateway, or check that it is fresh (`--check`).

No server runs: the document is built in this process, as `/openapi.json` returns it.
"""

import filecmp
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from openapi_python_client import generate
from openapi_python_client.config import Config, ConfigFile, MetaType
from prometheus_client import CollectorRegistry

from ketav_common.identity_keys import private_text, public_text
from ketav_gateway.http.openapi import operations
from ketav_gateway.main import build
from ketav_gateway.settings import GatewaySettings

ROOT = Path(__file__).resolve().parent.parent
CLIENT = ROOT / "client"
GENERATED = CLIENT / "ketav_client" / "generated"
BYTES = "application/octet-stream"
BROWSER_PATHS = frozenset({"/session"})
"""Paths for browsers: a client sends its key with each request."""
EVENTS = "text/event-stream"
MAX_SHOWN_CHARACTERS = 4000
"""Of the messages about generated code; one mistake in a template repeats in each file."""


def described_settings() -> GatewaySettings:
    """Return settings with a new key, for a gateway that is described and serves nothing."""
    key = Ed25519PrivateKey.generate()
    return GatewaySettings(
        identity_key=private_text(key),
        identity_public_keys=f"gateway:{public_text(key)}",
        session_secret=private_text(key),
    )


def document() -> dict[str, Any]:
    """Return the part of the API's description from which the client is generated.

    Streams of events and the sessions of browsers are left out. A file in one of several formats is bytes, as
    is the text of an export, because the generator knows one type for a response.
    """
    described: dict[str, Any] = build(described_settings(), CollectorRegistry()).openapi()
    for path, method, operation in list(operations(described)):
        successful = [body for status, body in operation["responses"].items() if status < "3"]
        if path in BROWSER_PATHS or any(EVENTS in body.get("content", {}) for body in successful):
            del described["paths"][path][method]
            continue
        description = operation["description"].partition("\n\n```sh")[0]
        operation["description"] = re.sub(r"(?<!\n)\n(?!\n)", " ", description)
        for body in successful:
            if body.get("content", {}).keys() - {"application/json"}:
                body["content"] = {BYTES: {"schema": {"type": "string", "format": "binary"}}}
    remove_defaults(described)
    return described


def remove_defaults(described: object) -> None:
    """Remove the defaults in place: the client leaves out what its caller leaves out."""
    if isinstance(described, dict):
        if not isinstance(described.get("default"), dict):
            described.pop("default", None)
        described = list(described.values())
    if isinstance(described, list):
        for item in described:
            remove_defaults(item)


def generate_client(target: Path) -> None:
    """Write the generated package to a folder; raises SystemExit with the generator's errors."""
    with tempfile.TemporaryDirectory() as temporary:
        source = Path(temporary) / "openapi.json"
        source.write_text(json.dumps(document(), ensure_ascii=False), encoding="utf-8")
        config = Config.from_sources(
            ConfigFile.load_from_path(CLIENT / "generator.yaml"),
            MetaType.NONE,
            document_source=source,
            file_encoding="utf-8",
            overwrite=True,
            output_path=target,
        )
        problems = generate(config=config, custom_template_path=CLIENT / "templates")
    if problems:
        raise SystemExit("\n".join(f"{p.level}: {p.header} {p.detail}" for p in problems))
    ruff = [sys.executable, "-m", "ruff"]
    options = ["--isolated", "--quiet", "--line-length", "110", "--target-version", "py311", str(target)]
    for command in (["check", "--fix", "--select", "F401,F811,I"], ["format"]):
        ran = subprocess.run([*ruff, *command, *options], capture_output=True, text=True, check=False)
        if ran.returncode:
            raise SystemExit(ran.stdout[:MAX_SHOWN_CHARACTERS])


def stale(fresh: Path) -> list[str]:
    """List the files that differ from the committed ones or exist in one of both only."""
    names = {path.relative_to(tree) for tree in (fresh, GENERATED) for path in tree.rglob("*.py")}
    return sorted(
        str(name)
        for name in names
        if not ((fresh / name).is_file() and (GENERATED / name).is_file())
        or not filecmp.cmp(fresh / name, GENERATED / name, shallow=False)
    )


def main() -> None:
    """Generate the client in place, or with --check exit 1 when it is stale."""
    with tempfile.TemporaryDirectory() as temporary:
        fresh = Path(temporary) / "generated"
        generate_client(fresh)
        if "--check" in sys.argv:
            names = stale(fresh)
            if names:
                print("The client is stale. Run `python -m tools.generate_client`:", *names, sep="\n  ")
            raise SystemExit(bool(names))
        shutil.rmtree(GENERATED, ignore_errors=True)
        shutil.copytree(fresh, GENERATED)


if __name__ == "__main__":
    main()
