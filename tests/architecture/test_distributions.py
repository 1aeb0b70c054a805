"""The services' wheel contains nothing that only the base model or the tests use."""

import subprocess
import sys
import tomllib
from dataclasses import dataclass
from importlib.metadata import packages_distributions
from pathlib import Path
from zipfile import ZipFile

import pytest

from tools.cpu_lock import name_of
from tools.service_lock import normalised, select

ROOT = Path(__file__).resolve().parents[2]
SERVICES = {
    "ketav",
    "ketav_common",
    "ketav_engine",
    "ketav_gateway",
    "ketav_recognizer",
    "ketav_trainer",
    "ketav_registry",
    "ketav_local",
}


@dataclass(frozen=True)
class Wheel:
    """The files of a wheel by path."""

    files: dict[str, bytes]

    @property
    def packages(self) -> set[str]:
        """Return the top-level packages."""
        return {path.split("/")[0] for path in self.files if ".dist-info/" not in path}

    def metadata(self, name: str) -> str:
        """Return a file of the wheel's metadata, empty where it has none."""
        return next(
            (text.decode() for path, text in self.files.items() if path.endswith(f".dist-info/{name}")), ""
        )


def build(project: Path, folder: Path) -> Wheel:
    """Build the wheel of a project with the build backend of this environment."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=project, check=True, capture_output=True)
    with ZipFile(next(folder.glob("*.whl"))) as archive:
        return Wheel({name: archive.read(name) for name in archive.namelist()})


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Wheel:
    """Build the services' wheel."""
    return build(ROOT, tmp_path_factory.mktemp("ketav"))


def test_the_services_wheel_holds_the_services_and_no_other_package(services: Wheel) -> None:
    """No base-model tool, no tests, no benchmark."""
    assert services.packages == SERVICES


def test_the_services_wheel_offers_no_test_engine_and_stops_no_process(services: Wheel) -> None:
    """It adds its commands to `ketav`, and holds neither the tests' engine nor code that stops processes."""
    entry_points = services.metadata("entry_points.txt")
    assert "[ketav.commands]\nadmin = " in entry_points
    assert "[console_scripts]" not in entry_points
    assert "ketav.engines" not in entry_points
    assert "ketav.fault_points" not in entry_points
    for path, text in services.files.items():
        assert b"class TinyEngine" not in text, path
        assert b"SIGSTOP" not in text, path


def test_the_services_wheel_asks_for_no_library_of_the_base_model(services: Wheel) -> None:
    """Fonts, word frequencies and plots are requirements of `ketav-basemodel`."""
    requirements = services.metadata("METADATA")
    for library in (
        "fonttools",
        "wordfreq",
        "matplotlib",
        "scikit-learn",
        "ketav-basemodel",
        "ketav-testing",
    ):
        assert f"Requires-Dist: {library}" not in requirements


def test_the_base_model_is_a_distribution_of_its_own(tmp_path: Path) -> None:
    """Its wheel holds one package and asks for the services' engine."""
    wheel = build(ROOT / "basemodel", tmp_path)
    assert wheel.packages == {"ketav_basemodel"}
    assert "Requires-Dist: ketav[recognizer]" in wheel.metadata("METADATA")


def test_the_client_is_a_distribution_of_its_own_with_the_command(tmp_path: Path) -> None:
    """Its wheel asks for no library of the services."""
    wheel = build(ROOT / "client", tmp_path)
    assert wheel.packages == {"ketav_client", "ketav_command"}
    assert "ketav_client/py.typed" in wheel.files
    assert "[console_scripts]\nketav = " in wheel.metadata("entry_points.txt")
    requirements = wheel.metadata("METADATA")
    for library in ("ketav", "grpcio", "protobuf", "fastapi", "sqlalchemy", "torch"):
        assert f"Requires-Dist: {library}" not in requirements


def test_only_the_tests_distribution_offers_the_test_engine(tmp_path: Path) -> None:
    """`ketav-testing` declares both extensions."""
    entry_points = build(ROOT / "tests/support", tmp_path).metadata("entry_points.txt")
    assert "[ketav.engines]\ntiny = " in entry_points
    assert "[ketav.fault_points]\nstop = " in entry_points


def test_no_image_is_built_from_the_base_model_or_the_tests() -> None:
    """The build context of the containers leaves them out; no Dockerfile installs development packages."""
    context = (ROOT / ".dockerignore").read_text().splitlines()
    assert context[0] == "*"
    for folder in ("basemodel", "tests", "bench"):
        assert f"!{folder}" not in context
        for dockerfile in (ROOT / "deploy/docker").glob("*.Dockerfile"):
            assert f"COPY {folder}" not in dockerfile.read_text()
    for dockerfile in (ROOT / "deploy/docker").glob("*.Dockerfile"):
        assert "[dev]" not in dockerfile.read_text()


WITHOUT_OTHER_PACKAGES = """
import sys
from importlib import import_module
class Refusal:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in set(sys.argv[1].split()):
            raise ModuleNotFoundError(f"The image does not have {name}.", name=name)
sys.meta_path.insert(0, Refusal())
for module in sys.argv[2:]:
    import_module(module)
"""


@pytest.mark.parametrize(
    ("extra", "modules"),
    [
        ("gateway", ["ketav_gateway.main"]),
        (
            "registry",
            ["ketav_registry.main", "ketav_registry.cli", "ketav_local.command", "ketav_command.main"],
        ),
    ],
)
def test_what_an_image_runs_imports_only_packages_of_the_image(extra: str, modules: list[str]) -> None:
    """Other packages of this environment cannot be imported; the images of the engine show it when built."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    entries = select(project, (ROOT / "requirements.lock").read_text(), extra)
    installed = {name_of(line) for line in entries.splitlines() if "==" in line}
    installed |= {"ketav", "ketav-client"}
    others = {
        module
        for module, owners in packages_distributions().items()
        if not installed & {normalised(owner) for owner in owners}
    }
    assert "psutil" in others
    command = [sys.executable, "-c", WITHOUT_OTHER_PACKAGES, " ".join(others), *modules]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
