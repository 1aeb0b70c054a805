"""JSON of next lines."""

from pydantic import ConfigDict, Field

from ketav_gateway import examples
from ketav_gateway.schemas import ResponseBody


class NextLine(ResponseBody):
    """An uncorrected line with the reasons for its rank."""

    line_id: str = Field(description="UUID of the line.")
    image_id: str = Field(description="UUID of its image.")
    order: int = Field(description="Position in the reading order of its page, from 0.")
    text: str = Field(description="The reading.")
    uncertainty: float = Field(
        description="Mean of 1 - confidence over its characters, 0 to 1; for a short line it is shrunk to "
        "the mean of the ranked lines."
    )
    novelty: float = Field(
        description="Mean of 1 / (1 + n) over its distinct sequences of 1 to 3 characters, 0 to 1: n is the "
        "number of corrected lines of the project and of better ranked lines that contain the sequence."
    )
    reason: str = Field(description="Why the line is listed, in sentences.")


class NextLineList(ResponseBody):
    """The uncorrected lines whose correction improves your model most."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "lines": [
                    {
                        "line_id": examples.LINE_ID,
                        "image_id": examples.IMAGE_ID,
                        "order": 0,
                        "text": examples.TEXT,
                        "uncertainty": 0.31,
                        "novelty": 0.62,
                        "reason": "The mean confidence of its characters is 69%. Most of its letter "
                        "sequences are new.",
                    }
                ],
                "candidates": 40,
            }
        }
    )

    lines: list[NextLine] = Field(description="Lines, best first.")
    candidates: int = Field(description="Number of uncorrected lines of the project.")
