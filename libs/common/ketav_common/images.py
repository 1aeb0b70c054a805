"""Checking and normalising uploaded images in child processes, so that a decoder's death hurts nobody.

What may be stored: one upright 8-bit grey or RGB image, PNG or JPEG, without metadata. What is read:
JPEG, PNG, TIFF and WebP, told by their first bytes, of 16 to 20,000 pixels a side and 50 megapixels at most.
`images_child` does it.
"""

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ketav_common.errors import InvalidInput, KetavError, TooLarge, Unavailable, UnsupportedMedia
from ketav_common.logging import get_logger

log = get_logger()

# What a child needs to find Python and its packages; no secret of the service is among it.
_ENVIRONMENT = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG", "TMPDIR")
_CLASSES: dict[str, type[KetavError]] = {
    "unsupported-media-type": UnsupportedMedia,
    "file-too-large": TooLarge,
}


# Refused by their first bytes: no decoder has seen them.
_UNDECODED = {"empty-file", "unsupported-media-type"}


def _untouched(answer: dict[str, Any]) -> bool:
    """Say whether a process that gave this answer may serve the next image."""
    return "ok" in answer or answer["refused"]["code"] in _UNDECODED


@dataclass(frozen=True)
class NormalisedImage:
    """A checked image, written at `path`: upright, 8-bit, without metadata."""

    path: Path
    width: int
    height: int
    media_type: str
    size_bytes: int


@dataclass(eq=False)
class _Child:
    """A decoding process and the images it has still to serve before it is replaced."""

    process: Process
    images_left: int

    async def ask(self, source: Path, target: Path) -> dict[str, Any]:
        """Send one request and return the answer; EOFError when the process dies over it."""
        reader, writer = self.process.stdout, self.process.stdin
        if reader is None or writer is None:
            raise EOFError
        self.images_left -= 1
        try:
            writer.write(json.dumps({"source": str(source), "target": str(target)}).encode() + b"\n")
            await writer.drain()
            answer = await reader.readline()
        except ConnectionError as error:
            raise EOFError from error
        if not answer:
            raise EOFError
        decoded: dict[str, Any] = json.loads(answer)
        return decoded

    async def kill(self) -> None:
        """End the process at once and wait until it is gone."""
        if self.process.returncode is None:
            self.process.kill()
        if self.process.stdin is not None:
            self.process.stdin.close()
        await self.process.wait()


class ImageNormaliser:
    """A pool of confined child processes that decode uploads.

    `workers` processes at most; each image has `timeout_s` of wall and of processor time and `memory_bytes`
    of address space; a process serves `images_per_child` images. Leaving the context ends them all.
    """

    def __init__(
        self,
        *,
        workers: int = 2,
        timeout_s: float = 20.0,
        memory_bytes: int = 1536 * 1024 * 1024,
        images_per_child: int = 64,
    ) -> None:
        """Take the number of children and the bounds of one image: seconds, bytes, images a child."""
        self._slots = asyncio.Semaphore(workers)
        self._timeout_s = timeout_s
        self._memory_bytes = memory_bytes
        self._images_per_child = images_per_child
        self._idle: list[_Child] = []
        self._closed = False

    async def __aenter__(self) -> Self:
        """Start one process, so that the first upload need not wait for it."""
        self._idle.append(await self._start())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End all processes."""
        await self.close()

    async def close(self) -> None:
        """End all idle processes; one that is at work ends with its image."""
        self._closed = True
        while self._idle:
            await self._idle.pop().kill()

    async def normalise(self, source: Path, target: Path) -> NormalisedImage:
        """Decode the upload at `source` and write it, normalised, to `target`.

        UnsupportedMedia: another type. TooLarge: over 25 MiB once decoded. InvalidInput: not decodable, too
        small or too large in pixels, several images in one file, or the decoder ran out of time or memory.
        """
        async with self._slots:
            if self._closed:
                raise Unavailable("images are no longer accepted")
            child = self._idle.pop() if self._idle else await self._start()
            answer: dict[str, Any] | None = None
            try:
                async with asyncio.timeout(self._timeout_s):
                    answer = await child.ask(source, target)
            except (TimeoutError, EOFError) as error:
                log.warning("image_decoder_lost", reason=type(error).__name__)
                raise InvalidInput(
                    "Decoding the image takes too much time or memory.", code="image-too-expensive"
                ) from error
            finally:
                await self._put_back(child, sound=answer is not None and _untouched(answer))
        if "refused" in answer:
            refusal = answer["refused"]
            raise _CLASSES.get(refusal["code"], InvalidInput)(refusal["detail"], code=refusal["code"])
        return NormalisedImage(target, **answer["ok"])

    async def _start(self) -> _Child:
        """Start a process with bounded memory and none of this process's secrets."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "ketav_common.images_child",
            str(self._memory_bytes),
            str(max(1, round(self._timeout_s))),
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
        )
        return _Child(process, self._images_per_child)

    async def _put_back(self, child: _Child, *, sound: bool) -> None:
        """Keep a process that did well for the next image; end any other."""
        if sound and child.images_left > 0 and not self._closed:
            self._idle.append(child)
        else:
            await child.kill()
