from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.imported_file import ImportedFile


T = TypeVar("T", bound="ImportGroundTruthResponse")


@_attrs_define
class ImportGroundTruthResponse:
    """The result of an import.

    Example:
        {'project_id': '8a7c1f0e-3a3b-4a55-9d56-0f6c7b0c9b11', 'imported_lines': 1, 'unchanged_lines': 0,
            'quarantined_lines': 0, 'skipped_files': 1, 'ground_truth_lines': 42, 'files': [{'name': 'lines/0001.gt.txt',
            'state': 'imported', 'image_id': 'f2b1c0de-97d3-4a0e-8a53-0b6d1a2f4c22', 'imported_lines': 1, 'unchanged_lines':
            0, 'quarantined_lines': 0, 'skipped_lines': 0, 'lines': [], 'untrained': [], 'code': None, 'reason': None},
            {'name': 'lines/0002.png', 'state': 'skipped', 'image_id': None, 'imported_lines': 0, 'unchanged_lines': 0,
            'quarantined_lines': 0, 'skipped_lines': 0, 'lines': [], 'untrained': [], 'code': 'no-text', 'reason': 'The
            archive has no text for this image. Add a .gt.txt or XML file of the same name.'}]}

    """

    project_id: str
    """ UUID of the project. """
    imported_lines: int
    """ Lines stored, quarantined ones included. """
    unchanged_lines: int
    """ Lines that the project had already with the same text. """
    quarantined_lines: int
    """ Those of the stored lines whose text looks wrong: they do not train. """
    skipped_files: int
    """ Files that were skipped. """
    ground_truth_lines: int | None
    """ Number of your lines that would train now; null when no file was imported. """
    files: list[ImportedFile]
    """ The files of the archive. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        project_id = self.project_id

        imported_lines = self.imported_lines

        unchanged_lines = self.unchanged_lines

        quarantined_lines = self.quarantined_lines

        skipped_files = self.skipped_files

        ground_truth_lines: int | None
        ground_truth_lines = self.ground_truth_lines

        files = []
        for files_item_data in self.files:
            files_item = files_item_data.to_dict()
            files.append(files_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "project_id": project_id,
                "imported_lines": imported_lines,
                "unchanged_lines": unchanged_lines,
                "quarantined_lines": quarantined_lines,
                "skipped_files": skipped_files,
                "ground_truth_lines": ground_truth_lines,
                "files": files,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.imported_file import ImportedFile  # noqa: PLC0415

        d = dict(src_dict)
        project_id = d.pop("project_id")

        imported_lines = d.pop("imported_lines")

        unchanged_lines = d.pop("unchanged_lines")

        quarantined_lines = d.pop("quarantined_lines")

        skipped_files = d.pop("skipped_files")

        def _parse_ground_truth_lines(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        ground_truth_lines = _parse_ground_truth_lines(d.pop("ground_truth_lines"))

        files = []
        _files = d.pop("files")
        for files_item_data in _files:
            files_item = ImportedFile.from_dict(files_item_data)

            files.append(files_item)

        import_ground_truth_response = cls(
            project_id=project_id,
            imported_lines=imported_lines,
            unchanged_lines=unchanged_lines,
            quarantined_lines=quarantined_lines,
            skipped_files=skipped_files,
            ground_truth_lines=ground_truth_lines,
            files=files,
        )

        import_ground_truth_response.additional_properties = d
        return import_ground_truth_response

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
