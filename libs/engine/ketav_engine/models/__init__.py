"""Model files: loading, checking, writing and the import of public models."""

from ketav_engine.models.files import (
    MAX_PARAMETERS,
    LoadedModel,
    build,
    check_description,
    check_spec,
    load,
    network_class,
    save,
    wrap,
)

__all__ = [
    "MAX_PARAMETERS",
    "LoadedModel",
    "build",
    "check_description",
    "check_spec",
    "load",
    "network_class",
    "save",
    "wrap",
]
