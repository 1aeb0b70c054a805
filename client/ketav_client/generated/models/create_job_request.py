from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="CreateJobRequest")


@_attrs_define
class CreateJobRequest:
    """Stored images to read.

    Example:
        {'image_ids': ['f2b1c0de-97d3-4a0e-8a53-0b6d1a2f4c22'], 'project_id': '8a7c1f0e-3a3b-4a55-9d56-0f6c7b0c9b11'}

    """

    project_id: str
    """ Project of the images. """
    image_ids: list[str]
    """ UUIDs of the images, each once. """
    model: None | str | Unset = UNSET
    """ Model version to read with, one of yours or a base model; without it your active model. """

    def to_dict(self) -> dict[str, Any]:
        project_id = self.project_id

        image_ids = self.image_ids

        model: None | str | Unset
        if isinstance(self.model, Unset):
            model = UNSET
        else:
            model = self.model

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "project_id": project_id,
                "image_ids": image_ids,
            }
        )
        if model is not UNSET:
            field_dict["model"] = model

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        project_id = d.pop("project_id")

        image_ids = cast(list[str], d.pop("image_ids"))

        def _parse_model(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        model = _parse_model(d.pop("model", UNSET))

        create_job_request = cls(
            project_id=project_id,
            image_ids=image_ids,
            model=model,
        )

        return create_job_request
