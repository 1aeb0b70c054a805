from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.line_correction import LineCorrection


T = TypeVar("T", bound="SubmitCorrectionsRequest")


@_attrs_define
class SubmitCorrectionsRequest:
    """Corrections of a page: either `lines` or `corrected_text`.

    Example:
        {'image_id': 'f2b1c0de-97d3-4a0e-8a53-0b6d1a2f4c22', 'lines': [{'confirm': False, 'line_id':
            '5c4b3a29-1807-4f6e-9d5c-4b3a29180744', 'text': 'שלום לכולם'}], 'project_id':
            '8a7c1f0e-3a3b-4a55-9d56-0f6c7b0c9b11'}

    """

    project_id: str
    """ UUID of the project. """
    image_id: str
    """ UUID of the image. """
    lines: list[LineCorrection] | None | Unset = UNSET
    """ Corrections of single lines. """
    corrected_text: None | str | Unset = UNSET
    """ The text of the whole page, its lines separated by line feeds; it is aligned to the lines of the
    transcription. """

    def to_dict(self) -> dict[str, Any]:
        project_id = self.project_id

        image_id = self.image_id

        lines: list[dict[str, Any]] | None | Unset
        if isinstance(self.lines, Unset):
            lines = UNSET
        elif isinstance(self.lines, list):
            lines = []
            for lines_type_0_item_data in self.lines:
                lines_type_0_item = lines_type_0_item_data.to_dict()
                lines.append(lines_type_0_item)

        else:
            lines = self.lines

        corrected_text: None | str | Unset
        if isinstance(self.corrected_text, Unset):
            corrected_text = UNSET
        else:
            corrected_text = self.corrected_text

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "project_id": project_id,
                "image_id": image_id,
            }
        )
        if lines is not UNSET:
            field_dict["lines"] = lines
        if corrected_text is not UNSET:
            field_dict["corrected_text"] = corrected_text

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.line_correction import LineCorrection  # noqa: PLC0415

        d = dict(src_dict)
        project_id = d.pop("project_id")

        image_id = d.pop("image_id")

        def _parse_lines(data: object) -> list[LineCorrection] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                lines_type_0 = []
                _lines_type_0 = data
                for lines_type_0_item_data in _lines_type_0:
                    lines_type_0_item = LineCorrection.from_dict(lines_type_0_item_data)

                    lines_type_0.append(lines_type_0_item)

                return lines_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[LineCorrection] | None | Unset, data)

        lines = _parse_lines(d.pop("lines", UNSET))

        def _parse_corrected_text(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        corrected_text = _parse_corrected_text(d.pop("corrected_text", UNSET))

        submit_corrections_request = cls(
            project_id=project_id,
            image_id=image_id,
            lines=lines,
            corrected_text=corrected_text,
        )

        return submit_corrections_request
