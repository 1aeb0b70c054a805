from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.job_page_error import JobPageError


T = TypeVar("T", bound="JobExport")


@_attrs_define
class JobExport:
    """The export that a job writes, and its file."""

    format_: str
    """ Format of the export. """
    image_ids: list[str]
    """ UUIDs of the exported images; empty: all of the project. """
    images: bool
    """ Whether a zip has the image files, too. """
    size_bytes: int | None
    """ Size of the file, which `GET /jobs/{job_id}/export` returns; null without a file. """
    expires_at: datetime.datetime | None
    """ When the file is removed; null without a file. """
    error: JobPageError | None
    """ Why the export failed, or why its latest attempt did. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.job_page_error import JobPageError  # noqa: PLC0415

        format_ = self.format_

        image_ids = self.image_ids

        images = self.images

        size_bytes: int | None
        size_bytes = self.size_bytes

        expires_at: None | str
        if isinstance(self.expires_at, datetime.datetime):
            expires_at = self.expires_at.isoformat()
        else:
            expires_at = self.expires_at

        error: dict[str, Any] | None
        if isinstance(self.error, JobPageError):
            error = self.error.to_dict()
        else:
            error = self.error

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "format": format_,
                "image_ids": image_ids,
                "images": images,
                "size_bytes": size_bytes,
                "expires_at": expires_at,
                "error": error,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.job_page_error import JobPageError  # noqa: PLC0415

        d = dict(src_dict)
        format_ = d.pop("format")

        image_ids = cast(list[str], d.pop("image_ids"))

        images = d.pop("images")

        def _parse_size_bytes(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        size_bytes = _parse_size_bytes(d.pop("size_bytes"))

        def _parse_expires_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                expires_at_type_0 = datetime.datetime.fromisoformat(data)

                return expires_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        expires_at = _parse_expires_at(d.pop("expires_at"))

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

        job_export = cls(
            format_=format_,
            image_ids=image_ids,
            images=images,
            size_bytes=size_bytes,
            expires_at=expires_at,
            error=error,
        )

        job_export.additional_properties = d
        return job_export

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
