from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.document_page import DocumentPage


T = TypeVar("T", bound="OcrDocumentResponse")


@_attrs_define
class OcrDocumentResponse:
    """A PDF or TIFF of several pages: each page is an image of one project.

    Example:
        {'project_id': '8a7c1f0e-3a3b-4a55-9d56-0f6c7b0c9b11', 'pages': [{'position': 1, 'image_id':
            'f2b1c0de-97d3-4a0e-8a53-0b6d1a2f4c22', 'state': 'read', 'error': None, 'warnings': []}, {'position': 2,
            'image_id': None, 'state': 'failed', 'error': {'code': 'image-too-small', 'detail': 'The image has 12 x 40
            pixels; each side needs at least 16. Scan the page at a higher resolution.'}, 'warnings': []}]}

    """

    project_id: str
    """ UUID of the project that has the pages. """
    pages: list[DocumentPage]
    """ The pages in their order in the file, at most 20. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        project_id = self.project_id

        pages = []
        for pages_item_data in self.pages:
            pages_item = pages_item_data.to_dict()
            pages.append(pages_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "project_id": project_id,
                "pages": pages,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.document_page import DocumentPage  # noqa: PLC0415

        d = dict(src_dict)
        project_id = d.pop("project_id")

        pages = []
        _pages = d.pop("pages")
        for pages_item_data in _pages:
            pages_item = DocumentPage.from_dict(pages_item_data)

            pages.append(pages_item)

        ocr_document_response = cls(
            project_id=project_id,
            pages=pages,
        )

        ocr_document_response.additional_properties = d
        return ocr_document_response

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
