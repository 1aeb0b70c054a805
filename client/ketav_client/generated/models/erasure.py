from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="Erasure")


@_attrs_define
class Erasure:
    """The rows that a deletion removed. The stored images and models are removed within minutes.

    Example:
        {'images': 1, 'lines': 24, 'corrections': 20, 'tainted_versions': ['b9a0c1d2-5f64-5a3e-8b7c-6d5e4f3a2b1c'],
            'cancelled_run_id': None, 'retraining': True}

    """

    images: int
    """ Images deleted, with their transcriptions and corrections. """
    lines: int
    """ Lines deleted, of all transcriptions. """
    corrections: int
    """ Corrections deleted. """
    tainted_versions: list[str]
    """ Your model versions that were trained on a deleted line, or compared by one that was held out: they never
    serve again. """
    cancelled_run_id: None | str
    """ UUID of the training run that was cancelled because it used a deleted line; null: none. """
    retraining: bool
    """ Whether a training run without the deleted lines will be queued. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        images = self.images

        lines = self.lines

        corrections = self.corrections

        tainted_versions = self.tainted_versions

        cancelled_run_id: None | str
        cancelled_run_id = self.cancelled_run_id

        retraining = self.retraining

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "images": images,
                "lines": lines,
                "corrections": corrections,
                "tainted_versions": tainted_versions,
                "cancelled_run_id": cancelled_run_id,
                "retraining": retraining,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        images = d.pop("images")

        lines = d.pop("lines")

        corrections = d.pop("corrections")

        tainted_versions = cast(list[str], d.pop("tainted_versions"))

        def _parse_cancelled_run_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        cancelled_run_id = _parse_cancelled_run_id(d.pop("cancelled_run_id"))

        retraining = d.pop("retraining")

        erasure = cls(
            images=images,
            lines=lines,
            corrections=corrections,
            tainted_versions=tainted_versions,
            cancelled_run_id=cancelled_run_id,
            retraining=retraining,
        )

        erasure.additional_properties = d
        return erasure

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
