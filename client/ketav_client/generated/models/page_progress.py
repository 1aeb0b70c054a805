from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.page_progress_script import PageProgressScript, check_page_progress_script

if TYPE_CHECKING:
    from ..models.model import Model


T = TypeVar("T", bound="PageProgress")


@_attrs_define
class PageProgress:
    """Errors of the first reading of a page."""

    lines: int
    """ Lines compared: those of the first reading that have a correction. """
    edits: int
    """ Insertions, deletions and substitutions of code points. """
    length: int
    """ Code points of the corrections. """
    cer: float | None
    """ Edits divided by length; null when no line was compared. """
    image_id: str
    """ UUID of the image. """
    project_id: str
    """ UUID of the project. """
    script: PageProgressScript
    """ Script of the project. """
    hand: None | str
    """ Hand of the project; null: your own. """
    model: Model
    """ The model that read a page. """
    read_at: datetime.datetime
    """ When it was read first. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        lines = self.lines

        edits = self.edits

        length = self.length

        cer: float | None
        cer = self.cer

        image_id = self.image_id

        project_id = self.project_id

        script: str = self.script

        hand: None | str
        hand = self.hand

        model = self.model.to_dict()

        read_at = self.read_at.isoformat()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "lines": lines,
                "edits": edits,
                "length": length,
                "cer": cer,
                "image_id": image_id,
                "project_id": project_id,
                "script": script,
                "hand": hand,
                "model": model,
                "read_at": read_at,
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

        image_id = d.pop("image_id")

        project_id = d.pop("project_id")

        script = check_page_progress_script(d.pop("script"))

        def _parse_hand(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        hand = _parse_hand(d.pop("hand"))

        model = Model.from_dict(d.pop("model"))

        read_at = datetime.datetime.fromisoformat(d.pop("read_at"))

        page_progress = cls(
            lines=lines,
            edits=edits,
            length=length,
            cer=cer,
            image_id=image_id,
            project_id=project_id,
            script=script,
            hand=hand,
            model=model,
            read_at=read_at,
        )

        page_progress.additional_properties = d
        return page_progress

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
