"""Conversion of the progress of models."""

from ketav.registry.v1 import models_pb2
from ketav_registry.convert import common
from ketav_registry.domain.models_progress import PageProgress, ReadingErrors, VersionProgress


def page_message(progress: PageProgress) -> models_pb2.PageProgress:
    """Return the message of the errors of a page."""
    reading = progress.reading
    return models_pb2.PageProgress(
        page_id=str(reading.page_id),
        project_id=str(reading.project_id),
        script=common.SCRIPTS[reading.hand.script],
        hand=reading.hand.name,
        model=common.model(reading.model),
        read_time=common.timestamp(reading.read_time),
        errors=_errors_message(progress.errors),
    )


def version_message(progress: VersionProgress) -> models_pb2.VersionProgress:
    """Return the message of the errors of a version."""
    return models_pb2.VersionProgress(
        model=common.model(progress.model),
        script=common.SCRIPTS[progress.hand.script],
        hand=progress.hand.name,
        pages=progress.pages,
        errors=_errors_message(progress.errors),
        first_read_time=common.timestamp(progress.first_read_time),
        last_read_time=common.timestamp(progress.last_read_time),
    )


def _errors_message(errors: ReadingErrors) -> models_pb2.ReadingErrors:
    """Return the message of counted errors."""
    return models_pb2.ReadingErrors(lines=errors.lines, edits=errors.rate.edits, length=errors.rate.length)
