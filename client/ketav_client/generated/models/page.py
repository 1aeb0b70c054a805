from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.page_layout import PageLayout, check_page_layout
from ..models.page_state import PageState, check_page_state

if TYPE_CHECKING:
    from ..models.image import Image
    from ..models.transcription import Transcription


T = TypeVar("T", bound="Page")


@_attrs_define
class Page:
    """A page of a project with its latest transcription.

    Example:
        {'image_id': 'f2b1c0de-97d3-4a0e-8a53-0b6d1a2f4c22', 'project_id': '8a7c1f0e-3a3b-4a55-9d56-0f6c7b0c9b11',
            'state': 'read', 'layout': 'page', 'created_at': '2026-11-23T09:30:00Z', 'image': {'width': 1200, 'height':
            1700, 'media_type': 'image/jpeg', 'normalised': []}, 'transcription': {'transcription_id':
            '0d9e8c7b-6a5f-4e3d-8c1b-2a3f4e5d6c33', 'model': {'version': 'hebrew_base-1', 'kind': 'base'}, 'created_at':
            '2026-11-23T09:30:00Z', 'text': 'שלום עולם', 'confidence': 0.93, 'lines': [{'line_id':
            '5c4b3a29-1807-4f6e-9d5c-4b3a29180744', 'order': 0, 'text': 'שלום עולם', 'confidence': 0.93, 'baseline': [[1100,
            140], [640, 146]], 'boundary': [[630, 120], [1110, 116], [1112, 190], [632, 196]], 'words': [{'text': 'שלום',
            'confidence': 0.95, 'start': 0, 'end': 4, 'boundary': [[880, 118], [1110, 116], [1112, 190], [882, 193]]},
            {'text': 'עולם', 'confidence': 0.91, 'start': 5, 'end': 9, 'boundary': [[630, 120], [860, 118], [862, 193],
            [632, 196]]}], 'region': 'paragraph', 'corrected_text': 'שלום לכולם', 'verified_text': 'שלום לכולם',
            'verified_words': [{'text': 'שלום', 'confidence': None, 'start': 0, 'end': 4, 'boundary': [[880, 118], [1110,
            116], [1112, 190], [882, 193]]}, {'text': 'לכולם', 'confidence': None, 'start': 5, 'end': 10, 'boundary': [[630,
            120], [860, 118], [862, 193], [632, 196]]}], 'quarantine': None, 'correction_id':
            '7b6a5f4e-3d2c-4b1a-8f9e-8d7c6b5a4f3e', 'author': 'Noa'}]}}

    """

    image_id: str
    """ UUID of the image. """
    project_id: str
    """ UUID of the project. """
    state: PageState
    """ `stored`: not read yet, or the recognition failed; `read`: it has a transcription. """
    layout: PageLayout
    """ Whether the image shows a page or one line. """
    created_at: datetime.datetime
    """ When the image was stored. """
    image: Image
    """ A stored image. """
    transcription: None | Transcription
    """ The latest transcription; null while there is none. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.transcription import Transcription  # noqa: PLC0415

        image_id = self.image_id

        project_id = self.project_id

        state: str = self.state

        layout: str = self.layout

        created_at = self.created_at.isoformat()

        image = self.image.to_dict()

        transcription: dict[str, Any] | None
        if isinstance(self.transcription, Transcription):
            transcription = self.transcription.to_dict()
        else:
            transcription = self.transcription

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "image_id": image_id,
                "project_id": project_id,
                "state": state,
                "layout": layout,
                "created_at": created_at,
                "image": image,
                "transcription": transcription,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.image import Image  # noqa: PLC0415
        from ..models.transcription import Transcription  # noqa: PLC0415

        d = dict(src_dict)
        image_id = d.pop("image_id")

        project_id = d.pop("project_id")

        state = check_page_state(d.pop("state"))

        layout = check_page_layout(d.pop("layout"))

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        image = Image.from_dict(d.pop("image"))

        def _parse_transcription(data: object) -> None | Transcription:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                transcription_type_0 = Transcription.from_dict(data)

                return transcription_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | Transcription, data)

        transcription = _parse_transcription(d.pop("transcription"))

        page = cls(
            image_id=image_id,
            project_id=project_id,
            state=state,
            layout=layout,
            created_at=created_at,
            image=image,
            transcription=transcription,
        )

        page.additional_properties = d
        return page

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
