from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any, TypeVar

from attrs import define as _attrs_define

from .. import types
from ..models.import_ground_truth_body_confirm import (
    ImportGroundTruthBodyConfirm,
    check_import_ground_truth_body_confirm,
)
from ..types import UNSET, File, Unset

T = TypeVar("T", bound="ImportGroundTruthBody")


@_attrs_define
class ImportGroundTruthBody:
    file: File
    """ A zip of line images with a .gt.txt file of the same name each, or of page images with their ALTO 4 or PAGE
    XML; at most 256 MiB. """
    hand: str | Unset = UNSET
    """ Name of the hand that the project must have; without it, any. """
    confirm: ImportGroundTruthBodyConfirm | Unset = UNSET
    """ `true`: you confirm all texts of the archive; those that look wrong train instead of being quarantined. """

    def to_dict(self) -> dict[str, Any]:
        file = self.file.to_tuple()

        hand = self.hand

        confirm: str | Unset = UNSET
        if not isinstance(self.confirm, Unset):
            confirm = self.confirm

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "file": file,
            }
        )
        if hand is not UNSET:
            field_dict["hand"] = hand
        if confirm is not UNSET:
            field_dict["confirm"] = confirm

        return field_dict

    def to_multipart(self) -> types.RequestFiles:
        files: types.RequestFiles = []

        files.append(("file", self.file.to_tuple()))

        if not isinstance(self.hand, Unset):
            files.append(("hand", (None, str(self.hand).encode(), "text/plain")))

        if not isinstance(self.confirm, Unset):
            files.append(("confirm", (None, str(self.confirm).encode(), "text/plain")))

        return files

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        file = File(payload=BytesIO(d.pop("file")))

        hand = d.pop("hand", UNSET)

        _confirm = d.pop("confirm", UNSET)
        confirm: ImportGroundTruthBodyConfirm | Unset
        if isinstance(_confirm, Unset):
            confirm = UNSET
        else:
            confirm = check_import_ground_truth_body_confirm(_confirm)

        import_ground_truth_body = cls(
            file=file,
            hand=hand,
            confirm=confirm,
        )

        return import_ground_truth_body
