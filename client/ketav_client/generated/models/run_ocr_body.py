from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any, TypeVar

from attrs import define as _attrs_define

from .. import types
from ..models.run_ocr_body_layout import RunOcrBodyLayout, check_run_ocr_body_layout
from ..models.run_ocr_body_rotate import RunOcrBodyRotate, check_run_ocr_body_rotate
from ..models.run_ocr_body_script import RunOcrBodyScript, check_run_ocr_body_script
from ..types import UNSET, File, Unset

T = TypeVar("T", bound="RunOcrBody")


@_attrs_define
class RunOcrBody:
    file: File
    """ JPEG, PNG, TIFF (also BigTIFF), WebP, HEIC or PDF of at most 25 MiB and 20 pages of at most 50 megapixels;
    with `Prefer: respond-async` of at most 300 pages. """
    project_id: str | Unset = UNSET
    """ Project that gets the page; without it a new one is created. """
    name: str | Unset = UNSET
    """ Name of the new project; without it the current time. """
    hand: str | Unset = UNSET
    """ Name of the person who wrote the pages of the new project: their hand gets a model of its own. A new name
    makes a hand; without a name it is your own. With `project_id`, the hand that the project must have. """
    script: RunOcrBodyScript | Unset = UNSET
    """ Script of the new project; without it that of `hand`, or modern cursive. """
    layout: RunOcrBodyLayout | Unset = UNSET
    """ Whether the image shows a page or one line. """
    model: str | Unset = UNSET
    """ Model version to read with, one of yours or a base model; without it your active model. """
    rotate: RunOcrBodyRotate | Unset = UNSET
    """ Degrees by which the image is turned clockwise before it is stored, in addition to its EXIF orientation.
    `auto` turns a page that is read better in another direction. """

    def to_dict(self) -> dict[str, Any]:
        file = self.file.to_tuple()

        project_id = self.project_id

        name = self.name

        hand = self.hand

        script: str | Unset = UNSET
        if not isinstance(self.script, Unset):
            script = self.script

        layout: str | Unset = UNSET
        if not isinstance(self.layout, Unset):
            layout = self.layout

        model = self.model

        rotate: str | Unset = UNSET
        if not isinstance(self.rotate, Unset):
            rotate = self.rotate

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "file": file,
            }
        )
        if project_id is not UNSET:
            field_dict["project_id"] = project_id
        if name is not UNSET:
            field_dict["name"] = name
        if hand is not UNSET:
            field_dict["hand"] = hand
        if script is not UNSET:
            field_dict["script"] = script
        if layout is not UNSET:
            field_dict["layout"] = layout
        if model is not UNSET:
            field_dict["model"] = model
        if rotate is not UNSET:
            field_dict["rotate"] = rotate

        return field_dict

    def to_multipart(self) -> types.RequestFiles:
        files: types.RequestFiles = []

        files.append(("file", self.file.to_tuple()))

        if not isinstance(self.project_id, Unset):
            files.append(("project_id", (None, str(self.project_id).encode(), "text/plain")))

        if not isinstance(self.name, Unset):
            files.append(("name", (None, str(self.name).encode(), "text/plain")))

        if not isinstance(self.hand, Unset):
            files.append(("hand", (None, str(self.hand).encode(), "text/plain")))

        if not isinstance(self.script, Unset):
            files.append(("script", (None, str(self.script).encode(), "text/plain")))

        if not isinstance(self.layout, Unset):
            files.append(("layout", (None, str(self.layout).encode(), "text/plain")))

        if not isinstance(self.model, Unset):
            files.append(("model", (None, str(self.model).encode(), "text/plain")))

        if not isinstance(self.rotate, Unset):
            files.append(("rotate", (None, str(self.rotate).encode(), "text/plain")))

        return files

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        file = File(payload=BytesIO(d.pop("file")))

        project_id = d.pop("project_id", UNSET)

        name = d.pop("name", UNSET)

        hand = d.pop("hand", UNSET)

        _script = d.pop("script", UNSET)
        script: RunOcrBodyScript | Unset
        if isinstance(_script, Unset):
            script = UNSET
        else:
            script = check_run_ocr_body_script(_script)

        _layout = d.pop("layout", UNSET)
        layout: RunOcrBodyLayout | Unset
        if isinstance(_layout, Unset):
            layout = UNSET
        else:
            layout = check_run_ocr_body_layout(_layout)

        model = d.pop("model", UNSET)

        _rotate = d.pop("rotate", UNSET)
        rotate: RunOcrBodyRotate | Unset
        if isinstance(_rotate, Unset):
            rotate = UNSET
        else:
            rotate = check_run_ocr_body_rotate(_rotate)

        run_ocr_body = cls(
            file=file,
            project_id=project_id,
            name=name,
            hand=hand,
            script=script,
            layout=layout,
            model=model,
            rotate=rotate,
        )

        return run_ocr_body
