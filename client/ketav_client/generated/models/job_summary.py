from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.job_summary_kind import JobSummaryKind, check_job_summary_kind
from ..models.job_summary_state import JobSummaryState, check_job_summary_state

if TYPE_CHECKING:
    from ..models.job_export import JobExport


T = TypeVar("T", bound="JobSummary")


@_attrs_define
class JobSummary:
    """A job without its pages.

    Example:
        {'job_id': '3d2c1b0a-9f8e-4d7c-8b6a-5f4e3d2c1b0a', 'kind': 'reading', 'project_id':
            '8a7c1f0e-3a3b-4a55-9d56-0f6c7b0c9b11', 'state': 'running', 'revision': 5, 'page_count': 3, 'pages_read': 1,
            'pages_failed': 1, 'cancel_requested': False, 'created_at': '2026-11-23T09:30:00Z', 'updated_at':
            '2026-11-23T09:30:07Z', 'expires_at': '2026-11-24T09:30:00Z', 'export': None}

    """

    job_id: str
    """ UUID of the job. """
    kind: JobSummaryKind
    """ What the job does. """
    project_id: str
    """ UUID of the project that has the pages. """
    state: JobSummaryState
    """ `queued` and `running` are active. `succeeded`: all pages were read; `partly_failed`: some were; `failed`:
    none was; `cancelled`: you have cancelled it, and pages that were read stay. An export succeeds or fails as a
    whole. """
    revision: int
    """ Incremented by each change; the id of the change's event. """
    page_count: int
    """ Number of pages. """
    pages_read: int
    """ Pages that were read; of an export, those that are written. """
    pages_failed: int
    """ Pages that failed. """
    cancel_requested: bool
    """ Whether you have cancelled the job. """
    created_at: datetime.datetime
    """ When it was created. """
    updated_at: datetime.datetime
    """ When it last changed. """
    expires_at: datetime.datetime
    """ When pages that still wait fail, or an export that waits. """
    export: JobExport | None
    """ What the job exports; null for a job that reads. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.job_export import JobExport  # noqa: PLC0415

        job_id = self.job_id

        kind: str = self.kind

        project_id = self.project_id

        state: str = self.state

        revision = self.revision

        page_count = self.page_count

        pages_read = self.pages_read

        pages_failed = self.pages_failed

        cancel_requested = self.cancel_requested

        created_at = self.created_at.isoformat()

        updated_at = self.updated_at.isoformat()

        expires_at = self.expires_at.isoformat()

        export: dict[str, Any] | None
        if isinstance(self.export, JobExport):
            export = self.export.to_dict()
        else:
            export = self.export

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "job_id": job_id,
                "kind": kind,
                "project_id": project_id,
                "state": state,
                "revision": revision,
                "page_count": page_count,
                "pages_read": pages_read,
                "pages_failed": pages_failed,
                "cancel_requested": cancel_requested,
                "created_at": created_at,
                "updated_at": updated_at,
                "expires_at": expires_at,
                "export": export,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.job_export import JobExport  # noqa: PLC0415

        d = dict(src_dict)
        job_id = d.pop("job_id")

        kind = check_job_summary_kind(d.pop("kind"))

        project_id = d.pop("project_id")

        state = check_job_summary_state(d.pop("state"))

        revision = d.pop("revision")

        page_count = d.pop("page_count")

        pages_read = d.pop("pages_read")

        pages_failed = d.pop("pages_failed")

        cancel_requested = d.pop("cancel_requested")

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        updated_at = datetime.datetime.fromisoformat(d.pop("updated_at"))

        expires_at = datetime.datetime.fromisoformat(d.pop("expires_at"))

        def _parse_export(data: object) -> JobExport | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                export_type_0 = JobExport.from_dict(data)

                return export_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(JobExport | None, data)

        export = _parse_export(d.pop("export"))

        job_summary = cls(
            job_id=job_id,
            kind=kind,
            project_id=project_id,
            state=state,
            revision=revision,
            page_count=page_count,
            pages_read=pages_read,
            pages_failed=pages_failed,
            cancel_requested=cancel_requested,
            created_at=created_at,
            updated_at=updated_at,
            expires_at=expires_at,
            export=export,
        )

        job_summary.additional_properties = d
        return job_summary

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
