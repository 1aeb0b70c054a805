"""A feature has one noun: in the contracts, the layers of the registry, the gateway and the tests."""

from fnmatch import fnmatch
from pathlib import Path

import pytest

from tools.budget import ROOT
from tools.hygiene import tracked

FEATURES = {
    "projects", "pages", "transcriptions", "corrections", "ground_truth", "training", "models", "next_lines",
    "webhooks", "accounts", "jobs", "members",
}  # fmt: skip
MESSAGES = {"erasure"}
"""Nouns without a service of their own: parts of several features."""
LAYERS = ("servicer", "usecases", "convert", "domain", "repository", "tables")
SHARED = {"__init__", "common", "columns", "requests", "object_removal", "stored_objects"}
"""Modules of a layer that several features use."""
RETIRED = ("learning", "teaching", "feedback")
"""Nouns that no module of the services or their tests is named after."""
REGISTRY = ROOT / "services" / "registry" / "ketav_registry"
GATEWAY = ROOT / "services" / "gateway" / "ketav_gateway"


def feature_of(module: str) -> str | None:
    """Return the feature that a module's name is or begins with."""
    return next(
        (noun for noun in FEATURES | MESSAGES if module == noun or module.startswith(f"{noun}_")), None
    )


def modules(folder: Path) -> list[str]:
    """Return the names of the modules of a folder."""
    return sorted(path.stem for path in folder.glob("*.py"))


def test_each_feature_has_a_contract_a_servicer_and_use_cases() -> None:
    """Under the same name, so that a search for the noun lists them."""
    protos = {path.stem for path in (ROOT / "protos" / "ketav" / "registry" / "v1").glob("*.proto")}
    assert protos == FEATURES | MESSAGES
    assert set(modules(REGISTRY / "servicer")) - {"__init__"} == FEATURES
    assert not FEATURES - {feature_of(name) for name in modules(REGISTRY / "usecases")}


@pytest.mark.parametrize("layer", LAYERS)
def test_each_module_of_a_layer_belongs_to_a_feature(layer: str) -> None:
    """Or is one of the few that several features use."""
    names = set(modules(REGISTRY / layer)) - SHARED
    assert {name for name in names if feature_of(name) is None} == set()


def test_each_folder_of_the_gateway_is_a_feature_or_http() -> None:
    """A feature's folder has its routes; erasure has none, for what is deleted belongs to other features."""
    folders = {path.name for path in GATEWAY.iterdir() if (path / "__init__.py").is_file()} - {"http"}
    assert folders == FEATURES | MESSAGES
    assert {name for name in folders if not (GATEWAY / name / "routes.py").is_file()} == MESSAGES


PARTS = {
    "proto": "protos/ketav/registry/v1/NOUN.proto",
    "routes": "services/gateway/ketav_gateway/NOUN/routes.py",
    "servicer": "services/registry/ketav_registry/servicer/NOUN.py",
    "tables": "services/registry/ketav_registry/tables/NOUN.py",
    "tests": "tests/*/test_*NOUN*.py",
}
"""What a search for a noun lists, by the words of ARCHITECTURE.md."""
ABSENT = {("next_lines", "tables"), ("erasure", "routes"), ("erasure", "servicer")}
"""The exceptions that ARCHITECTURE.md names."""


@pytest.mark.parametrize("part", PARTS)
def test_a_search_for_the_noun_lists_each_part_of_a_feature(part: str) -> None:
    """Among the files of the repository, except for the named exceptions."""
    names = [str(path) for path in tracked(ROOT)]
    for noun in FEATURES | MESSAGES:
        pattern = PARTS[part].replace("NOUN", noun)
        listed = [name for name in names if noun in name and fnmatch(name, pattern)]
        assert bool(listed) is ((noun, part) not in ABSENT), (noun, part)


def test_no_module_has_a_second_noun_for_a_feature() -> None:
    """The nouns of the first layout are gone."""
    trees = [REGISTRY, GATEWAY, ROOT / "protos", ROOT / "tests" / "integration"]
    paths = [path for tree in trees for path in [*tree.rglob("*.py"), *tree.rglob("*.proto")]]
    assert [str(path) for path in paths if any(noun in path.stem for noun in RETIRED)] == []
