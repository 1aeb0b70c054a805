from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.ocr_accepted_response_state import OcrAcceptedResponseState, check_ocr_accepted_response_state

if TYPE_CHECKING:
    from ..models.image import Image


T = TypeVar("T", bound="OcrAcceptedResponse")


@_attrs_define
class OcrAcceptedResponse:
    """A page that is stored and will be read.

    Example:
        {'job_id': '3d2c1b0a-9f8e-4d7c-8b6a-5f4e3d2c1b0a', 'project_id': '8a7c1f0e-3a3b-4a55-9d56-0f6c7b0c9b11',
            'image_id': 'f2b1c0de-97d3-4a0e-8a53-0b6d1a2f4c22', 'state': 'stored', 'image': {'width': 1200, 'height': 1700,
            'media_type': 'image/jpeg', 'normalised': []}}

    """

    job_id: str
    """ UUID of the job that reads it; GET /jobs/{job_id} shows its outcome. """
    project_id: str
    """ UUID of the project. """
    image_id: str
    """ UUID of the image. """
    state: OcrAcceptedResponseState
    """ `stored`: not read yet. """
    image: Image
    """ A stored image. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        job_id = self.job_id

        project_id = self.project_id

        image_id = self.image_id

        state: str = self.state

        image = self.image.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "job_id": job_id,
                "project_id": project_id,
                "image_id": image_id,
                "state": state,
                "image": image,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.image import Image  # noqa: PLC0415

        d = dict(src_dict)
        job_id = d.pop("job_id")

        project_id = d.pop("project_id")

        image_id = d.pop("image_id")

        state = check_ocr_accepted_response_state(d.pop("state"))

        image = Image.from_dict(d.pop("image"))

        ocr_accepted_response = cls(
            job_id=job_id,
            project_id=project_id,
            image_id=image_id,
            state=state,
            image=image,
        )

        ocr_accepted_response.additional_properties = d
        return ocr_accepted_response

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
