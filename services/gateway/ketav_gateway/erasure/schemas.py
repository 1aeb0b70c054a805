"""JSON of deletions."""

from pydantic import ConfigDict, Field

from ketav_gateway import examples
from ketav_gateway.schemas import ResponseBody


class Erasure(ResponseBody):
    """The rows that a deletion removed. The stored images and models are removed within minutes."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "images": 1,
                "lines": 24,
                "corrections": 20,
                "tainted_versions": [examples.USER_VERSION],
                "cancelled_run_id": None,
                "retraining": True,
            }
        }
    )

    images: int = Field(description="Images deleted, with their transcriptions and corrections.")
    lines: int = Field(description="Lines deleted, of all transcriptions.")
    corrections: int = Field(description="Corrections deleted.")
    tainted_versions: list[str] = Field(
        description="Your model versions that were trained on a deleted line, or compared by one that was "
        "held out: they never serve again."
    )
    cancelled_run_id: str | None = Field(
        description="UUID of the training run that was cancelled because it used a deleted line; null: none."
    )
    retraining: bool = Field(description="Whether a training run without the deleted lines will be queued.")
