from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.quarantined_line import QuarantinedLine
    from ..models.refused_line import RefusedLine
    from ..models.unaligned import Unaligned
    from ..models.untrained_line import UntrainedLine


T = TypeVar("T", bound="SubmitCorrectionsResponse")


@_attrs_define
class SubmitCorrectionsResponse:
    """The stored corrections.

    Example:
        {'feedback_id': '3d2c1b0a-9f8e-4d7c-8b6a-5f4e3d2c1b0a', 'accepted_lines': 1, 'unaligned': [], 'quarantined': [],
            'refused': [], 'untrained': [], 'ground_truth_lines': 42}

    """

    feedback_id: str
    """ UUID of this set of corrections. """
    accepted_lines: int
    """ Lines stored by this request, quarantined ones included. """
    unaligned: list[Unaligned]
    """ Texts and lines that could not be aligned. """
    quarantined: list[QuarantinedLine]
    """ Stored corrections that look wrong: they are shown and do not train. """
    refused: list[RefusedLine]
    """ Lines whose text may not be stored. """
    untrained: list[UntrainedLine]
    """ Stored lines that do not train because the model cannot write their signs. """
    ground_truth_lines: int
    """ Number of your lines that would train now. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        feedback_id = self.feedback_id

        accepted_lines = self.accepted_lines

        unaligned = []
        for unaligned_item_data in self.unaligned:
            unaligned_item = unaligned_item_data.to_dict()
            unaligned.append(unaligned_item)

        quarantined = []
        for quarantined_item_data in self.quarantined:
            quarantined_item = quarantined_item_data.to_dict()
            quarantined.append(quarantined_item)

        refused = []
        for refused_item_data in self.refused:
            refused_item = refused_item_data.to_dict()
            refused.append(refused_item)

        untrained = []
        for untrained_item_data in self.untrained:
            untrained_item = untrained_item_data.to_dict()
            untrained.append(untrained_item)

        ground_truth_lines = self.ground_truth_lines

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "feedback_id": feedback_id,
                "accepted_lines": accepted_lines,
                "unaligned": unaligned,
                "quarantined": quarantined,
                "refused": refused,
                "untrained": untrained,
                "ground_truth_lines": ground_truth_lines,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.quarantined_line import QuarantinedLine  # noqa: PLC0415
        from ..models.refused_line import RefusedLine  # noqa: PLC0415
        from ..models.unaligned import Unaligned  # noqa: PLC0415
        from ..models.untrained_line import UntrainedLine  # noqa: PLC0415

        d = dict(src_dict)
        feedback_id = d.pop("feedback_id")

        accepted_lines = d.pop("accepted_lines")

        unaligned = []
        _unaligned = d.pop("unaligned")
        for unaligned_item_data in _unaligned:
            unaligned_item = Unaligned.from_dict(unaligned_item_data)

            unaligned.append(unaligned_item)

        quarantined = []
        _quarantined = d.pop("quarantined")
        for quarantined_item_data in _quarantined:
            quarantined_item = QuarantinedLine.from_dict(quarantined_item_data)

            quarantined.append(quarantined_item)

        refused = []
        _refused = d.pop("refused")
        for refused_item_data in _refused:
            refused_item = RefusedLine.from_dict(refused_item_data)

            refused.append(refused_item)

        untrained = []
        _untrained = d.pop("untrained")
        for untrained_item_data in _untrained:
            untrained_item = UntrainedLine.from_dict(untrained_item_data)

            untrained.append(untrained_item)

        ground_truth_lines = d.pop("ground_truth_lines")

        submit_corrections_response = cls(
            feedback_id=feedback_id,
            accepted_lines=accepted_lines,
            unaligned=unaligned,
            quarantined=quarantined,
            refused=refused,
            untrained=untrained,
            ground_truth_lines=ground_truth_lines,
        )

        submit_corrections_response.additional_properties = d
        return submit_corrections_response

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
