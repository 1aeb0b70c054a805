from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="AuditEntry")


@_attrs_define
class AuditEntry:
    """An action on your account."""

    created_at: datetime.datetime
    """ When it was done. """
    actor: str
    """ Who did it: `user`, with one of your keys; `member`, of a project of yours; `operator`; a service, such as
    `trainer`; or `database`, a statement of the database's owner. """
    member: None | str
    """ Name of the member's account; null for other actors, and once you share nothing with it. """
    action: str
    """ `account.created`, `.disabled`, `.enabled`; `key.created`, `.revoked`; `page.deleted`; `project.deleted`,
    `.exported`; `model.activated`; `webhook.set`, `.deleted`. """
    subject: str
    """ A key's 8 characters after `ktv_`, a model's version (`base`: the base of the script), or a project's id
    with the format of the export; empty for what is deleted and for the account. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        created_at = self.created_at.isoformat()

        actor = self.actor

        member: None | str
        member = self.member

        action = self.action

        subject = self.subject

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "created_at": created_at,
                "actor": actor,
                "member": member,
                "action": action,
                "subject": subject,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        actor = d.pop("actor")

        def _parse_member(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        member = _parse_member(d.pop("member"))

        action = d.pop("action")

        subject = d.pop("subject")

        audit_entry = cls(
            created_at=created_at,
            actor=actor,
            member=member,
            action=action,
            subject=subject,
        )

        audit_entry.additional_properties = d
        return audit_entry

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
