from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.new_project_script_type_0 import NewProjectScriptType0, check_new_project_script_type_0
from ..types import UNSET, Unset

T = TypeVar("T", bound="NewProject")


@_attrs_define
class NewProject:
    """A project to create without images.

    Example:
        {'name': 'Diary 1948', 'script': 'modern_cursive'}

    """

    name: str
    """ Name that none of your projects has. """
    script: NewProjectScriptType0 | None | Unset = UNSET
    """ Script of its pages; without it that of `hand`, or modern cursive. """
    hand: None | str | Unset = UNSET
    """ Name of the person who wrote the pages: their hand gets a model of its own. A new name makes a hand; without
    a name it is your own. """

    def to_dict(self) -> dict[str, Any]:
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

        field_dict.update(
            {
                "name": name,
            }
        )
        if script is not UNSET:
            field_dict["script"] = script
        if hand is not UNSET:
            field_dict["hand"] = hand

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        name = d.pop("name")

        def _parse_script(data: object) -> NewProjectScriptType0 | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                script_type_0 = check_new_project_script_type_0(data)

                return script_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(NewProjectScriptType0 | None | Unset, data)

        script = _parse_script(d.pop("script", UNSET))

        def _parse_hand(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        hand = _parse_hand(d.pop("hand", UNSET))

        new_project = cls(
            name=name,
            script=script,
            hand=hand,
        )

        return new_project
