from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="NewLine")


@_attrs_define
class NewLine:
    """A line to add.

    Example:
        {'after': '5c4b3a29-1807-4f6e-9d5c-4b3a29180744', 'boundary': [[630, 220], [1110, 216], [1112, 290], [632,
            296]]}

    """

    boundary: list[list[int]]
    """ Polygon around the ink. """
    baseline: list[list[int]] | Unset = UNSET
    """ Polyline from which the letters hang; without it one is drawn. """
    after: None | str | Unset = UNSET
    """ The line that it follows; without it, it is the first. """

    def to_dict(self) -> dict[str, Any]:
        boundary = []
        for boundary_item_data in self.boundary:
            boundary_item = boundary_item_data

            boundary.append(boundary_item)

        baseline: list[list[int]] | Unset = UNSET
        if not isinstance(self.baseline, Unset):
            baseline = []
            for baseline_item_data in self.baseline:
                baseline_item = baseline_item_data

                baseline.append(baseline_item)

        after: None | str | Unset
        if isinstance(self.after, Unset):
            after = UNSET
        else:
            after = self.after

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "boundary": boundary,
            }
        )
        if baseline is not UNSET:
            field_dict["baseline"] = baseline
        if after is not UNSET:
            field_dict["after"] = after

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        boundary = []
        _boundary = d.pop("boundary")
        for boundary_item_data in _boundary:
            boundary_item = cast(list[int], boundary_item_data)

            boundary.append(boundary_item)

        _baseline = d.pop("baseline", UNSET)
        baseline: list[list[int]] | Unset = UNSET
        if _baseline is not UNSET:
            baseline = []
            for baseline_item_data in _baseline:
                baseline_item = cast(list[int], baseline_item_data)

                baseline.append(baseline_item)

        def _parse_after(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        after = _parse_after(d.pop("after", UNSET))

        new_line = cls(
            boundary=boundary,
            baseline=baseline,
            after=after,
        )

        return new_line
