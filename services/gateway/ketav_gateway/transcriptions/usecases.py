"""Storing and reading pages: the calls to the registry and the recognizer, in order."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
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
from ketav_gateway.http.problem_codes import IMAGE_IS_STORED
from ketav_gateway.services import Services, call, download_image, file_messages, upload
from ketav_gateway.transcriptions import convert, schemas

_PAUSES_S = (1, 2, 4, 8)
"""Seconds between the attempts of a reading in the background: a restarted recognizer serves within
fifteen."""


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
        page_id=page.page_id, image=described, former_sha256=page.image.sha256
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
) -> transcriptions_pb2.Transcription:
    """Read a stored page and record the transcription; the details of an error name the page.

    With `images`, which turns the stored image, the page is read in the direction in which it reads best. If
    another request turns it meanwhile, `image` and `page` get the turned image, which is read once more.
    """
    with naming_stored_page(page):
        try:
            return await _read_image(services, page, model, image, images)
        except Conflict as error:
            if error.code != "image-changed":
                raise
        header = await download_image(services, page.project_id, page.page_id, image, model.version)
        page.CopyFrom(header.page)
        return await _read_image(services, page, model, image, None)


async def _read_image(
    services: Services,
    page: pages_pb2.Page,
    model: page_pb2.Model,
    image: Path,
    images: ImageNormaliser | None,
) -> transcriptions_pb2.Transcription:
    """Read an image and record the transcription. Conflict image-changed: its page has another image."""
    reading = await _recognize(services, page, model, image, detect_turn=images is not None)
    if images is not None and reading.turn:
        await _turn(services, images, page, image, reading.turn)
    request = transcriptions_pb2.RecordTranscriptionRequest(
        page_id=page.page_id,
        model_version=reading.model_version,
        lines=reading.lines,
        image_sha256=page.image.sha256,
        warnings=reading.warnings,
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
) -> None:
    """Read a stored page; retries four times while a service is overloaded or unavailable."""
    for pause_s in _PAUSES_S:
        try:
            await read_page(services, page, model, image, images)
        except (RateLimited, Unavailable, TimedOut) as error:
            await asyncio.sleep(error.retry_after or pause_s)
        else:
            return
    await read_page(services, page, model, image, images)


async def read_again(
    services: Services,
    project_id: str,
    page_id: str,
    version: str,
    folder: Path,
    images: ImageNormaliser,
) -> schemas.OcrResponse:
    """Read a stored page with a model version; an empty version is the caller's active model.

    A page that has a transcription keeps its direction, because corrections refer to its coordinates, and so
    does one whose rotation the user has given.
    """
    image = folder / "image"
    header = await download_image(services, project_id, page_id, image, version)
    may_turn = header.page.state == pages_pb2.PAGE_STATE_STORED and not header.page.fixed_rotation
    transcription = await read_page(services, header.page, header.model, image, images if may_turn else None)
    return convert.ocr_response(header.page, transcription)
