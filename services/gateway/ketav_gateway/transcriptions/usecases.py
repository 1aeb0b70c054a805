"""Storing and reading pages: the calls to the registry and the recognizer, in order."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ketav.page.v1 import page_pb2
from ketav.recognizer.v1 import recognizer_pb2
from ketav.registry.v1 import pages_pb2, transcriptions_pb2
from ketav_common.errors import (
    Conflict,
    Internal,
    InvalidInput,
    KetavError,
    NotFound,
    RateLimited,
    TimedOut,
    Unavailable,
)
from ketav_common.images import ImageNormaliser
from ketav_gateway.convert import image_to_proto, with_reading_warnings
from ketav_gateway.http.idempotency import RequestKey
from ketav_gateway.http.problem_codes import IMAGE_IS_STORED
from ketav_gateway.services import Services, call, download_image, file_messages, upload
from ketav_gateway.transcriptions import convert, schemas

_NO_KEY = RequestKey()
_PAUSES_S = (1, 2, 4, 8)
"""Seconds between the attempts of a reading in the background: a restarted recognizer serves within
fifteen."""


@dataclass(frozen=True)
class Rereading:
    """A request to read a stored page with a model version, empty: the caller's active model."""

    project_id: str
    page_id: str
    version: str
    key: RequestKey


async def create_page(
    services: Services, header: pages_pb2.CreatePageHeader, image: Path
) -> pages_pb2.CreatePageResponse:
    """Store an image as a page; the response names the model to read it with."""
    messages = file_messages(pages_pb2.CreatePageRequest, header, image)
    return await upload(services.pages.CreatePage, messages, services.deadlines.store_s)


async def _recognize(
    services: Services, page: pages_pb2.Page, model: page_pb2.Model, image: Path, *, detect_turn: bool
) -> recognizer_pb2.RecognizePageResponse:
    """Read an image; a missing or unusable model is not the client's fault."""
    header = recognizer_pb2.RecognizePageHeader(
        model=model, layout=page.layout, size_bytes=page.image.size_bytes, detect_turn=detect_turn
    )
    messages = file_messages(recognizer_pb2.RecognizePageRequest, header, image)
    deadlines = services.deadlines
    is_line = page.layout == page_pb2.LAYOUT_LINE
    deadline_s = deadlines.recognize_line_s if is_line else deadlines.recognize_s
    try:
        return await upload(services.recognizer.RecognizePage, messages, deadline_s)
    except NotFound as error:
        raise Unavailable(
            "The model of this request was retired in the meantime. Read the image again."
        ) from error
    except InvalidInput as error:
        if error.code == "unusable-model":
            raise Internal(
                f"The recognizer cannot use the model {model.version}. Check its stored file."
            ) from error
        raise


async def _turn(
    services: Services, images: ImageNormaliser, page: pages_pb2.Page, image: Path, degrees: int
) -> None:
    """Store the image of a page turned clockwise, as the recognizer has read it; `page` gets that image."""
    turned = await images.normalise(image, image.with_name("turned"), turn=degrees)
    described = image_to_proto(turned)
    described.normalised[:] = [*page.image.normalised, *turned.normalised]
    described.warnings[:] = page.image.warnings
    header = pages_pb2.ReplaceImageHeader(
        page_id=page.page_id,
        project_id=page.project_id,
        image=described,
        former_sha256=page.image.sha256,
    )
    messages = file_messages(pages_pb2.ReplaceImageRequest, header, turned.path)
    response = await upload(services.pages.ReplaceImage, messages, services.deadlines.store_s)
    page.image.CopyFrom(response.page.image)
    turned.path.replace(image)


@contextmanager
def naming_stored_page(page: pages_pb2.Page) -> Iterator[None]:
    """Name a stored page in the details of the errors that are raised in the block.

    The sentences of an error that may pass say how the page is read later, so that no copy of it is stored.
    """
    try:
        yield
    except KetavError as error:
        names = {"project_id": page.project_id, "image_id": page.page_id}
        error.details.update(names)
        if isinstance(error, (RateLimited, Unavailable, TimedOut)):
            error.detail = f"{error.detail} {IMAGE_IS_STORED.format(**names)}"
        raise


