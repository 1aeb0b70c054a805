"""Errors of first readings on the wire."""

from collections.abc import Sequence

from ketav.registry.v1 import models_pb2
from ketav_registry.convert import common
from ketav_registry.domain.models_progress import PageProgress, ReadingErrors, VersionProgress


def progress(
    pages: Sequence[PageProgress],
    next_cursor: str,
    versions: Sequence[VersionProgress] = (),
    *,
    complete: bool = False,
) -> models_pb2.ListModelProgressResponse:
    """Write what was misread on pages, and by versions."""
    return models_pb2.ListModelProgressResponse(
        pages=[_page(each) for each in pages],
        next_cursor=next_cursor,
        versions=[_version(each) for each in versions],
        versions_complete=complete,
    )


def _errors(found: ReadingErrors) -> models_pb2.ReadingErrors:
    """Write counted errors."""
    return models_pb2.ReadingErrors(lines=found.lines, edits=found.rate.edits, length=found.rate.length)


def _page(found: PageProgress) -> models_pb2.PageProgress:
    """Write what was misread on a page."""
    page = found.page
    return models_pb2.PageProgress(
        page_id=str(page.page_id),
        project_id=str(page.project_id),
        script=common.SCRIPTS[page.script],
        model=common.model(page.model),
        read_time=common.timestamp(page.read_time),
        errors=_errors(found.errors),
    )


def _version(found: VersionProgress) -> models_pb2.VersionProgress:
    """Write what a version misread."""
    return models_pb2.VersionProgress(
        model=common.model(found.model),
        script=common.SCRIPTS[found.script],
        pages=found.pages,
        errors=_errors(found.errors),
        first_read_time=common.timestamp(found.first_read_time),
        last_read_time=common.timestamp(found.last_read_time),
    )
