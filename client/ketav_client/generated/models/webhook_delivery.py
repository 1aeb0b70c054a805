from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.webhook_delivery_state import WebhookDeliveryState, check_webhook_delivery_state

T = TypeVar("T", bound="WebhookDelivery")


@_attrs_define
class WebhookDelivery:
    """An event and the attempts to deliver it."""

    delivery_id: str
    """ UUID; the header webhook-id of each attempt. """
    event: str
    """ `training.succeeded`, `training.rejected`, `training.failed`, `training.cancelled` or `webhook.test`. """
    state: WebhookDeliveryState
    """ `waiting`: a further attempt follows; `failed`: no attempt succeeded. """
    attempts: int
    """ Attempts so far; at most eight within a day. """
    error: None | str
    """ Why the last attempt failed; null if it did not. """
    created_at: datetime.datetime
    """ When the event happened. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        delivery_id = self.delivery_id

        event = self.event

        state: str = self.state

        attempts = self.attempts

        error: None | str
        error = self.error

        created_at = self.created_at.isoformat()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "delivery_id": delivery_id,
                "event": event,
                "state": state,
                "attempts": attempts,
                "error": error,
                "created_at": created_at,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        delivery_id = d.pop("delivery_id")

        event = d.pop("event")

        state = check_webhook_delivery_state(d.pop("state"))

        attempts = d.pop("attempts")

        def _parse_error(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        error = _parse_error(d.pop("error"))

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        webhook_delivery = cls(
            delivery_id=delivery_id,
            event=event,
            state=state,
            attempts=attempts,
            error=error,
            created_at=created_at,
        )

        webhook_delivery.additional_properties = d
        return webhook_delivery

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
