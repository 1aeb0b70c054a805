from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.webhook_delivery import WebhookDelivery


T = TypeVar("T", bound="Webhook")


@_attrs_define
class Webhook:
    """The caller's webhook.

    Example:
        {'url': 'https://example.org/ketav', 'disabled_reason': None, 'created_at': '2026-11-23T09:30:00Z',
            'deliveries': [{'delivery_id': '7c6b5a49-3827-4160-9f8e-7d6c5b4a3928', 'event': 'training.succeeded', 'state':
            'delivered', 'attempts': 1, 'error': None, 'created_at': '2026-11-23T09:30:00Z'}]}

    """

    url: str
    """ The receiver. """
    disabled_reason: None | str
    """ Why no event is sent any more; null while the webhook is enabled. """
    created_at: datetime.datetime
    """ When it was set. """
    deliveries: list[WebhookDelivery]
    """ The latest ten deliveries, newest first. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        url = self.url

        disabled_reason: None | str
        disabled_reason = self.disabled_reason

        created_at = self.created_at.isoformat()

        deliveries = []
        for deliveries_item_data in self.deliveries:
            deliveries_item = deliveries_item_data.to_dict()
            deliveries.append(deliveries_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "url": url,
                "disabled_reason": disabled_reason,
                "created_at": created_at,
                "deliveries": deliveries,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.webhook_delivery import WebhookDelivery  # noqa: PLC0415

        d = dict(src_dict)
        url = d.pop("url")

        def _parse_disabled_reason(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        disabled_reason = _parse_disabled_reason(d.pop("disabled_reason"))

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        deliveries = []
        _deliveries = d.pop("deliveries")
        for deliveries_item_data in _deliveries:
            deliveries_item = WebhookDelivery.from_dict(deliveries_item_data)

            deliveries.append(deliveries_item)

        webhook = cls(
            url=url,
            disabled_reason=disabled_reason,
            created_at=created_at,
            deliveries=deliveries,
        )

        webhook.additional_properties = d
        return webhook

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
