"""The shapes of an import of ground truth."""

from typing import Any, Literal

from pydantic import ConfigDict, Field

from ketav_gateway import examples
from ketav_gateway.schemas import Answer, Request

_EXAMPLE: dict[str, Any] = {
    "project_id": examples.OCR["project_id"],
    "imported_lines": 1,
    "unchanged_lines": 0,
    "quarantined_lines": 0,
    "skipped_files": 1,
    "ground_truth_lines": 42,
    "files": [
        {
            "name": "lines/0001.gt.txt",
            "state": "imported",
            "image_id": examples.OCR["image_id"],
            "imported_lines": 1,
            "unchanged_lines": 0,
            "quarantined_lines": 0,
            "skipped_lines": 0,
            "lines": [],
            "code": None,
            "reason": None,
        },
        {
            "name": "lines/0002.png",
            "state": "skipped",
            "image_id": None,
            "imported_lines": 0,
            "unchanged_lines": 0,
            "quarantined_lines": 0,
            "skipped_lines": 0,
            "lines": [],
            "code": "no-text",
            "reason": "No text of the archive belongs to this image.",
        },
    ],
}


class ImportForm(Request):
    """The fields of an import beside the file."""

    confirm: Literal["true", "false"] = Field(
        "false", description="true: you are sure of every text, also of those that look wrong."
    )


class ImportedLine(Answer):
    """A line of a file that was left out, or is kept and not trained on."""

    line: int = Field(description="Its number in the file, from 0.")
    state: Literal["skipped", "quarantined"]
    code: str = Field(description="For a program; stable.")
    reason: str = Field(description="For a person.")


class ImportedFile(Answer):
    """What became of a file of the archive; an image is named only when it was left out."""

    name: str = Field(description="In the archive.")
    state: Literal["imported", "unchanged", "skipped"] = Field(
        description="unchanged: every line was known with this text."
    )
    image_id: str | None = Field(None, description="UUID of the page; null when the file was skipped.")
    imported_lines: int = Field(0, description="Lines stored, quarantined ones among them.")
    unchanged_lines: int = Field(0, description="Lines that were known with this text.")
    quarantined_lines: int = Field(0, description="Of the stored lines those that look wrong.")
    skipped_lines: int = Field(0, description="Lines without a text or on no place of the image.")
    lines: list[ImportedLine] = Field([], description="The first 100 lines skipped or quarantined, and why.")
    code: str | None = Field(None, description="Why the file was skipped, for a program; stable.")
    reason: str | None = Field(None, description="Why the file was skipped, for a person.")


class ImportAnswer(Answer):
    """What became of an archive of ground truth."""

    model_config = ConfigDict(json_schema_extra={"example": _EXAMPLE})

    project_id: str = Field(description="UUID.")
    imported_lines: int = Field(description="Lines stored, quarantined ones among them.")
    unchanged_lines: int = Field(description="Lines that were known with this text.")
    quarantined_lines: int = Field(description="Of the stored lines those that look wrong.")
    skipped_files: int = Field(description="Files that were left out.")
    ground_truth_lines: int | None = Field(
        description="The caller's verified lines altogether; null when nothing could be imported."
    )
    files: list[ImportedFile]


FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "additionalProperties": False,
                    "properties": {
                        "file": {
                            "type": "string",
                            "format": "binary",
                            "description": (
                                "A zip of line images, each beside a .gt.txt of the same name, "
                                "or of page images beside their ALTO 4 or PAGE XML; 256 MiB at most."
                            ),
                        },
                        **ImportForm.model_json_schema()["properties"],
                    },
                }
            }
        },
    }
}
