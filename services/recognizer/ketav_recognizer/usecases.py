"""What the recognizer does: one function for each RPC."""

import asyncio
from uuid import UUID

from ketav_common.errors import Internal, InvalidInput, KetavError, Unavailable
from ketav_common.logging import get_logger
from ketav_engine.domain import Layout, ReadPage
from ketav_recognizer.domain import ModelRef, Refusal, Task
from ketav_recognizer.model_cache import Check, ModelCache
from ketav_recognizer.pool import ReaderPool

log = get_logger()


async def run_ocr(
    image: bytes, model: ModelRef, layout: Layout, *, user: UUID | None, cache: ModelCache, pool: ReaderPool
) -> ReadPage:
    """Read an image with a model.

    `image` is a stored PNG or JPEG. A cached model file that is gone or damaged is fetched once more.
    Raises InvalidInput for an unusable image or model, Unavailable when a reader died or the registry is
    away, NotFound and DataLoss as the registry says.
    """
    for _ in range(2):
        path = await cache.path(model, user)
        answer = await pool.read(Task(image, layout, str(path), model.sha256))
        if isinstance(answer, ReadPage):
            log.info("page_recognized", lines=len(answer.lines), model=model.version)
            return answer
        if answer.kind != "cache":
            raise _error(answer)
        log.warning("cached_model_damaged", model=model.version)
        cache.drop(model.sha256)
    raise Unavailable("the model cache does not hold what is written to it", code="model-cache")


async def keep_checked(cache: ModelCache, check: Check, every_s: float) -> None:
    """Forget every `every_s` seconds what the registry does not hand out any more, until cancelled."""
    while True:
        await asyncio.sleep(every_s)
        try:
            await cache.forget_unusable(check)
        except KetavError as error:
            log.warning("models_not_checked", code=error.code)


def _error(refusal: Refusal) -> KetavError:
    """Say a reader's refusal in the words of the contract."""
    if refusal.kind == "image":
        return InvalidInput(refusal.message, code="unreadable-image")
    if refusal.kind == "model":
        return InvalidInput(refusal.message, code="unusable-model")
    log.error("reader_defect", where=refusal.message)
    return Internal("the image could not be read")
