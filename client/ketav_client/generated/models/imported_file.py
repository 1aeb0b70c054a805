from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.imported_file_state import ImportedFileState, check_imported_file_state
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.imported_line import ImportedLine
    from ..models.untrained_line import UntrainedLine


T = TypeVar("T", bound="ImportedFile")


@_attrs_define
class ImportedFile:
    """The result for a file of the archive; an image is listed only when it was skipped."""

    name: str
    """ Name of the file in the archive. """
    state: ImportedFileState
    """ `imported`: lines were stored; `unchanged`: the project had every line already; `skipped`: no line was
    stored. """
    image_id: None | str | Unset = UNSET
    """ UUID of the image; null for a skipped file. """
    imported_lines: int | Unset = UNSET
    """ Lines stored, quarantined ones included. """
    unchanged_lines: int | Unset = UNSET
    """ Lines that the project had already with the same text. """
    quarantined_lines: int | Unset = UNSET
    """ Those of the stored lines whose text looks wrong: they do not train. """
    skipped_lines: int | Unset = UNSET
    """ Lines that were not stored. """
    lines: list[ImportedLine] | Unset = UNSET
    """ The first 100 skipped and quarantined lines. """
    untrained: list[UntrainedLine] | Unset = UNSET
    """ The first 100 stored lines that do not train: the model cannot write their signs. """
    code: None | str | Unset = UNSET
    """ Why the file was skipped, for programs. """
    reason: None | str | Unset = UNSET
    """ Why the file was skipped, in sentences. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        state: str = self.state

        image_id: None | str | Unset
        if isinstance(self.image_id, Unset):
            image_id = UNSET
        else:
            image_id = self.image_id

        imported_lines = self.imported_lines

        unchanged_lines = self.unchanged_lines

        quarantined_lines = self.quarantined_lines

        skipped_lines = self.skipped_lines

        lines: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.lines, Unset):
            lines = []
            for lines_item_data in self.lines:
                lines_item = lines_item_data.to_dict()
                lines.append(lines_item)

        untrained: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.untrained, Unset):
            untrained = []
            for untrained_item_data in self.untrained:
                untrained_item = untrained_item_data.to_dict()
                untrained.append(untrained_item)

        code: None | str | Unset
        if isinstance(self.code, Unset):
            code = UNSET
        else:
            code = self.code

        reason: None | str | Unset
        if isinstance(self.reason, Unset):
            reason = UNSET
        else:
            reason = self.reason

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "name": name,
                "state": state,
            }
        )
        if image_id is not UNSET:
            field_dict["image_id"] = image_id
        if imported_lines is not UNSET:
            field_dict["imported_lines"] = imported_lines
        if unchanged_lines is not UNSET:
            field_dict["unchanged_lines"] = unchanged_lines
        if quarantined_lines is not UNSET:
            field_dict["quarantined_lines"] = quarantined_lines
        if skipped_lines is not UNSET:
            field_dict["skipped_lines"] = skipped_lines
        if lines is not UNSET:
            field_dict["lines"] = lines
        if untrained is not UNSET:
            field_dict["untrained"] = untrained
        if code is not UNSET:
            field_dict["code"] = code
        if reason is not UNSET:
            field_dict["reason"] = reason

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.imported_line import ImportedLine  # noqa: PLC0415
        from ..models.untrained_line import UntrainedLine  # noqa: PLC0415

        d = dict(src_dict)
        name = d.pop("name")

        state = check_imported_file_state(d.pop("state"))

        def _parse_image_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        image_id = _parse_image_id(d.pop("image_id", UNSET))

        imported_lines = d.pop("imported_lines", UNSET)

        unchanged_lines = d.pop("unchanged_lines", UNSET)

        quarantined_lines = d.pop("quarantined_lines", UNSET)

        skipped_lines = d.pop("skipped_lines", UNSET)

        _lines = d.pop("lines", UNSET)
        lines: list[ImportedLine] | Unset = UNSET
        if _lines is not UNSET:
            lines = []
            for lines_item_data in _lines:
                lines_item = ImportedLine.from_dict(lines_item_data)

                lines.append(lines_item)

        _untrained = d.pop("untrained", UNSET)
        untrained: list[UntrainedLine] | Unset = UNSET
        if _untrained is not UNSET:
            untrained = []
            for untrained_item_data in _untrained:
                untrained_item = UntrainedLine.from_dict(untrained_item_data)

                untrained.append(untrained_item)

        def _parse_code(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        code = _parse_code(d.pop("code", UNSET))

        def _parse_reason(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        reason = _parse_reason(d.pop("reason", UNSET))

        imported_file = cls(
            name=name,
            state=state,
            image_id=image_id,
            imported_lines=imported_lines,
            unchanged_lines=unchanged_lines,
            quarantined_lines=quarantined_lines,
            skipped_lines=skipped_lines,
            lines=lines,
            untrained=untrained,
            code=code,
            reason=reason,
        )

        imported_file.additional_properties = d
        return imported_file

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
