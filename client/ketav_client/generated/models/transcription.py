from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.corrected_line import CorrectedLine
    from ..models.model import Model


T = TypeVar("T", bound="Transcription")


@_attrs_define
class Transcription:
    """A model's reading of a page, or the lines of an import, with corrections."""

    transcription_id: str
    """ UUID of the transcription. """
    model: Model | None
    """ The model that read the page; null for imported lines. """
    created_at: datetime.datetime
    """ When it was recorded. """
    text: str
    """ The texts of all lines as read, in reading order, joined by line feeds. """
    confidence: float | None
    """ Mean confidence of the characters, 0 to 1; null without any character. """
    lines: list[CorrectedLine]
    """ Lines in reading order. """
    edited: bool | Unset = UNSET
    """ Whether you have edited its lines: `POST .../lines/undo` undoes it. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.model import Model  # noqa: PLC0415

        transcription_id = self.transcription_id

        model: dict[str, Any] | None
        if isinstance(self.model, Model):
            model = self.model.to_dict()
        else:
            model = self.model

        created_at = self.created_at.isoformat()

        text = self.text

        confidence: float | None
        confidence = self.confidence

        lines = []
        for lines_item_data in self.lines:
            lines_item = lines_item_data.to_dict()
            lines.append(lines_item)

        edited = self.edited

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "transcription_id": transcription_id,
                "model": model,
                "created_at": created_at,
                "text": text,
                "confidence": confidence,
                "lines": lines,
            }
        )
        if edited is not UNSET:
            field_dict["edited"] = edited

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.corrected_line import CorrectedLine  # noqa: PLC0415
        from ..models.model import Model  # noqa: PLC0415

        d = dict(src_dict)
        transcription_id = d.pop("transcription_id")

        def _parse_model(data: object) -> Model | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                model_type_0 = Model.from_dict(data)

                return model_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(Model | None, data)

        model = _parse_model(d.pop("model"))

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        text = d.pop("text")

        def _parse_confidence(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        confidence = _parse_confidence(d.pop("confidence"))

        lines = []
        _lines = d.pop("lines")
        for lines_item_data in _lines:
            lines_item = CorrectedLine.from_dict(lines_item_data)

            lines.append(lines_item)

        edited = d.pop("edited", UNSET)

        transcription = cls(
            transcription_id=transcription_id,
            model=model,
            created_at=created_at,
            text=text,
            confidence=confidence,
            lines=lines,
            edited=edited,
        )

        transcription.additional_properties = d
        return transcription

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
