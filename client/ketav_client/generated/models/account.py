from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.key import Key
    from ..models.limits import Limits


T = TypeVar("T", bound="Account")


@_attrs_define
class Account:
    """Your account, the key of the request, and your limits.

    Example:
        {'user_id': '3c2b1a09-8f7e-4d6c-9b5a-4f3e2d1c0b9a', 'name': 'archive', 'created_at': '2026-11-23T09:30:00Z',
            'key': {'prefix': 'ktv_0a1b2c3d', 'created_at': '2026-11-23T09:30:00Z'}, 'roles': ['user'], 'limits':
            {'requests': '3000/minute', 'readings': '3000/minute', 'uploads_at_once': 6, 'imports_at_once': 1,
            'max_upload_bytes': 26214400, 'max_import_bytes': 268435456, 'max_json_bytes': 2097152}}

    """

    user_id: str
    """ UUID of the user. """
    name: str
    """ Name that the operator gave you. """
    created_at: datetime.datetime
    """ When the account was created. """
    key: Key
    """ The API key of the request; the key itself is not stored. """
    roles: list[Literal["user"]]
    """ What the key may do: `user`, all of this API. """
    limits: Limits
    """ Limits of this server for your requests; above them it answers 429, or 413 for a size. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        user_id = self.user_id

        name = self.name

        created_at = self.created_at.isoformat()

        key = self.key.to_dict()

        roles = self.roles

        limits = self.limits.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "user_id": user_id,
                "name": name,
                "created_at": created_at,
                "key": key,
                "roles": roles,
                "limits": limits,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.key import Key  # noqa: PLC0415
        from ..models.limits import Limits  # noqa: PLC0415

        d = dict(src_dict)
        user_id = d.pop("user_id")

        name = d.pop("name")

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        key = Key.from_dict(d.pop("key"))

        roles = []
        _roles = d.pop("roles")
        for roles_item_data in _roles:
            roles_item = cast(Literal["user"], roles_item_data)
            if roles_item != "user":
                raise ValueError(f"roles_item must match const 'user', got '{roles_item}'")
            roles.append(roles_item)

        limits = Limits.from_dict(d.pop("limits"))

        account = cls(
            user_id=user_id,
            name=name,
            created_at=created_at,
            key=key,
            roles=roles,
            limits=limits,
        )

        account.additional_properties = d
        return account

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
