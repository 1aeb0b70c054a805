from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.version_progress_script import VersionProgressScript, check_version_progress_script

if TYPE_CHECKING:
    from ..models.model import Model


T = TypeVar("T", bound="VersionProgress")


@_attrs_define
class VersionProgress:
    """Errors of a version on the pages that it was the first to read."""

    lines: int
    """ Lines compared: those of the first reading that have a correction. """
    edits: int
    """ Insertions, deletions and substitutions of code points. """
    length: int
    """ Code points of the corrections. """
    cer: float | None
    """ Edits divided by length; null when no line was compared. """
    model: Model
    """ The model that read a page. """
    script: VersionProgressScript
    """ Script of these pages. """
    hand: None | str
    """ Hand that wrote these pages; null: your own. """
    pages: int
    """ Pages compared. """
    first_read_at: datetime.datetime
    """ Time of the first of these readings. """
    last_read_at: datetime.datetime
    """ Time of the last of these readings. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        lines = self.lines

        edits = self.edits

        length = self.length

        cer: float | None
        cer = self.cer

        model = self.model.to_dict()

        script: str = self.script

        hand: None | str
        hand = self.hand

        pages = self.pages

        first_read_at = self.first_read_at.isoformat()

        last_read_at = self.last_read_at.isoformat()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "lines": lines,
                "edits": edits,
                "length": length,
                "cer": cer,
                "model": model,
                "script": script,
                "hand": hand,
                "pages": pages,
                "first_read_at": first_read_at,
                "last_read_at": last_read_at,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.model import Model  # noqa: PLC0415

        d = dict(src_dict)
        lines = d.pop("lines")

        edits = d.pop("edits")

        length = d.pop("length")

        def _parse_cer(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        cer = _parse_cer(d.pop("cer"))

        model = Model.from_dict(d.pop("model"))

        script = check_version_progress_script(d.pop("script"))

        def _parse_hand(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        hand = _parse_hand(d.pop("hand"))

        pages = d.pop("pages")

        first_read_at = datetime.datetime.fromisoformat(d.pop("first_read_at"))

        last_read_at = datetime.datetime.fromisoformat(d.pop("last_read_at"))

        version_progress = cls(
            lines=lines,
            edits=edits,
            length=length,
            cer=cer,
            model=model,
            script=script,
            hand=hand,
            pages=pages,
            first_read_at=first_read_at,
            last_read_at=last_read_at,
        )

        version_progress.additional_properties = d
        return version_progress

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
