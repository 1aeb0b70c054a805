"""List what Ketav installs and serves, with licences: `make sbom` writes var/sbom/ketav.cdx.json.

    python -m tools.sbom [--check]

The list (CycloneDX 1.6) has the Python packages of the services, each with the services that install it, and
the npm packages in the correction page. `--check` writes nothing, and fails for a package whose licence
tools/licences.toml does not allow. Packages for other platforms are not installed here: the list has their
versions without licences.
"""

import json
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from tools.cpu_lock import entries, name_of
from tools.service_lock import normalised, select

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "var" / "sbom" / "ketav.cdx.json"
SERVICES = ("gateway", "registry", "recognizer", "trainer", "local")
"""Extras of pyproject.toml whose packages are listed; `local` is that of `make run`."""
_TIMEOUT_S = 300


def installed_components() -> dict[str, Any]:
    """Return the CycloneDX document of this environment. CalledProcessError: it cannot be made."""
    command = [
        sys.executable,
        "-m",
        "cyclonedx_py",
        "environment",
        sys.prefix,
        "--pyproject",
        "pyproject.toml",
    ]
    ran = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=_TIMEOUT_S)
    document: dict[str, Any] = json.loads(ran.stdout)
    return document


def services_by_package() -> dict[str, tuple[str, list[str]]]:
    """Return the version in requirements.lock, and the services that install it, of each package."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    versions: dict[str, str] = {}
    services: dict[str, list[str]] = defaultdict(list)
    for service in SERVICES:
        for entry in entries(select(project, lock, service)):
            name = name_of(entry)
            services[name].append(service)
            version = re.search(r"==([^\s;]+)", entry)
            versions[name] = version[1] if version else ""
    return {name: (versions[name], sorted(set(names))) for name, names in services.items()}


def python_components(installed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the components of the services, with a property for each service that installs them."""
    by_name = {normalised(component["name"]): component for component in installed}
    components = []
    for name, (version, services) in sorted(services_by_package().items()):
        absent = {"type": "library", "name": name, "version": version, "purl": f"pkg:pypi/{name}@{version}"}
        properties = [{"name": "ketav:service", "value": service} for service in services]
        if name not in by_name:
            properties.append({"name": "ketav:installed", "value": "not on this platform"})
        components.append(
            {**by_name.get(name, {**absent, "bom-ref": f"{name}=={version}"}), "properties": properties}
        )
    return components


def page_components() -> list[dict[str, Any]]:
    """Return the packages in web/package-lock.json that the built correction page may contain."""
    lock = json.loads((ROOT / "web" / "package-lock.json").read_text(encoding="utf-8"))
    components = []
    for path, package in lock["packages"].items():
        if not path or package.get("dev"):
            continue
        name = path.rpartition("node_modules/")[2]
        purl = f"pkg:npm/{name.replace('@', '%40')}@{package['version']}"
        licence = {"expression": package["license"]}
        components.append(
            {
                "type": "library",
                "name": name,
                "version": package["version"],
                "purl": purl,
                "bom-ref": purl,
                "licenses": [licence],
                "properties": [{"name": "ketav:service", "value": "gateway"}],
            }
        )
    return components


def declared(component: dict[str, Any]) -> list[str]:
    """Return the licences that a package declares: SPDX expressions and identifiers, else classifiers."""
    licences = component.get("licenses", [])
    spdx = [item.get("expression") or item["license"].get("id") for item in licences]
    return [text for text in spdx if text] or [item["license"]["name"] for item in licences]


def licence_problem(component: dict[str, Any], policy: dict[str, Any]) -> str | None:
    """Return why a package's licence is not allowed; None: it is, or the package is not installed here."""
    name = normalised(component["name"])
    if any(item["name"] == "ketav:installed" for item in component["properties"]):
        return None
    if any(fnmatch(name, pattern) for pattern in policy["packages"]):
        return None
    licences = declared(component)
    if any(is_allowed(licence, set(policy["allowed"])) for licence in licences):
        return None
    return f"{name} {component['version']}: {' and '.join(licences) or 'no licence in its metadata'}"


def is_allowed(licence: str, allowed: set[str]) -> bool:
    """Return whether a licence is allowed; of an expression all parts of AND must be, and one of OR."""
    if licence.startswith("License ::"):
        return licence in allowed
    alternatives = re.split(r"\s+OR\s+", licence.replace("(", "").replace(")", ""))
    return any(all(part in allowed for part in re.split(r"\s+AND\s+", one)) for one in alternatives)


def unused_packages(components: list[dict[str, Any]], policy: dict[str, Any]) -> list[str]:
    """Return the exceptions of the policy that no package needs any more."""
    names = {normalised(component["name"]) for component in components}
    return [
        f"tools/licences.toml: no service installs {pattern}"
        for pattern in policy["packages"]
        if not any(fnmatch(name, pattern) for name in names)
    ]


def main(arguments: list[str]) -> int:
    """Write the list; exit status 1 when a licence is not allowed."""
    document = installed_components()
    document["components"] = [*python_components(document["components"]), *page_components()]
    references = {component["bom-ref"] for component in document["components"]}
    root = document["metadata"]["component"]["bom-ref"]
    document["dependencies"] = [
        {**item, "dependsOn": [one for one in item.get("dependsOn", []) if one in references]}
        for item in document.get("dependencies", [])
        if item["ref"] in references or item["ref"] == root
    ]
    policy = tomllib.loads((ROOT / "tools" / "licences.toml").read_text(encoding="utf-8"))
    components = document["components"]
    problems = [text for item in components if (text := licence_problem(item, policy))]
    problems += unused_packages(components, policy)
    print("\n".join(problems))
    if "--check" not in arguments:
        TARGET.parent.mkdir(parents=True, exist_ok=True)
        TARGET.write_text(json.dumps(document, indent=1, ensure_ascii=False), encoding="utf-8")
        print(f"{TARGET.relative_to(ROOT)}:", end=" ")
    print(f"{len(components)} packages, {len(problems)} with a licence that is not allowed")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
