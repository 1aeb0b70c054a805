"""Generate the typed stubs of the contracts, or check that the committed ones are fresh (`--check`)."""

import filecmp
import importlib.resources
import shutil
import sys
import tempfile
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent
PROTOS = ROOT / "protos"
STUBS = ROOT / "libs" / "contracts"
SCRIPTS = Path(sys.executable).parent
"""Folder of the environment's scripts: protoc finds its plugins there, also when it is not on PATH."""
PLUGINS = ("protoc-gen-mypy", "protoc-gen-mypy_grpc")


def generate(target: Path) -> None:
    """Write `_pb2.py`, `_pb2_grpc.py` and their `.pyi` for every .proto below PROTOS into target."""
    well_known = importlib.resources.files("grpc_tools") / "_proto"
    sources = sorted(str(path.relative_to(PROTOS)) for path in PROTOS.rglob("*.proto"))
    outputs = [f"--{kind}_out={target}" for kind in ("python", "grpc_python")]
    outputs += [f"--mypy_out=quiet:{target}", f"--mypy_grpc_out=quiet:{target}"]
    outputs += [f"--plugin={name}={SCRIPTS / name}" for name in PLUGINS]
    status = protoc.main(["protoc", f"-I{PROTOS}", f"-I{well_known}", *outputs, *sources])
    if status:
        raise SystemExit(status)


def stale(fresh: Path, committed: Path) -> list[str]:
    """List the stub files that differ between two trees or exist in only one of them."""
    names = {path.relative_to(tree) for tree in (fresh, committed) for path in tree.rglob("*_pb2*.py*")}
    names = {name for name in names if name.suffix in {".py", ".pyi"}}
    return sorted(
        str(name)
        for name in names
        if not ((fresh / name).is_file() and (committed / name).is_file())
        or not filecmp.cmp(fresh / name, committed / name, shallow=False)
    )


def main() -> None:
    """Regenerate the stubs in place, or with --check exit 1 when they are stale."""
    with tempfile.TemporaryDirectory() as temporary:
        fresh = Path(temporary)
        generate(fresh)
        if "--check" in sys.argv:
            names = stale(fresh, STUBS)
            if names:
                print("stale stubs, run `make protos`:", *names, sep="\n  ")
            raise SystemExit(bool(names))
        shutil.rmtree(STUBS / "ketav", ignore_errors=True)
        shutil.copytree(fresh / "ketav", STUBS / "ketav")


if __name__ == "__main__":
    main()
