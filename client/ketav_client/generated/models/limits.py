from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="Limits")


@_attrs_define
class Limits:
    """Limits of this server for your requests; above them it answers 429, or 413 for a size."""

    requests: str
    """ Requests in a window of time, counted in each process. """
    readings: str
    """ Readings, imports and training runs in a window of time. """
    uploads_at_once: int
    """ Uploads that are received at the same time. """
    imports_at_once: int
    """ Imports that are received at the same time. """
    max_upload_bytes: int
    """ Bytes of an image. """
    max_import_bytes: int
    """ Bytes of a ground-truth archive. """
    max_json_bytes: int
    """ Bytes of a JSON body. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        requests = self.requests

        readings = self.readings

        uploads_at_once = self.uploads_at_once

        imports_at_once = self.imports_at_once

        max_upload_bytes = self.max_upload_bytes

        max_import_bytes = self.max_import_bytes

        max_json_bytes = self.max_json_bytes

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "requests": requests,
                "readings": readings,
                "uploads_at_once": uploads_at_once,
                "imports_at_once": imports_at_once,
                "max_upload_bytes": max_upload_bytes,
                "max_import_bytes": max_import_bytes,
                "max_json_bytes": max_json_bytes,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        requests = d.pop("requests")

        readings = d.pop("readings")

        uploads_at_once = d.pop("uploads_at_once")

        imports_at_once = d.pop("imports_at_once")

        max_upload_bytes = d.pop("max_upload_bytes")

        max_import_bytes = d.pop("max_import_bytes")

        max_json_bytes = d.pop("max_json_bytes")

        limits = cls(
            requests=requests,
            readings=readings,
            uploads_at_once=uploads_at_once,
            imports_at_once=imports_at_once,
            max_upload_bytes=max_upload_bytes,
            max_import_bytes=max_import_bytes,
            max_json_bytes=max_json_bytes,
        )

        limits.additional_properties = d
        return limits

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
