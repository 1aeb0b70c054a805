"""JSON of edited lines."""

from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from ketav_common import limits
from ketav_gateway import examples
from ketav_gateway.schemas import Id, RequestBody

MAX_POINTS = 500
"""Points of a polygon: the line finder's have below 100."""
MAX_MERGED_LINES = 20
"""Lines that one merge joins: a row of a table has fewer cells."""
MAX_COORDINATE = 100_000
_Coordinate = Annotated[int, Field(ge=-MAX_COORDINATE, le=MAX_COORDINATE)]
Points = Annotated[
    list[Annotated[list[_Coordinate], Field(min_length=2, max_length=2)]], Field(max_length=MAX_POINTS)
]
"""Positions [x, y] in pixels of the stored image; those beyond its edges are moved to them."""
_Text = Annotated[str, StringConstraints(max_length=limits.MAX_LINE_CODE_POINTS)]


class NewLine(RequestBody):
    """A line to add."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "boundary": [[630, 220], [1110, 216], [1112, 290], [632, 296]],
                "after": examples.LINE_ID,
            }
        }
    )

    boundary: Points = Field(description="Polygon around the ink.", min_length=3)
    baseline: Points = Field(
        default_factory=list, description="Polyline from which the letters hang; without it one is drawn."
    )
    after: Id | None = Field(None, description="The line that it follows; without it, it is the first.")


class MergedLines(RequestBody):
    """Lines to merge."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"line_ids": [examples.LINE_ID, "5e4d3c2b-1a09-4f8e-9d7c-6b5a4f3e2d1d"]}
        }
    )

    line_ids: list[Id] = Field(
        description="UUIDs of the lines in the order of their texts.",
        min_length=2,
        max_length=MAX_MERGED_LINES,
    )

    @model_validator(mode="after")
    def _require_different(self) -> "MergedLines":
        """Refuse a line that is named twice."""
        if len(set(self.line_ids)) != len(self.line_ids):
            raise ValueError("/line_ids has a line twice. Send each line once.")
        return self


class SplitLine(RequestBody):
    """The parts of a line."""

    model_config = ConfigDict(json_schema_extra={"example": {"texts": ["שלום", "עולם"], "x": 870}})

    texts: list[_Text] = Field(
        description="Texts of the right and of the left part.", min_length=2, max_length=2
    )
    x: int | None = Field(
        None,
        description="Column of the image at which the line is divided; without it by the texts' lengths.",
    )


class ChangedLine(RequestBody):
    """A change of a line: of its position, of its geometry, or of both."""

    model_config = ConfigDict(json_schema_extra={"example": {"order": 3}})

    order: int | None = Field(None, description="New position in the reading order, from 0.", ge=0)
    boundary: Annotated[Points, Field(min_length=3)] | None = Field(
        None, description="New polygon around the ink."
    )
    baseline: Points | None = Field(
        None,
        description="New polyline from which the letters hang, sent with a boundary. Without it the line "
        "keeps its own: cut or made longer to the sides of the new boundary, and moved if it would be above "
        "or below it.",
    )

    @model_validator(mode="after")
    def _require_change(self) -> "ChangedLine":
        """Refuse a body that changes nothing, and a baseline alone."""
        if self.order is None and self.boundary is None:
            raise ValueError("The body has none of /order and /boundary. Send one of them.")
        if self.baseline is not None and self.boundary is None:
            raise ValueError("The body has /baseline without /boundary. Send both, or leave /baseline out.")
        return self
