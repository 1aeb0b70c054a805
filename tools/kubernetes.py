"""Render every overlay of deploy/k8s with `kubectl kustomize` and validate each manifest strictly.

The schemas are those of the oldest and the newest version of Kubernetes that are supported, and our own one
of KEDA's ScaledObject. No cluster is needed; the secrets are placeholders in a temporary copy.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import yaml

ROOT = Path(__file__).resolve().parent.parent
MANIFESTS = ROOT / "deploy" / "k8s"
OVERLAYS = ("dev", "prod", "gpu")
VERSIONS = ("1.30", "1.37")
"""The first version with all fields that are used (`preStop.sleep`), and the newest one with schemas."""
SCALED_OBJECT = ROOT / "tools" / "scaled_object.schema.json"
PLACEHOLDERS = {
    "KETAV_DATABASE_URL": "postgresql://ketav_service:placeholder@db.example.com/ketav",
    "KETAV_MIGRATION_DATABASE_URL": "postgresql://owner:placeholder@db.example.com/ketav",
    "KETAV_REDIS_URL": "rediss://:placeholder@redis.example.com:6379/0",
    "KETAV_BLOB_URL": "s3://key:placeholder@s3.example.com:443/ketav",
}
"""Addresses of managed stores that no process connects to."""
Manifest = dict[str, Any]


def tool(name: str) -> str:
    """Return the path of a program in this interpreter's environment."""
    return str(Path(sys.executable).with_name(name))


def render_all() -> dict[str, list[Manifest]]:
    """Return the manifests of each overlay. RuntimeError: kustomize cannot render one."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "k8s"
        shutil.copytree(MANIFESTS, copy, ignore=shutil.ignore_patterns("secrets"))
        shutil.copy(MANIFESTS.parent / "identity_keys.py", folder)
        for overlay in ("dev", "prod"):
            script = [sys.executable, str(copy / "write_secrets.py"), overlay]
            subprocess.run(script, env={**os.environ, **PLACEHOLDERS}, check=True, timeout=60)
        return {overlay: render(copy / "overlays" / overlay) for overlay in OVERLAYS}


def render(folder: Path) -> list[Manifest]:
    """Return the manifests of a folder with a kustomization. RuntimeError: kustomize cannot render it."""
    command = [tool("kubectl"), "kustomize", str(folder)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    if ran.returncode:
        raise RuntimeError(ran.stderr.strip())
    return list(yaml.safe_load_all(ran.stdout))


def problems(manifest: Manifest) -> Iterator[str]:
    """Yield a line for each version whose schema rejects a manifest."""
    if manifest["apiVersion"].startswith("keda.sh/"):
        schema = json.loads(SCALED_OBJECT.read_text(encoding="utf-8"))
        for error in jsonschema.Draft202012Validator(schema).iter_errors(manifest):
            yield f"{title(manifest)}: {error.json_path}: {error.message}"
        return
    for version in VERSIONS:
        try:
            kubernetes_validate.validate(manifest, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            yield f"{title(manifest)}: Kubernetes {version}: {error.json_path}: {error.message}"
        except kubernetes_validate.SchemaNotFoundError as error:
            yield f"{title(manifest)}: {error.message}"


def title(manifest: Mapping[str, Any]) -> str:
    """Return a manifest's kind and name."""
    return f"{manifest['kind']}/{manifest['metadata']['name']}"


def main() -> int:
    """Print the problems of all overlays; exit status 1 when there are some."""
    try:
        rendered = render_all()
    except RuntimeError as error:
        print(error)
        return 1
    lines = [
        f"{overlay}: {problem}"
        for overlay, manifests in rendered.items()
        for manifest in manifests
        for problem in problems(manifest)
    ]
    count = sum(len(manifests) for manifests in rendered.values())
    print("\n".join([*lines, f"{count} manifests of {len(rendered)} overlays, {len(lines)} problems"]))
    return bool(lines)


if __name__ == "__main__":
    sys.exit(main())
