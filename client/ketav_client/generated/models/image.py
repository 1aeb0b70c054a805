from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="Image")


@_attrs_define
class Image:
    """A stored image."""

    width: int
    """ Width in pixels, after the image was turned upright. """
    height: int
    """ Height in pixels, after the image was turned upright. """
    media_type: str
    """ Media type of the stored file: image/png or image/jpeg. """
    normalised: list[str] | Unset = UNSET
    """ Codes of what was changed before the image was stored: `inverted` (light writing on a dark ground),
    `turned-90`, `turned-180`, `turned-270` (degrees clockwise), `deskewed`, `depth-scaled` (an image of more than 8
    bits was scaled by the bits that it uses), `brightened` (a very dark photograph). Coordinates are those of the
    stored image. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        width = self.width

        height = self.height

        media_type = self.media_type

        normalised: list[str] | Unset = UNSET
        if not isinstance(self.normalised, Unset):
            normalised = self.normalised

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "width": width,
                "height": height,
                "media_type": media_type,
            }
        )
        if normalised is not UNSET:
            field_dict["normalised"] = normalised

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        width = d.pop("width")

        height = d.pop("height")

        media_type = d.pop("media_type")

        normalised = cast(list[str], d.pop("normalised", UNSET))

        image = cls(
            width=width,
            height=height,
            media_type=media_type,
            normalised=normalised,
        )

        image.additional_properties = d
        return image

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
