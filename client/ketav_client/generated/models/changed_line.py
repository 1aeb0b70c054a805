from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="ChangedLine")


@_attrs_define
class ChangedLine:
    """A change of a line: of its position, of its geometry, or of both.

    Example:
        {'order': 3}

    """

    order: int | None | Unset = UNSET
    """ New position in the reading order, from 0. """
    boundary: list[list[int]] | None | Unset = UNSET
    """ New polygon around the ink. """
    baseline: list[list[int]] | None | Unset = UNSET
    """ New polyline from which the letters hang, sent with a boundary. Without it the line keeps its own: cut or
    made longer to the sides of the new boundary, and moved if it would be above or below it. """

    def to_dict(self) -> dict[str, Any]:
        order: int | None | Unset
        if isinstance(self.order, Unset):
            order = UNSET
        else:
            order = self.order

        boundary: list[list[int]] | None | Unset
        if isinstance(self.boundary, Unset):
            boundary = UNSET
        elif isinstance(self.boundary, list):
            boundary = []
            for boundary_type_0_item_data in self.boundary:
                boundary_type_0_item = boundary_type_0_item_data

                boundary.append(boundary_type_0_item)

        else:
            boundary = self.boundary

        baseline: list[list[int]] | None | Unset
        if isinstance(self.baseline, Unset):
            baseline = UNSET
        elif isinstance(self.baseline, list):
            baseline = []
            for baseline_type_0_item_data in self.baseline:
                baseline_type_0_item = baseline_type_0_item_data

                baseline.append(baseline_type_0_item)

        else:
            baseline = self.baseline

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if order is not UNSET:
            field_dict["order"] = order
        if boundary is not UNSET:
            field_dict["boundary"] = boundary
        if baseline is not UNSET:
            field_dict["baseline"] = baseline

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)

        def _parse_order(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        order = _parse_order(d.pop("order", UNSET))

        def _parse_boundary(data: object) -> list[list[int]] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                boundary_type_0 = []
                _boundary_type_0 = data
                for boundary_type_0_item_data in _boundary_type_0:
                    boundary_type_0_item = cast(list[int], boundary_type_0_item_data)

                    boundary_type_0.append(boundary_type_0_item)

                return boundary_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[list[int]] | None | Unset, data)

        boundary = _parse_boundary(d.pop("boundary", UNSET))

        def _parse_baseline(data: object) -> list[list[int]] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                baseline_type_0 = []
                _baseline_type_0 = data
                for baseline_type_0_item_data in _baseline_type_0:
                    baseline_type_0_item = cast(list[int], baseline_type_0_item_data)

                    baseline_type_0.append(baseline_type_0_item)

                return baseline_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[list[int]] | None | Unset, data)

        baseline = _parse_baseline(d.pop("baseline", UNSET))

        changed_line = cls(
            order=order,
            boundary=boundary,
            baseline=baseline,
        )

        return changed_line
