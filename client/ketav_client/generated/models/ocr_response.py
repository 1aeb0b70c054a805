from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.image import Image
    from ..models.image_warning import ImageWarning
    from ..models.line import Line
    from ..models.model import Model


T = TypeVar("T", bound="OcrResponse")


@_attrs_define
class OcrResponse:
    """A page that was read.

    Example:
        {'project_id': '8a7c1f0e-3a3b-4a55-9d56-0f6c7b0c9b11', 'image_id': 'f2b1c0de-97d3-4a0e-8a53-0b6d1a2f4c22',
            'transcription_id': '0d9e8c7b-6a5f-4e3d-8c1b-2a3f4e5d6c33', 'model': {'version': 'hebrew_base-1', 'kind':
            'base'}, 'image': {'width': 1200, 'height': 1700, 'media_type': 'image/jpeg', 'normalised': []}, 'text': 'שלום
            עולם', 'confidence': 0.93, 'lines': [{'line_id': '5c4b3a29-1807-4f6e-9d5c-4b3a29180744', 'order': 0, 'text':
            'שלום עולם', 'confidence': 0.93, 'baseline': [[1100, 140], [640, 146]], 'boundary': [[630, 120], [1110, 116],
            [1112, 190], [632, 196]], 'words': [{'text': 'שלום', 'confidence': 0.95, 'start': 0, 'end': 4, 'boundary':
            [[880, 118], [1110, 116], [1112, 190], [882, 193]]}, {'text': 'עולם', 'confidence': 0.91, 'start': 5, 'end': 9,
            'boundary': [[630, 120], [860, 118], [862, 193], [632, 196]]}], 'region': 'paragraph'}], 'warnings': []}

    """

    project_id: str
    """ UUID of the project. """
    image_id: str
    """ UUID of the image. """
    transcription_id: str
    """ UUID of the transcription. """
    model: Model
    """ The model that read a page. """
    image: Image
    """ A stored image. """
    text: str
    """ The texts of all lines in reading order, joined by line feeds. """
    confidence: float | None
    """ Mean confidence of the characters, 0 to 1; null without any character. """
    lines: list[Line]
    """ Lines in reading order; empty for a blank page. """
    warnings: list[ImageWarning] | Unset = UNSET
    """ What is wrong with an image that was read in part. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        project_id = self.project_id

        image_id = self.image_id

        transcription_id = self.transcription_id

        model = self.model.to_dict()

        image = self.image.to_dict()

        text = self.text

        confidence: float | None
        confidence = self.confidence

        lines = []
        for lines_item_data in self.lines:
            lines_item = lines_item_data.to_dict()
            lines.append(lines_item)

        warnings: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.warnings, Unset):
            warnings = []
            for warnings_item_data in self.warnings:
                warnings_item = warnings_item_data.to_dict()
                warnings.append(warnings_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "project_id": project_id,
                "image_id": image_id,
                "transcription_id": transcription_id,
                "model": model,
                "image": image,
                "text": text,
                "confidence": confidence,
                "lines": lines,
            }
        )
        if warnings is not UNSET:
            field_dict["warnings"] = warnings

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.image import Image  # noqa: PLC0415
        from ..models.image_warning import ImageWarning  # noqa: PLC0415
        from ..models.line import Line  # noqa: PLC0415
        from ..models.model import Model  # noqa: PLC0415

        d = dict(src_dict)
        project_id = d.pop("project_id")

        image_id = d.pop("image_id")

        transcription_id = d.pop("transcription_id")

        model = Model.from_dict(d.pop("model"))

        image = Image.from_dict(d.pop("image"))

        text = d.pop("text")

        def _parse_confidence(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        confidence = _parse_confidence(d.pop("confidence"))

        lines = []
        _lines = d.pop("lines")
        for lines_item_data in _lines:
            lines_item = Line.from_dict(lines_item_data)

            lines.append(lines_item)

        _warnings = d.pop("warnings", UNSET)
        warnings: list[ImageWarning] | Unset = UNSET
        if _warnings is not UNSET:
            warnings = []
            for warnings_item_data in _warnings:
                warnings_item = ImageWarning.from_dict(warnings_item_data)

                warnings.append(warnings_item)

        ocr_response = cls(
            project_id=project_id,
            image_id=image_id,
            transcription_id=transcription_id,
            model=model,
            image=image,
            text=text,
            confidence=confidence,
            lines=lines,
            warnings=warnings,
        )

        ocr_response.additional_properties = d
        return ocr_response

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