async def read_page(
    services: Services,
    page: pages_pb2.Page,
    model: page_pb2.Model,
    image: Path,
    images: ImageNormaliser | None = None,
    key: RequestKey = _NO_KEY,
) -> transcriptions_pb2.Transcription:
    """Read a stored page and record the transcription; the details of an error name the page.

    With `images`, which turns the stored image, the page is read in the direction in which it reads best. If
    another request turns it meanwhile, `image` and `page` get the turned image, which is read once more. If
    the same request, by its key, has recorded a transcription meanwhile, that one is returned.
    """
    with naming_stored_page(page):
        try:
            return await _read_image(services, page, model, image, images, key)
        except Conflict as error:
            if error.code != "image-changed":
                raise
        header = await download_image(services, page.project_id, page.page_id, image, model.version)
        page.CopyFrom(header.page)
        return await _read_image(services, page, model, image, None, key)


async def _read_image(
    services: Services,
    page: pages_pb2.Page,
    model: page_pb2.Model,
    image: Path,
    images: ImageNormaliser | None,
    key: RequestKey,
) -> transcriptions_pb2.Transcription:
    """Read an image and record the transcription. Conflict image-changed: its page has another image."""
    reading = await _recognize(services, page, model, image, detect_turn=images is not None)
    if images is not None and reading.turn:
        await _turn(services, images, page, image, reading.turn)
    request = transcriptions_pb2.RecordTranscriptionRequest(
        project_id=page.project_id,
        page_id=page.page_id,
        model_version=reading.model_version,
        lines=reading.lines,
        image_sha256=page.image.sha256,
        warnings=reading.warnings,
        request_id=key.request_id,
        request_sha256=key.sha256,
    )
    response = await call(services.transcriptions.RecordTranscription, request, services.deadlines.short_s)
    page.image.warnings[:] = with_reading_warnings(page.image.warnings, reading.warnings)
    return response.transcription


async def read_in_background(
    services: Services,
    page: pages_pb2.Page,
    model: page_pb2.Model,
    image: Path,
    images: ImageNormaliser | None = None,
    key: RequestKey = _NO_KEY,
) -> None:
    """Read a stored page; retries four times while a service is overloaded or unavailable."""
    for pause_s in _PAUSES_S:
        try:
            await read_page(services, page, model, image, images, key)
        except (RateLimited, Unavailable, TimedOut) as error:
            await asyncio.sleep(error.retry_after or pause_s)
        else:
            return
    await read_page(services, page, model, image, images, key)


async def read_again(
    services: Services, again: Rereading, folder: Path, images: ImageNormaliser
) -> schemas.OcrResponse:
    """Read a stored page again, once for each key; a repeated request gets the page as it is then.

    A page that has a transcription keeps its direction, because corrections refer to its coordinates, and so
    does one whose rotation the user has given.
    """
    if again.key.request_id and (page := await _find_read(services, again)) is not None:
        return convert.ocr_response(page, page.transcription)
    image = folder / "image"
    header = await download_image(
        services, again.project_id, again.page_id, image, again.version, to_read=True
    )
    may_turn = header.page.state == pages_pb2.PAGE_STATE_STORED and not header.page.fixed_rotation
    turning = images if may_turn else None
    transcription = await read_page(services, header.page, header.model, image, turning, again.key)
    return convert.ocr_response(header.page, transcription)


async def _find_read(services: Services, again: Rereading) -> pages_pb2.Page | None:
    """Return the page if the same request has read it before, else None."""
    request = transcriptions_pb2.FindLineEditRequest(
        project_id=again.project_id,
        page_id=again.page_id,
        request_id=again.key.request_id,
        request_sha256=again.key.sha256,
    )
    known = await call(services.transcriptions.FindLineEdit, request, services.deadlines.short_s)
    if not known.found:
        return None
    get = pages_pb2.GetPageRequest(project_id=again.project_id, page_id=again.page_id)
    page = (await call(services.pages.GetPage, get, services.deadlines.short_s)).page
    return page if page.HasField("transcription") else None
