"""Model files: loading, checking, writing and the import of public models."""

from ketav_engine.models.files import WORDS_KEY, LoadedModel, checked_digest, load, save, wrap
from ketav_engine.models.specification import (
    MAX_PARAMETERS,
    build,
    check_description,
    check_spec,
    network_class,
)

__all__ = [
    "MAX_PARAMETERS",
    "WORDS_KEY",
    "LoadedModel",
    "build",
    "check_description",
    "check_spec",
    "checked_digest",
    "load",
    "network_class",
    "save",
    "wrap",
]
