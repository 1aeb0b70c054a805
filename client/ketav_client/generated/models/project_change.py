from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.project_change_script_type_0 import ProjectChangeScriptType0, check_project_change_script_type_0
from ..types import UNSET, Unset

T = TypeVar("T", bound="ProjectChange")


@_attrs_define
class ProjectChange:
    """A change of a project: a field that is absent or null stays as it is.

    Example:
        {'name': 'Diary 1948, second part'}

    """

    name: None | str | Unset = UNSET
    """ New name, which none of your other projects has. """
    script: None | ProjectChangeScriptType0 | Unset = UNSET
    """ New script of its pages; their corrections train the models of this script then. """
    hand: None | str | Unset = UNSET
    """ Name of the hand that wrote its pages, which has the script of the project; their corrections train its
    models then. A new name makes a hand; empty: your own hand. """

    def to_dict(self) -> dict[str, Any]:
        name: None | str | Unset
        if isinstance(self.name, Unset):
            name = UNSET
        else:
            name = self.name

        script: None | str | Unset
        if isinstance(self.script, Unset):
            script = UNSET
        elif isinstance(self.script, str):
            script = self.script
        else:
            script = self.script

        hand: None | str | Unset
        if isinstance(self.hand, Unset):
            hand = UNSET
        else:
            hand = self.hand

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if name is not UNSET:
            field_dict["name"] = name
        if script is not UNSET:
            field_dict["script"] = script
        if hand is not UNSET:
            field_dict["hand"] = hand

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)

        def _parse_name(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        name = _parse_name(d.pop("name", UNSET))

        def _parse_script(data: object) -> None | ProjectChangeScriptType0 | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                script_type_0 = check_project_change_script_type_0(data)

                return script_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | ProjectChangeScriptType0 | Unset, data)

        script = _parse_script(d.pop("script", UNSET))

        def _parse_hand(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        hand = _parse_hand(d.pop("hand", UNSET))

        project_change = cls(
            name=name,
            script=script,
            hand=hand,
        )

        return project_change
