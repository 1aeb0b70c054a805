from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.model_record_kind import ModelRecordKind, check_model_record_kind
from ..models.model_record_script_type_0 import ModelRecordScriptType0, check_model_record_script_type_0
from ..models.model_record_state import ModelRecordState, check_model_record_state

if TYPE_CHECKING:
    from ..models.card import Card
    from ..models.model_version import ModelVersion


T = TypeVar("T", bound="ModelRecord")


@_attrs_define
class ModelRecord:
    """A version with its lineage and its model card.

    Example:
        {'version': 'b9a0c1d2-5f64-5a3e-8b7c-6d5e4f3a2b1c', 'kind': 'user', 'script': 'modern_cursive', 'hand': None,
            'state': 'active', 'parent_version': 'hebrew_base-1', 'base_version': 'hebrew_base-1', 'run_id':
            '1f0e9d8c-7b6a-4c5d-9e8f-7a6b5c4d3e2f', 'cer_before': 0.12, 'cer_after': 0.081, 'training_lines': 52,
            'created_at': '2026-11-23T09:30:00Z', 'lineage': [{'version': 'hebrew_base-1', 'kind': 'base', 'script': None,
            'hand': None, 'state': 'available', 'parent_version': None, 'base_version': None, 'run_id': None, 'cer_before':
            None, 'cer_after': None, 'training_lines': 0, 'created_at': '2026-11-01T08:00:00Z'}], 'card': {'parent':
            'hebrew_base-1', 'training_lines': 52, 'epochs': 12, 'seed': 0}}

    """

    version: str
    """ Name of the version. """
    kind: ModelRecordKind
    """ `base`: serves all users; `user`: fine-tuned on your corrections. """
    script: ModelRecordScriptType0 | None
    """ The script that it reads; null: every script. """
    hand: None | str
    """ The hand that it was trained for; null: your own, or a base. """
    state: ModelRecordState
    """ `active`: reads the next page of its hand; `available`: can be activated; `retired`: the gate rejected it;
    `tainted`: it was trained on lines that you have deleted. """
    parent_version: None | str
    """ The version that it was fine-tuned from; null for a base. """
    base_version: None | str
    """ The base model that it descends from, over all its parents; null for a base. """
    run_id: None | str
    """ UUID of the training run that made it; null for a base. """
    cer_before: float | None
    """ CER of the model that served before, on the same lines, 0 to 1. """
    cer_after: float | None
    """ CER of this version, 0 to 1, on all lines of the verdict, held-out and cross-validated. """
    training_lines: int
    """ Lines that it was trained on. """
    created_at: datetime.datetime
    """ When it was stored. """
    lineage: list[ModelVersion]
    """ The versions that it descends from: its parent first, a base last. """
    card: Card
    """ The model card: data, training and evaluation of the version. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        version = self.version

        kind: str = self.kind

        script: None | str
        if isinstance(self.script, str):
            script = self.script
        else:
            script = self.script

        hand: None | str
        hand = self.hand

        state: str = self.state

        parent_version: None | str
        parent_version = self.parent_version

        base_version: None | str
        base_version = self.base_version

        run_id: None | str
        run_id = self.run_id

        cer_before: float | None
        cer_before = self.cer_before

        cer_after: float | None
        cer_after = self.cer_after

        training_lines = self.training_lines

        created_at = self.created_at.isoformat()

        lineage = []
        for lineage_item_data in self.lineage:
            lineage_item = lineage_item_data.to_dict()
            lineage.append(lineage_item)

        card = self.card.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "version": version,
                "kind": kind,
                "script": script,
                "hand": hand,
                "state": state,
                "parent_version": parent_version,
                "base_version": base_version,
                "run_id": run_id,
                "cer_before": cer_before,
                "cer_after": cer_after,
                "training_lines": training_lines,
                "created_at": created_at,
                "lineage": lineage,
                "card": card,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.card import Card  # noqa: PLC0415
        from ..models.model_version import ModelVersion  # noqa: PLC0415

        d = dict(src_dict)
        version = d.pop("version")

        kind = check_model_record_kind(d.pop("kind"))

        def _parse_script(data: object) -> ModelRecordScriptType0 | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                script_type_0 = check_model_record_script_type_0(data)

                return script_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(ModelRecordScriptType0 | None, data)

        script = _parse_script(d.pop("script"))

        def _parse_hand(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        hand = _parse_hand(d.pop("hand"))

        state = check_model_record_state(d.pop("state"))

        def _parse_parent_version(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        parent_version = _parse_parent_version(d.pop("parent_version"))

        def _parse_base_version(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        base_version = _parse_base_version(d.pop("base_version"))

        def _parse_run_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        run_id = _parse_run_id(d.pop("run_id"))

        def _parse_cer_before(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        cer_before = _parse_cer_before(d.pop("cer_before"))

        def _parse_cer_after(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        cer_after = _parse_cer_after(d.pop("cer_after"))

        training_lines = d.pop("training_lines")

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        lineage = []
        _lineage = d.pop("lineage")
        for lineage_item_data in _lineage:
            lineage_item = ModelVersion.from_dict(lineage_item_data)

            lineage.append(lineage_item)

        card = Card.from_dict(d.pop("card"))

        model_record = cls(
            version=version,
            kind=kind,
            script=script,
            hand=hand,
            state=state,
            parent_version=parent_version,
            base_version=base_version,
            run_id=run_id,
            cer_before=cer_before,
            cer_after=cer_after,
            training_lines=training_lines,
            created_at=created_at,
            lineage=lineage,
            card=card,
        )

        model_record.additional_properties = d
        return model_record

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
