from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

T = TypeVar("T", bound="SetWebhookRequest")


@_attrs_define
class SetWebhookRequest:
    """The receiver of the events.

    Example:
        {'url': 'https://example.org/ketav'}

    """

    url: str
    """ An https URL with a public address. """

    def to_dict(self) -> dict[str, Any]:
        url = self.url

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "url": url,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        url = d.pop("url")

        set_webhook_request = cls(
            url=url,
        )

        return set_webhook_request
