from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="RefusedLine")


@_attrs_define
class RefusedLine:
    """A line that was not stored because of its text. The other lines of the request are stored."""

    line_id: None | str
    """ UUID of the line; null for a line of `corrected_text`. """
    line: int | None
    """ Number of the line of `corrected_text`, from 1; null for `lines`. """
    code: str
    """ The reason, for programs. """
    detail: str
    """ The reason, in sentences. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        line_id: None | str
        line_id = self.line_id

        line: int | None
        line = self.line

        code = self.code

        detail = self.detail

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "line_id": line_id,
                "line": line,
                "code": code,
                "detail": detail,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)

        def _parse_line_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        line_id = _parse_line_id(d.pop("line_id"))

        def _parse_line(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        line = _parse_line(d.pop("line"))

        code = d.pop("code")

        detail = d.pop("detail")

        refused_line = cls(
            line_id=line_id,
            line=line,
            code=code,
            detail=detail,
        )

        refused_line.additional_properties = d
        return refused_line

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
