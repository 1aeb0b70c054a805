from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.corrected_line import CorrectedLine
    from ..models.untrained_line import UntrainedLine


T = TypeVar("T", bound="CorrectLineResponse")


@_attrs_define
class CorrectLineResponse:
    """A corrected line.

    Example:
        {'line': {'line_id': '5c4b3a29-1807-4f6e-9d5c-4b3a29180744', 'order': 0, 'text': 'שלום עולם', 'confidence':
            0.93, 'baseline': [[1100, 140], [640, 146]], 'boundary': [[630, 120], [1110, 116], [1112, 190], [632, 196]],
            'words': [{'text': 'שלום', 'confidence': 0.95, 'start': 0, 'end': 4, 'boundary': [[880, 118], [1110, 116],
            [1112, 190], [882, 193]]}, {'text': 'עולם', 'confidence': 0.91, 'start': 5, 'end': 9, 'boundary': [[630, 120],
            [860, 118], [862, 193], [632, 196]]}], 'region': 'paragraph', 'corrected_text': 'שלום לכולם', 'verified_text':
            'שלום לכולם', 'verified_words': [{'text': 'שלום', 'confidence': None, 'start': 0, 'end': 4, 'boundary': [[880,
            118], [1110, 116], [1112, 190], [882, 193]]}, {'text': 'לכולם', 'confidence': None, 'start': 5, 'end': 10,
            'boundary': [[630, 120], [860, 118], [862, 193], [632, 196]]}], 'quarantine': None, 'correction_id':
            '7b6a5f4e-3d2c-4b1a-8f9e-8d7c6b5a4f3e', 'author': 'Noa'}, 'untrained': None, 'ground_truth_lines': 42}

    """

    line: CorrectedLine
    """ A line with its latest correction. """
    untrained: None | UntrainedLine
    """ Why the line does not train although its text counts; null when it does. """
    ground_truth_lines: int
    """ Number of your lines that would train now. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.untrained_line import UntrainedLine  # noqa: PLC0415

        line = self.line.to_dict()

        untrained: dict[str, Any] | None
        if isinstance(self.untrained, UntrainedLine):
            untrained = self.untrained.to_dict()
        else:
            untrained = self.untrained

        ground_truth_lines = self.ground_truth_lines

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "line": line,
                "untrained": untrained,
                "ground_truth_lines": ground_truth_lines,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.corrected_line import CorrectedLine  # noqa: PLC0415
        from ..models.untrained_line import UntrainedLine  # noqa: PLC0415

        d = dict(src_dict)
        line = CorrectedLine.from_dict(d.pop("line"))

        def _parse_untrained(data: object) -> None | UntrainedLine:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                untrained_type_0 = UntrainedLine.from_dict(data)

                return untrained_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | UntrainedLine, data)

        untrained = _parse_untrained(d.pop("untrained"))

        ground_truth_lines = d.pop("ground_truth_lines")

        correct_line_response = cls(
            line=line,
            untrained=untrained,
            ground_truth_lines=ground_truth_lines,
        )

        correct_line_response.additional_properties = d
        return correct_line_response

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
