from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.stored_correction_origin import StoredCorrectionOrigin, check_stored_correction_origin

if TYPE_CHECKING:
    from ..models.quarantine import Quarantine


T = TypeVar("T", bound="StoredCorrection")


@_attrs_define
class StoredCorrection:
    """A correction of a line, or the withdrawal of its corrections."""

    text: str
    """ The text of the line; empty for a withdrawal. """
    origin: StoredCorrectionOrigin
    """ Whether it was typed or imported. """
    confirmed: bool
    """ Whether its author has confirmed the text. """
    withdrawn: bool
    """ Whether this is the withdrawal of the corrections before it. """
    quarantine: None | Quarantine
    """ Why it does not train; null when it does. """
    created_at: datetime.datetime
    """ When it was stored. """
    author: None | str
    """ Name of the account that wrote it; null after its deletion. """
    restored_by: None | str
    """ Name of the account that restored it by undoing an edit of lines; null where none did. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.quarantine import Quarantine  # noqa: PLC0415

        text = self.text

        origin: str = self.origin

        confirmed = self.confirmed

        withdrawn = self.withdrawn

        quarantine: dict[str, Any] | None
        if isinstance(self.quarantine, Quarantine):
            quarantine = self.quarantine.to_dict()
        else:
            quarantine = self.quarantine

        created_at = self.created_at.isoformat()

        author: None | str
        author = self.author

        restored_by: None | str
        restored_by = self.restored_by

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "text": text,
                "origin": origin,
                "confirmed": confirmed,
                "withdrawn": withdrawn,
                "quarantine": quarantine,
                "created_at": created_at,
                "author": author,
                "restored_by": restored_by,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.quarantine import Quarantine  # noqa: PLC0415

        d = dict(src_dict)
        text = d.pop("text")

        origin = check_stored_correction_origin(d.pop("origin"))

        confirmed = d.pop("confirmed")

        withdrawn = d.pop("withdrawn")

        def _parse_quarantine(data: object) -> None | Quarantine:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                quarantine_type_0 = Quarantine.from_dict(data)

                return quarantine_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | Quarantine, data)

        quarantine = _parse_quarantine(d.pop("quarantine"))

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        def _parse_author(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        author = _parse_author(d.pop("author"))

        def _parse_restored_by(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        restored_by = _parse_restored_by(d.pop("restored_by"))

        stored_correction = cls(
            text=text,
            origin=origin,
            confirmed=confirmed,
            withdrawn=withdrawn,
            quarantine=quarantine,
            created_at=created_at,
            author=author,
            restored_by=restored_by,
        )

        stored_correction.additional_properties = d
        return stored_correction

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
