"""The recognizer's use cases."""

import asyncio
from dataclasses import dataclass
from uuid import UUID

from ketav_common.errors import Internal, InvalidInput, KetavError, Unavailable
from ketav_common.logging import get_logger
from ketav_engine.domain import ReadPage
from ketav_recognizer import metrics
from ketav_recognizer.celery_app import JobQueue
from ketav_recognizer.domain import ReadingRequest, ReadingTask, Refusal
from ketav_recognizer.model_cache import ModelCache, UsableDigests
from ketav_recognizer.pool import ReaderPool

log = get_logger()

_MODEL_FETCHES = 2
"""Fetches of a model for one reading: the second one replaces a damaged file of the cache."""


@dataclass(frozen=True, slots=True)
class Dependencies:
    """The parts that reading a page needs."""

    models: ModelCache
    readers: ReaderPool


async def run_ocr(
    image: bytes, request: ReadingRequest, *, user: UUID | None, dependencies: Dependencies
) -> ReadPage:
    """Read a stored PNG or JPEG with the model that the request names.

    A cached model file that is missing or damaged is fetched once more. Raises InvalidInput for an unusable
    image or model, Unavailable when a reader died or the registry is unavailable, and the registry's NotFound
    and DataLoss.
    """
    model = request.model
    for _ in range(_MODEL_FETCHES):
        path = await dependencies.models.path(model, user)
        task = ReadingTask(
            image,
            request.layout,
            str(path),
            model.sha256,
            request.detect_turn,
            request.batch,
            user=str(user or ""),
        )
        answer = await dependencies.readers.read(task)
        metrics.READINGS.labels("read" if isinstance(answer, ReadPage) else answer.kind).inc()
        if isinstance(answer, ReadPage):
            metrics.LINES_READ.inc(len(answer.lines))
            log.info("page_recognized", lines=len(answer.lines), model=model.version)
            return answer
        if answer.kind != "cache":
            raise _error(answer)
        log.warning("cached_model_damaged", model=model.version)
        dependencies.models.drop(model.sha256)
    raise Unavailable(
        "The recognizer's model cache loses what is written to it. Try again later.", code="model-cache"
    )


async def enqueue_job(job_id: UUID, *, queue: JobQueue | None) -> None:
    """Send the id of a job to the workers. Unavailable no-broker: there is no queue, or no answer."""
    if queue is None:
        raise Unavailable(
            "The recognizer has no queue of jobs. Set KETAV_REDIS_URL; until then sweeps start the jobs.",
            code="no-broker",
        )
    await asyncio.to_thread(queue.enqueue, str(job_id))


async def drop_unusable_models(models: ModelCache, usable: UsableDigests, interval_s: float) -> None:
    """Delete cached models that may not be used any more, every `interval_s` seconds, until cancelled."""
    while True:
        await asyncio.sleep(interval_s)
        try:
            await models.drop_unusable(usable)
        except KetavError as error:
            log.warning("models_not_checked", code=error.code)


def _error(refusal: Refusal) -> KetavError:
    """Return the error of a reader's refusal."""
    if refusal.kind == "image":
        return InvalidInput(refusal.message, code="unreadable-image")
    if refusal.kind == "model":
        return InvalidInput(refusal.message, code="unusable-model")
    log.error("reader_defect", location=refusal.message)
    return Internal("The image could not be read because of an error in the recognizer. Try again later.")
