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
        "the mean of the project."
    )
    novelty: float = Field(
        description="Share of its character n-grams that no corrected and no better ranked line has, 0 to 1."
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
                        "reason": "The model is 31% unsure of its characters; most of its letter sequences "
                        "are new.",
                    }
                ],
                "candidates": 40,
            }
        }
    )

    lines: list[NextLine] = Field(description="Lines, best first.")
    candidates: int = Field(description="Number of uncorrected lines of the project.")
