"""JSON of ground-truth imports."""

from typing import Any, Literal

from pydantic import ConfigDict, Field

from ketav_gateway import examples
from ketav_gateway.schemas import HandName, RequestBody, ResponseBody
from ketav_gateway.transcriptions.schemas import UntrainedLine

_EXAMPLE: dict[str, Any] = {
    "project_id": examples.PROJECT_ID,
    "imported_lines": 1,
    "unchanged_lines": 0,
    "quarantined_lines": 0,
    "skipped_files": 1,
    "ground_truth_lines": 42,
    "files": [
        {
            "name": "lines/0001.gt.txt",
            "state": "imported",
            "image_id": examples.IMAGE_ID,
            "imported_lines": 1,
            "unchanged_lines": 0,
            "quarantined_lines": 0,
            "skipped_lines": 0,
            "lines": [],
            "untrained": [],
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
            "untrained": [],
            "code": "no-text",
            "reason": "The archive has no text for this image. Add a .gt.txt or XML file of the same name.",
        },
    ],
}
_IMPORTED_LINES = "Lines stored, quarantined ones included."
_UNCHANGED_LINES = "Lines that the project had already with the same text."
_QUARANTINED_LINES = "Those of the stored lines whose text looks wrong: they do not train."


class ImportForm(RequestBody):
    """The fields of an import in addition to the archive."""

    hand: HandName | None = Field(
        None, description="Name of the hand that the project must have; without it, any."
    )
    confirm: Literal["true", "false"] = Field(
        "false",
        description="`true`: you confirm all texts of the archive; those that look wrong train instead of "
        "being quarantined.",
    )


class ImportedLine(ResponseBody):
    """A line that was skipped or quarantined."""

    line: int = Field(description="Number of the line in its file, from 1.")
    state: Literal["skipped", "quarantined"] = Field(
        description="`skipped`: not stored; `quarantined`: stored, does not train."
    )
    code: str = Field(description="The reason, for programs.")
    reason: str = Field(description="The reason, in sentences.")


class ImportedFile(ResponseBody):
    """The result for a file of the archive; an image is listed only when it was skipped."""

    name: str = Field(description="Name of the file in the archive.")
    state: Literal["imported", "unchanged", "skipped"] = Field(
        description="`imported`: lines were stored; `unchanged`: the project had every line already; "
        "`skipped`: no line was stored."
    )
    image_id: str | None = Field(None, description="UUID of the image; null for a skipped file.")
    imported_lines: int = Field(0, description=_IMPORTED_LINES)
    unchanged_lines: int = Field(0, description=_UNCHANGED_LINES)
    quarantined_lines: int = Field(0, description=_QUARANTINED_LINES)
    skipped_lines: int = Field(0, description="Lines that were not stored.")
    lines: list[ImportedLine] = Field([], description="The first 100 skipped and quarantined lines.")
    untrained: list[UntrainedLine] = Field(
        [], description="The first 100 stored lines that do not train: the model cannot write their signs."
    )
    code: str | None = Field(None, description="Why the file was skipped, for programs.")
    reason: str | None = Field(None, description="Why the file was skipped, in sentences.")


class ImportGroundTruthResponse(ResponseBody):
    """The result of an import."""

    model_config = ConfigDict(json_schema_extra={"example": _EXAMPLE})

    project_id: str = Field(description="UUID of the project.")
    imported_lines: int = Field(description=_IMPORTED_LINES)
    unchanged_lines: int = Field(description=_UNCHANGED_LINES)
    quarantined_lines: int = Field(description=_QUARANTINED_LINES)
    skipped_files: int = Field(description="Files that were skipped.")
    ground_truth_lines: int | None = Field(
        description="Number of your lines that would train now; null when no file was imported."
    )
    files: list[ImportedFile] = Field(description="The files of the archive.")
