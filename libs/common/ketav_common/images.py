"""Checks and normalises uploaded images in child processes.

What may be stored: one upright 8-bit grey or RGB image, dark writing on light ground, PNG or JPEG, without
metadata. What is read: JPEG, PNG, TIFF, WebP, HEIC and PDF, recognised by their first bytes, within the
limits of `ketav_common.limits`.
`image_decoder` is the child that does it.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from ketav_common.child_process import ChildDiedError, ChildLimits, ChildProcess
from ketav_common.errors import InvalidInput, KetavError, TooLarge, Unavailable, UnsupportedMedia
from ketav_common.image_crops import Box
from ketav_common.image_types import HEAD_BYTES, may_have_pages
from ketav_common.limits import MAX_IMAGE_BYTES
from ketav_common.logging import get_logger

log = get_logger()

_DECODER: Final = "ketav_common.image_decoder"
_CLASSES: Final[dict[str, type[KetavError]]] = {
    "unsupported-media-type": UnsupportedMedia,
    "file-too-large": TooLarge,
}
_UNDECODED: Final = frozenset({"empty-file", "unsupported-media-type"})
"""Codes of refusals by the first bytes alone: no decoder has seen the file."""


@dataclass(frozen=True)
class NormalisedImage:
    """A checked image, written at `path`: upright, 8-bit, without metadata."""

    path: Path
    width: int
    height: int
    media_type: str
    size_bytes: int
    normalised: tuple[str, ...] = ()
    """Codes of what was changed, such as `inverted`."""
    warnings: tuple[str, ...] = ()
    """Codes of what is wrong with an image that was read in part."""


@dataclass(eq=False)
class _Decoder:
    """A decoding process and the number of images that it may still decode before it is replaced."""

    child: ChildProcess
    images_left: int


class ImageNormaliser:
    """A pool of confined child processes that decode uploads.

    `workers` processes at most; each image has `timeout_s` seconds of wall and of processor time and
    `memory_bytes` of address space; a process decodes `images_per_child` images. The context ends all.
    """

    def __init__(
        self,
        *,
        workers: int = 2,
        timeout_s: float = 20.0,
        memory_bytes: int = 1536 * 1024 * 1024,
        images_per_child: int = 64,
    ) -> None:
        """Take the number of children and the bounds of one image: seconds, bytes, images for each child."""
        self._slots = asyncio.Semaphore(workers)
        self._timeout_s = timeout_s
        self._limits = ChildLimits(
            memory_bytes=memory_bytes,
            file_bytes=MAX_IMAGE_BYTES,
            request_cpu_seconds=max(1, round(timeout_s)),
        )
        self._images_per_child = images_per_child
        self._idle: list[_Decoder] = []
        self._closed = False

    async def __aenter__(self) -> Self:
        """Start one process, so that the first upload does not wait for it."""
        self._idle.append(await self._start())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End all processes."""
        await self.close()

    async def close(self) -> None:
        """End all idle processes; one that is decoding ends after its image."""
        self._closed = True
        while self._idle:
            await self._idle.pop().child.end()

    async def normalise(
        self, source: Path, target: Path, *, page: int | None = None, turn: int = 0
    ) -> NormalisedImage:
        """Decode the upload at `source` and write it, normalised, to `target`.

        `page` is the page of a document, from 0; None refuses a document of several pages. `turn` is a
        clockwise turn in degrees. UnsupportedMedia: another type. TooLarge: over 25 MiB once decoded.
        InvalidInput: not decodable, too small or too large in pixels, several images in one file, or the
        decoder ran out of time or memory. Unavailable: the decoder failed for another reason, such as a full
        disk.
        """
        request = {"source": str(source), "target": str(target), "page": page, "turn": turn}
        written = (await self._ask(request))["written"]
        normalised, warnings = tuple(written.pop("normalised")), tuple(written.pop("warnings"))
        return NormalisedImage(target, **written, normalised=normalised, warnings=warnings)

    async def count_pages(self, source: Path) -> int:
        """Return the number of pages of the upload at `source`; raises as `normalise` does.

        More than MAX_JOB_PAGES are counted as one more. A file that is neither a TIFF nor a PDF has one
        page and needs no decoder.
        """
        if not await asyncio.to_thread(_may_have_pages, source):
            return 1
        return int((await self._ask({"count": str(source)}))["pages"])

    async def crop(self, source: Path, boxes: Sequence[Box], height: int, folder: Path) -> None:
        """Write a JPEG of `height` pixels for each box of a stored image to `folder`.

        The files are named by the index of the box. Raises as `normalise` does.
        """
        request = {"crop": str(source), "boxes": boxes, "height": height, "folder": str(folder)}
        await self._ask(request)

    async def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return a decoder's answer to a request; raises the error of a refusal."""
        async with self._slots:
            if self._closed:
                raise Unavailable("The service is stopping and accepts no more images. Try again later.")
            try:
                answer = await self._decode(request)
            except ChildDiedError as error:
                if not error.killed or error.timed_out:
                    raise _to_public(error) from error
                answer = await self._decode_again(request)
        if "refused" in answer:
            refusal = answer["refused"]
            raise _CLASSES.get(refusal["code"], InvalidInput)(refusal["detail"], code=refusal["code"])
        return answer

    async def _decode_again(self, request: dict[str, Any]) -> dict[str, Any]:
        """Repeat a request whose process was killed, perhaps from outside; InvalidInput: it dies again."""
        try:
            return await self._decode(request)
        except ChildDiedError as error:
            raise _to_public(error) from error

    async def _decode(self, request: dict[str, Any]) -> dict[str, Any]:
        """Send a request to a process and return the answer; raises ChildDiedError without one."""
        decoder = await self._take()
        decoder.images_left -= 1
        answer: dict[str, Any] | None = None
        try:
            answer = (await decoder.child.ask(request, seconds=self._timeout_s)).message
        except ChildDiedError as error:
            log.warning("image_decoder_died", reason=str(error))
            raise
        finally:
            await self._put_back(decoder, reusable=answer is not None and _is_reusable(answer))
        return answer

    async def _take(self) -> _Decoder:
        """Return an idle process that still runs, or start one."""
        while self._idle:
            decoder = self._idle.pop()
            if decoder.child.alive:
                return decoder
            log.warning("idle_image_decoder_died", status=await decoder.child.end())
        return await self._start()

    async def _start(self) -> _Decoder:
        """Start a process."""
        child = await ChildProcess.start(_DECODER, self._limits, quiet=True)
        return _Decoder(child, self._images_per_child)

    async def _put_back(self, decoder: _Decoder, *, reusable: bool) -> None:
        """Keep a process that may decode the next image; end any other."""
        if reusable and decoder.images_left > 0 and not self._closed:
            self._idle.append(decoder)
        else:
            await decoder.child.end()


def _may_have_pages(source: Path) -> bool:
    """Return whether a file can have several pages, by its first bytes."""
    with source.open("rb") as file:
        return may_have_pages(file.read(HEAD_BYTES))


def _to_public(error: ChildDiedError) -> KetavError:
    """Return the error for the caller: the image's fault, or the server's where the process failed itself."""
    failed = error.status is not None and error.status >= 0 and not error.out_of_memory
    if failed:
        return Unavailable("The server failed to decode the image. Send it again later.")
    return InvalidInput(
        "Decoding the image takes too much time or memory. Send it as a plain JPEG or PNG.",
        code="image-too-expensive",
    )


def _is_reusable(answer: dict[str, Any]) -> bool:
    """Return whether a process that gave this answer may decode the next image."""
    return "refused" not in answer or answer["refused"]["code"] in _UNDECODED
