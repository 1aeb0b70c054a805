from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.job_page_state import JobPageState, check_job_page_state

if TYPE_CHECKING:
    from ..models.job_page_error import JobPageError


T = TypeVar("T", bound="JobPage")


@_attrs_define
class JobPage:
    """A page of a job."""

    position: int
    """ Position of the page in the document or in the request, from 1. """
    image_id: None | str
    """ UUID of the image; null while it is not stored. """
    state: JobPageState
    """ `queued` and `running` are active; `read`, `failed` and `cancelled` are final. """
    attempts: int
    """ How often a worker has begun to read it; after five it fails. """
    error: JobPageError | None
    """ Why it failed, or why its latest attempt did. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.job_page_error import JobPageError  # noqa: PLC0415

        position = self.position

        image_id: None | str
        image_id = self.image_id

        state: str = self.state

        attempts = self.attempts

        error: dict[str, Any] | None
        if isinstance(self.error, JobPageError):
            error = self.error.to_dict()
        else:
            error = self.error

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "position": position,
                "image_id": image_id,
                "state": state,
                "attempts": attempts,
                "error": error,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.job_page_error import JobPageError  # noqa: PLC0415

        d = dict(src_dict)
        position = d.pop("position")

        def _parse_image_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        image_id = _parse_image_id(d.pop("image_id"))

        state = check_job_page_state(d.pop("state"))

        attempts = d.pop("attempts")

        def _parse_error(data: object) -> JobPageError | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                error_type_0 = JobPageError.from_dict(data)

                return error_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(JobPageError | None, data)

        error = _parse_error(d.pop("error"))

        job_page = cls(
            position=position,
            image_id=image_id,
            state=state,
            attempts=attempts,
            error=error,
        )

        job_page.additional_properties = d
        return job_page

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
