"""docs/settings.md lists every setting of every service, and is generated."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

from tools import settings_doc


class ExampleSettings(BaseSettings):
    """One field of each form that the page renders."""

    size_bytes: int = Field(2 * 2**20, gt=0, description="Largest file.")
    level: str = Field("INFO", pattern="^(DEBUG|INFO)$", description="Least level.")
    key: SecretStr = Field(min_length=8, description="The a|b key.")
    folder: Path | None = Field(None, description="A folder.")
    private: bool = Field(False, description="Allow it.")


def test_the_committed_page_is_the_generated_one() -> None:
    """After a change of a settings class run `python -m tools.settings_doc`."""
    assert settings_doc.PAGE.read_text(encoding="utf-8") == settings_doc.page()


def test_the_page_lists_every_field_of_every_service() -> None:
    """Each with its variable and a description."""
    page = settings_doc.page()
    for name in settings_doc.SECTIONS.values():
        for field, info in settings_doc.load(name).model_fields.items():
            assert f"`{settings_doc.variable_of(field, info)}`" in page
            assert info.description, f"{name}.{field} has no description"


def test_a_row_has_type_bounds_default_and_meaning() -> None:
    """Sizes are also given in MiB, allowed values are listed, secrets are marked, defaults may be missing."""
    assert list(settings_doc.rows(ExampleSettings.model_fields))[2:] == [
        "| `KETAV_SIZE_BYTES` | integer, > 0 | `2097152` (2 MiB) | Largest file. |",
        "| `KETAV_LEVEL` | `DEBUG`, `INFO` | `INFO` | Least level. |",
        "| `KETAV_KEY` | text, secret, length ≥ 8 | required | The a\\|b key. |",
        "| `KETAV_FOLDER` | path | unset | A folder. |",
        "| `KETAV_PRIVATE` | `true`, `false` | `false` | Allow it. |",
    ]
