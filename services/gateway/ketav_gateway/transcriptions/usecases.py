"""Storing and reading pages: the calls to the registry and the recognizer, in order."""

import asyncio
from pathlib import Path

from ketav.page.v1 import page_pb2
from ketav.recognizer.v1 import recognizer_pb2
from ketav.registry.v1 import pages_pb2, transcriptions_pb2
from ketav_common.errors import (
    Internal,
    InvalidInput,
    KetavError,
    NotFound,
    RateLimited,
    TimedOut,
    Unavailable,
)
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
    services: Services, page: pages_pb2.Page, model: page_pb2.Model, image: Path
) -> recognizer_pb2.RecognizePageResponse:
    """Read an image; a missing or unusable model is not the client's fault."""
    header = recognizer_pb2.RecognizePageHeader(
        model=model, layout=page.layout, size_bytes=page.image.size_bytes
    )
    messages = file_messages(recognizer_pb2.RecognizePageRequest, header, image)
    try:
        return await upload(services.recognizer.RecognizePage, messages, services.deadlines.recognize_s)
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


async def read_page(
    services: Services, page: pages_pb2.Page, model: page_pb2.Model, image: Path
) -> transcriptions_pb2.Transcription:
    """Read a stored page and record the transcription; the details of an error name the page."""
    try:
        reading = await _recognize(services, page, model, image)
        request = transcriptions_pb2.RecordTranscriptionRequest(
            page_id=page.page_id, model_version=reading.model_version, lines=reading.lines
        )
        response = await call(
            services.transcriptions.RecordTranscription, request, services.deadlines.short_s
        )
    except KetavError as error:
        error.details.update(project_id=page.project_id, image_id=page.page_id)
        if isinstance(error, (RateLimited, Unavailable, TimedOut)):
            route = IMAGE_IS_STORED.format(project_id=page.project_id, image_id=page.page_id)
            error.detail = f"{error.detail} {route}"
        raise
    return response.transcription


async def read_in_background(
    services: Services, page: pages_pb2.Page, model: page_pb2.Model, image: Path
) -> None:
    """Read a stored page; retries four times while a service is overloaded or unavailable."""
    for pause_s in _PAUSES_S:
        try:
            await read_page(services, page, model, image)
        except (RateLimited, Unavailable, TimedOut) as error:
            await asyncio.sleep(error.retry_after or pause_s)
        else:
            return
    await read_page(services, page, model, image)


async def read_again(
    services: Services, project_id: str, page_id: str, version: str, folder: Path
) -> schemas.OcrResponse:
    """Read a stored page with a model version; an empty version is the caller's active model."""
    image = folder / "image"
    header = await download_image(services, project_id, page_id, image, version)
    transcription = await read_page(services, header.page, header.model, image)
    return convert.ocr_response(header.page, transcription)
