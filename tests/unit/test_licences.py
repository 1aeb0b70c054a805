"""The lists of packages: which licences pass, and what a scan for secrets reports."""

from pathlib import Path

import pytest

from tools import secret_scan
from tools.sbom import is_allowed, licence_problem, page_components, unused_packages

POLICY = {
    "allowed": ["MIT", "Apache-2.0", "License :: Public Domain"],
    "packages": {"nvidia-*": "NVIDIA's terms."},
}


@pytest.mark.parametrize(
    ("licence", "passes"),
    [
        ("MIT", True),
        ("MIT OR GPL-3.0-only", True),
        ("MIT AND Apache-2.0", True),
        ("MIT AND GPL-3.0-only", False),
        ("(GPL-2.0-only OR MIT)", True),
        ("GPL-3.0-only", False),
        ("License :: Public Domain", True),
        ("License :: Other/Proprietary License", False),
    ],
)
def test_a_licence_passes_when_all_of_its_parts_are_allowed(licence: str, passes: bool) -> None:
    """Around OR one allowed licence suffices: the user of a package chooses."""
    assert is_allowed(licence, set(POLICY["allowed"])) is passes


def component(name: str, **values: object) -> dict[str, object]:
    """Return a component as CycloneDX writes it."""
    return {"name": name, "version": "1.0", "properties": [], **values}


def test_a_package_without_an_allowed_licence_is_named_with_what_it_declares() -> None:
    """A package that tools/licences.toml names with a reason passes, and one for another platform."""
    copyleft = component("copyleft", licenses=[{"license": {"id": "AGPL-3.0-only"}}])
    assert licence_problem(copyleft, POLICY) == "copyleft 1.0: AGPL-3.0-only"
    assert licence_problem(component("silent"), POLICY) == "silent 1.0: no licence in its metadata"
    assert licence_problem(component("NVIDIA_cublas"), POLICY) is None
    absent = [{"name": "ketav:installed", "value": "not on this platform"}]
    assert licence_problem(component("silent", properties=absent), POLICY) is None


def test_an_exception_for_a_package_that_no_service_installs_is_reported() -> None:
    """Exceptions are removed with their packages."""
    assert unused_packages([component("mit")], POLICY) == [
        "tools/licences.toml: no service installs nvidia-*"
    ]
    assert unused_packages([component("nvidia-nccl")], POLICY) == []


def test_the_list_has_the_libraries_of_the_page() -> None:
    """The built page contains them; the tools of its build are not listed."""
    names = {item["name"] for item in page_components()}
    assert {"svelte", "openseadragon"} <= names
    assert "vite" not in names


def test_the_scan_reports_a_private_key_and_no_example(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """URLs with a password in examples are no finding."""
    example, key = tmp_path / "example.md", tmp_path / "key.txt"
    example.write_text("postgresql://role:password@host/ketav\n")
    key.write_text(f"-----BEGIN RSA {'PRIVATE'} KEY-----\n")
    monkeypatch.setattr(secret_scan, "tracked", lambda root: [example])
    assert secret_scan.main() == 0
    monkeypatch.setattr(secret_scan, "tracked", lambda root: [example, key])
    assert secret_scan.main() == 1
