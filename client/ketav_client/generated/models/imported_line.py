from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.imported_line_state import ImportedLineState, check_imported_line_state

T = TypeVar("T", bound="ImportedLine")


@_attrs_define
class ImportedLine:
    """A line that was skipped or quarantined."""

    line: int
    """ Number of the line in its file, from 1. """
    state: ImportedLineState
    """ `skipped`: not stored; `quarantined`: stored, does not train. """
    code: str
    """ The reason, for programs. """
    reason: str
    """ The reason, in sentences. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        line = self.line

        state: str = self.state

        code = self.code

        reason = self.reason

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "line": line,
                "state": state,
                "code": code,
                "reason": reason,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        line = d.pop("line")

        state = check_imported_line_state(d.pop("state"))

        code = d.pop("code")

        reason = d.pop("reason")

        imported_line = cls(
            line=line,
            state=state,
            code=code,
            reason=reason,
        )

        imported_line.additional_properties = d
        return imported_line

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
