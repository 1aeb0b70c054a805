from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.model_version import ModelVersion


T = TypeVar("T", bound="ModelList")


@_attrs_define
class ModelList:
    """The caller's versions and the base models.

    Example:
        {'models': [{'version': 'b9a0c1d2-5f64-5a3e-8b7c-6d5e4f3a2b1c', 'kind': 'user', 'script': 'modern_cursive',
            'hand': None, 'state': 'active', 'parent_version': 'hebrew_base-1', 'base_version': 'hebrew_base-1', 'run_id':
            '1f0e9d8c-7b6a-4c5d-9e8f-7a6b5c4d3e2f', 'cer_before': 0.12, 'cer_after': 0.081, 'training_lines': 52,
            'created_at': '2026-11-23T09:30:00Z'}, {'version': 'hebrew_base-1', 'kind': 'base', 'script': None, 'hand':
            None, 'state': 'available', 'parent_version': None, 'base_version': None, 'run_id': None, 'cer_before': None,
            'cer_after': None, 'training_lines': 0, 'created_at': '2026-11-01T08:00:00Z'}], 'next_cursor': None}

    """

    models: list[ModelVersion]
    """ Versions, newest first. """
    next_cursor: None | str
    """ Cursor of the next versions; null after the last one. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        models = []
        for models_item_data in self.models:
            models_item = models_item_data.to_dict()
            models.append(models_item)

        next_cursor: None | str
        next_cursor = self.next_cursor

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "models": models,
                "next_cursor": next_cursor,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.model_version import ModelVersion  # noqa: PLC0415

        d = dict(src_dict)
        models = []
        _models = d.pop("models")
        for models_item_data in _models:
            models_item = ModelVersion.from_dict(models_item_data)

            models.append(models_item)

        def _parse_next_cursor(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        next_cursor = _parse_next_cursor(d.pop("next_cursor"))

        model_list = cls(
            models=models,
            next_cursor=next_cursor,
        )

        model_list.additional_properties = d
        return model_list

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
