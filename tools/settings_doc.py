"""Write docs/settings.md from the settings classes of the services, or check that it is fresh (`--check`)."""

import importlib
import sys
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MinLen
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from ketav_common.settings import ServiceSettings

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "settings.md"
MIB = 2**20
SECTIONS: Mapping[str, str] = {
    "Gateway": "ketav_gateway.settings.GatewaySettings",
    "Registry": "ketav_registry.settings.RegistrySettings",
    "Recognizer: server": "ketav_recognizer.settings.RecognizerSettings",
    "Recognizer: worker": "ketav_recognizer.settings.JobWorkerSettings",
    "Trainer: server": "ketav_trainer.settings.TrainerSettings",
    "Trainer: worker": "ketav_trainer.settings.WorkerSettings",
    "`ketav admin`": "ketav_registry.settings.AdminSettings",
    "`make run`": "ketav_local.settings.LocalSettings",
}
"""The settings class of each process, in the order of the page."""
BEGINNING = """# Settings

Generated from the settings classes by `python -m tools.settings_doc`; do not edit.

Every process reads its settings from environment variables when it starts, and refuses to start when one is
missing or out of range. `make run` sets the variables that the services require and passes the others of
its own environment on to them. For containers, set them in `docker-compose.yml`
([containers](howto/containers.md)).

A setting can also be a file: `KETAV_SECRETS_DIR` names a directory whose files are named like variables and
contain their values, without the white space around them. A variable has precedence over a file.
"""
TYPES: Mapping[object, str] = {
    int: "integer",
    float: "number",
    str: "text",
    bool: "`true`, `false`",
    Path: "path",
    SecretStr: "text, secret",
}
"""How the page names the types of fields."""
SIGNS: Mapping[type, str] = {Ge: "≥", Gt: ">", Le: "≤", Lt: "<", MinLen: "length ≥"}
COMMON_TITLE = "All services"


def load(name: str) -> type[BaseSettings]:
    """Import a settings class by its dotted name."""
    module, _, attribute = name.rpartition(".")
    settings: type[BaseSettings] = getattr(importlib.import_module(module), attribute)
    return settings


def type_text(annotation: object) -> str:
    """Return a field's type as a reader names it; an optional one like the type itself."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return type_text(get_args(annotation)[0])
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in get_args(annotation))
    if origin in {Union, types.UnionType}:
        return ", ".join(type_text(part) for part in get_args(annotation) if part is not type(None))
    return TYPES[annotation]


def limits_text(field: FieldInfo) -> str:
    """Return the bounds of a field, such as `≥ 1, ≤ 64`, or the values that a pattern allows."""
    texts = []
    for limit in field.metadata:
        sign = SIGNS.get(type(limit))
        pattern = getattr(limit, "pattern", None)
        if sign is not None:
            bound = next(value for name, value in vars_of(limit).items() if name != "strict")
            texts.append(f"{sign} {bound:,}")
        elif pattern is not None:
            texts.append(", ".join(f"`{value}`" for value in pattern.strip("^$()").split("|")))
    return ", ".join(texts)


def vars_of(limit: object) -> dict[str, Any]:
    """Return the attributes of a constraint, which has slots."""
    return {name: getattr(limit, name) for name in type(limit).__dataclass_fields__}  # type: ignore[attr-defined]


def default_text(name: str, field: FieldInfo) -> str:
    """Return the default of a field; sizes also in MiB, "required" or "unset" where there is none."""
    if field.is_required():
        return "required"
    value = field.default
    if value is None or value == "":
        return "unset"
    if name.endswith("_bytes") and isinstance(value, int) and value and value % MIB == 0:
        return f"`{value}` ({value // MIB:,} MiB)"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def variable_of(name: str, field: FieldInfo) -> str:
    """Return the variable of a field: KETAV_<NAME>, or the standard one that it names."""
    return str(field.validation_alias) if field.validation_alias else f"KETAV_{name.upper()}"


def rows(fields: Mapping[str, FieldInfo]) -> Iterator[str]:
    """Yield the table of some fields, one line a row."""
    yield "| variable | type | default | meaning |"
    yield "|---|---|---|---|"
    for name, field in fields.items():
        limits = limits_text(field)
        kind = limits if "`" in limits else ", ".join(filter(None, (type_text(field.annotation), limits)))
        meaning = (field.description or "").replace("|", "\\|")
        yield f"| `{variable_of(name, field)}` | {kind} | {default_text(name, field)} | {meaning} |"


def page() -> str:
    """Return the whole page; fields that all services share come first and once."""
    common = ServiceSettings.model_fields
    lines = [BEGINNING, f"## {COMMON_TITLE}", "", *rows(common)]
    for title, name in SECTIONS.items():
        settings = load(name)
        own = {field: info for field, info in settings.model_fields.items() if not shared(settings, field)}
        lines += ["", f"## {title}", "", *rows(own)]
    return "\n".join(lines) + "\n"


def shared(settings: type[BaseSettings], field: str) -> bool:
    """Return whether a field is one of the common settings, with nothing changed by the service."""
    inherited = ServiceSettings.model_fields.get(field)
    own = settings.model_fields[field]
    return inherited is not None and (inherited.description, inherited.default) == (
        own.description,
        own.default,
    )


def main() -> int:
    """Write the page, or with --check return 1 when the committed one differs."""
    fresh = page()
    if "--check" not in sys.argv:
        PAGE.write_text(fresh, encoding="utf-8")
        return 0
    stale = not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != fresh
    print(
        "docs/settings.md is stale: run `python -m tools.settings_doc`"
        if stale
        else "docs/settings.md is fresh"
    )
    return int(stale)


if __name__ == "__main__":
    sys.exit(main())
