from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.search_match import SearchMatch


T = TypeVar("T", bound="SearchHit")


@_attrs_define
class SearchHit:
    """A line that contains the words of the query."""

    project_id: str
    """ UUID of the project. """
    image_id: str
    """ UUID of the image. """
    line_id: str
    """ UUID of the line. """
    order: int
    """ Position of the line in the reading order, from 0. """
    text: str
    """ The text that was searched: the verified text, or the reading without one. """
    score: float
    """ How well the words match, above 0 to 1: 1 where they are equal. """
    boundary: list[list[int]]
    """ Polygon around the line. """
    matches: list[SearchMatch]
    """ The matching words in the order of the text. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        project_id = self.project_id

        image_id = self.image_id

        line_id = self.line_id

        order = self.order

        text = self.text

        score = self.score

        boundary = []
        for boundary_item_data in self.boundary:
            boundary_item = []
            for boundary_item_item_data in boundary_item_data:
                boundary_item_item: int
                boundary_item_item = boundary_item_item_data
                boundary_item.append(boundary_item_item)

            boundary.append(boundary_item)

        matches = []
        for matches_item_data in self.matches:
            matches_item = matches_item_data.to_dict()
            matches.append(matches_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "project_id": project_id,
                "image_id": image_id,
                "line_id": line_id,
                "order": order,
                "text": text,
                "score": score,
                "boundary": boundary,
                "matches": matches,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.search_match import SearchMatch  # noqa: PLC0415

        d = dict(src_dict)
        project_id = d.pop("project_id")

        image_id = d.pop("image_id")

        line_id = d.pop("line_id")

        order = d.pop("order")

        text = d.pop("text")

        score = d.pop("score")

        boundary = []
        _boundary = d.pop("boundary")
        for boundary_item_data in _boundary:
            boundary_item = []
            _boundary_item = boundary_item_data
            for boundary_item_item_data in _boundary_item:

                def _parse_boundary_item_item(data: object) -> int:
                    return cast(int, data)

                boundary_item_item = _parse_boundary_item_item(boundary_item_item_data)

                boundary_item.append(boundary_item_item)

            boundary.append(boundary_item)

        matches = []
        _matches = d.pop("matches")
        for matches_item_data in _matches:
            matches_item = SearchMatch.from_dict(matches_item_data)

            matches.append(matches_item)

        search_hit = cls(
            project_id=project_id,
            image_id=image_id,
            line_id=line_id,
            order=order,
            text=text,
            score=score,
            boundary=boundary,
            matches=matches,
        )

        search_hit.additional_properties = d
        return search_hit

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
