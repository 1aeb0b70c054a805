from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.document_page_state import DocumentPageState, check_document_page_state
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.image_warning import ImageWarning
    from ..models.page_error import PageError


T = TypeVar("T", bound="DocumentPage")


@_attrs_define
class DocumentPage:
    """A page of a document."""

    position: int
    """ Position of the page in the file, from 1. """
    image_id: None | str
    """ UUID of the image; null if the page was not stored. """
    state: DocumentPageState
    """ `read`; `stored`: not read yet, or the recognition failed; `failed`: not stored. """
    error: None | PageError
    """ Why it was not read; null if it was, or still will be. """
    warnings: list[ImageWarning] | Unset = UNSET
    """ What is wrong with a page that was read in part. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.page_error import PageError  # noqa: PLC0415

        position = self.position

        image_id: None | str
        image_id = self.image_id

        state: str = self.state

        error: dict[str, Any] | None
        if isinstance(self.error, PageError):
            error = self.error.to_dict()
        else:
            error = self.error

        warnings: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.warnings, Unset):
            warnings = []
            for warnings_item_data in self.warnings:
                warnings_item = warnings_item_data.to_dict()
                warnings.append(warnings_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "position": position,
                "image_id": image_id,
                "state": state,
                "error": error,
            }
        )
        if warnings is not UNSET:
            field_dict["warnings"] = warnings

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.image_warning import ImageWarning  # noqa: PLC0415
        from ..models.page_error import PageError  # noqa: PLC0415

        d = dict(src_dict)
        position = d.pop("position")

        def _parse_image_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        image_id = _parse_image_id(d.pop("image_id"))

        state = check_document_page_state(d.pop("state"))

        def _parse_error(data: object) -> None | PageError:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                error_type_0 = PageError.from_dict(data)

                return error_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | PageError, data)

        error = _parse_error(d.pop("error"))

        _warnings = d.pop("warnings", UNSET)
        warnings: list[ImageWarning] | Unset = UNSET
        if _warnings is not UNSET:
            warnings = []
            for warnings_item_data in _warnings:
                warnings_item = ImageWarning.from_dict(warnings_item_data)

                warnings.append(warnings_item)

        document_page = cls(
            position=position,
            image_id=image_id,
            state=state,
            error=error,
            warnings=warnings,
        )

        document_page.additional_properties = d
        return document_page

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
