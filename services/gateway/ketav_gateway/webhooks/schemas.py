"""JSON of webhooks."""

from datetime import datetime
from typing import Any, Literal

from pydantic import ConfigDict, Field

from ketav_common.limits import MAX_WEBHOOK_URL_CHARACTERS
from ketav_gateway import examples
from ketav_gateway.schemas import RequestBody, ResponseBody

_URL = "https://example.org/ketav"
_DELIVERY_ID = "7c6b5a49-3827-4160-9f8e-7d6c5b4a3928"
_EXAMPLE: dict[str, Any] = {
    "url": _URL,
    "disabled_reason": None,
    "created_at": examples.CREATED_AT,
    "deliveries": [
        {
            "delivery_id": _DELIVERY_ID,
            "event": "training.succeeded",
            "state": "delivered",
            "attempts": 1,
            "error": None,
            "created_at": examples.CREATED_AT,
        }
    ],
}


class SetWebhookRequest(RequestBody):
    """The receiver of the events."""

    model_config = ConfigDict(json_schema_extra={"example": {"url": _URL}})

    url: str = Field(
        description="An https URL with a public address.",
        min_length=1,
        json_schema_extra={
            "maxLength": MAX_WEBHOOK_URL_CHARACTERS
        },  # the registry's error says what is wrong
    )


class WebhookDelivery(ResponseBody):
    """An event and the attempts to deliver it."""

    delivery_id: str = Field(description="UUID; the header webhook-id of each attempt.")
    event: str = Field(
        description="`training.succeeded`, `training.rejected`, `training.failed`, `training.cancelled` or "
        "`webhook.test`."
    )
    state: Literal["waiting", "delivered", "failed"] = Field(
        description="`waiting`: a further attempt follows; `failed`: no attempt succeeded."
    )
    attempts: int = Field(description="Attempts so far; at most eight within a day.")
    error: str | None = Field(description="Why the last attempt failed; null if it did not.")
    created_at: datetime = Field(description="When the event happened.")


class Webhook(ResponseBody):
    """The caller's webhook."""

    model_config = ConfigDict(json_schema_extra={"example": _EXAMPLE})

    url: str = Field(description="The receiver.")
    disabled_reason: str | None = Field(
        description="Why no event is sent any more; null while the webhook is enabled."
    )
    created_at: datetime = Field(description="When it was set.")
    deliveries: list[WebhookDelivery] = Field(description="The latest ten deliveries, newest first.")


class WebhookWithSecret(Webhook):
    """The caller's webhook as it was set."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                **_EXAMPLE,
                "deliveries": [],
                "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            }
        }
    )

    secret: str = Field(description="Key of the signatures, `whsec_…`. No other response contains it.")


class TestDelivery(ResponseBody):
    """A queued test delivery."""

    model_config = ConfigDict(json_schema_extra={"example": {"delivery_id": _DELIVERY_ID}})

    delivery_id: str = Field(description="UUID of the delivery.")
