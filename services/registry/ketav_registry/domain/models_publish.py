"""The model that a training run publishes."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Publication:
    """The header of a published model: run and fence, length and digest of the file, gate's verdict.

    CER is 0 to 1, on all lines of the verdict. `promote`: the gate accepted the model. `model_card` is JSON.
    `serving_version` is the version that it was compared with, empty: the one that served at the claim.
    `completed`: the model learnt the held-out lines after they had measured it.
    """

    run_id: UUID
    fence: int
    size_bytes: int
    sha256: bytes
    cer_before: float
    cer_after: float
    promote: bool
    verdict: str
    training_lines: int
    model_card: str
    serving_version: str = ""
    completed: bool = False
