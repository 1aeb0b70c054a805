"""The shapes of the account: deletions and the webhook."""

from datetime import datetime
from typing import Literal

from pydantic import ConfigDict, Field

from ketav_common.limits import MAX_WEBHOOK_URL_CHARACTERS
from ketav_gateway import examples
from ketav_gateway.schemas import Answer, Request


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


class WebhookRequest(Request):
    """Where to send events to."""

    model_config = ConfigDict(json_schema_extra={"example": examples.WEBHOOK})

    url: str = Field(
        description="An https URL on the public internet.",
        min_length=1,
        max_length=MAX_WEBHOOK_URL_CHARACTERS,
    )


class WebhookDelivery(Answer):
    """An event that was sent or is to be sent."""

    delivery_id: str = Field(description="The header webhook-id: the same in every try.")
    event: str = Field(description="training.succeeded|rejected|failed|cancelled, or webhook.test.")
    state: Literal["waiting", "delivered", "failed"]
    attempts: int = Field(description="Tries so far; there are eight within a day.")
    error: str | None = Field(description="Why the last try failed.")
    created_at: datetime


class WebhookAnswer(Answer):
    """Your webhook."""

    url: str
    disabled_reason: str | None = Field(description="Why nothing is sent any more; null while it is enabled.")
    created_at: datetime
    deliveries: list[WebhookDelivery] = Field(description="The latest ten, newest first.")


class WebhookSet(WebhookAnswer):
    """Your webhook, as it was set."""

    secret: str = Field(description="whsec_…, the key of the signatures: shown this once.")


class WebhookTested(Answer):
    """A queued test."""

    delivery_id: str
