"""The shapes of the account: deletions."""

from pydantic import Field

from ketav_gateway.schemas import Answer


class ErasureAnswer(Answer):
    """What a deletion did. The stored images and models follow within minutes."""

    images: int = Field(description="Images deleted, with everything read and corrected on them.")
    lines: int = Field(description="Lines deleted, of all readings.")
    corrections: int = Field(description="Corrections deleted.")
    tainted_versions: list[str] = Field(
        description="Model versions that had learnt from a deleted line: deleted, they never serve again."
    )
    cancelled_run_id: str | None = Field(description="The training that was cancelled over it.")
    retraining: bool = Field(description="Whether a training without the deleted lines follows by itself.")
