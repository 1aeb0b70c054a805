"""Pictures of lines: cropped from the page's image when the first is requested, and cached in memory.

A line keeps its geometry and its id, and the image of a page that has been read never changes, so a picture
never changes either. The registry decides for each request whether the caller may see the page.
"""

import asyncio
import hashlib
from pathlib import Path
from tempfile import TemporaryDirectory
from weakref import WeakValueDictionary

from cachetools import LRUCache

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import pages_pb2
from ketav_common.errors import NotFound
from ketav_common.image_crops import Box
from ketav_common.images import ImageNormaliser
from ketav_gateway.services import Services, download_image

_MARGIN = 0.12
"""Share of a line's height that is shown around its boundary: marks above and below letters are inside."""
_CACHE_BYTES = 32 * 1024 * 1024
"""Pictures of about 70 pages: those that users correct at the same time."""


def etag(page: pages_pb2.Page, line_id: str, height: int) -> str:
    """Return the ETag of a picture: it depends on the image, the line and the height."""
    name = f"{page.image.sha256.hex()} {line_id} {height}"
    return f'"{hashlib.sha256(name.encode()).hexdigest()[:32]}"'


def _box(line: page_pb2.Line, image: page_pb2.Image) -> Box:
    """Return the part of the image that shows a line, with a margin; all of it for a line without points."""
    points = [(point.x, point.y) for point in (*line.boundary, *line.baseline)]
    if not points:
        return (0, 0, image.width, image.height)
    xs, ys = zip(*points, strict=True)
    left, top, right, bottom = min(xs), min(ys), max(xs), max(ys)
    margin = max(4, round((bottom - top) * _MARGIN))
    return (left - margin, top - margin, right + margin, bottom + margin)


class LineImages:
    """The pictures of lines, with a bounded cache; those of a page are cropped at once."""

    def __init__(self, images: ImageNormaliser, spool_dir: Path | None) -> None:
        """Take the processes that decode images, and the folder for files in progress."""
        self._images = images
        self._spool_dir = spool_dir
        self._cache: LRUCache[tuple[str, int], bytes] = LRUCache(_CACHE_BYTES, len)
        self._locks: WeakValueDictionary[tuple[str, int], asyncio.Lock] = WeakValueDictionary()

    async def get(self, services: Services, page: pages_pb2.Page, line_id: str, height: int) -> bytes:
        """Return the JPEG of a line of a page that the caller may see; raises NotFound.

        Pictures of one page that are requested at the same time wait for one download.
        """
        if all(line.line_id != line_id for line in page.transcription.lines):
            raise NotFound
        lock = self._locks.setdefault((page.page_id, height), asyncio.Lock())
        async with lock:
            if (line_id, height) not in self._cache:
                await self._crop(services, page, line_id, height)
            return self._cache[line_id, height]

    async def _crop(self, services: Services, page: pages_pb2.Page, line_id: str, height: int) -> None:
        """Crop the lines of a page; the requested one is cached last, so that no other one replaces it."""
        lines = sorted(page.transcription.lines, key=lambda line: line.line_id == line_id)
        with TemporaryDirectory(dir=self._spool_dir) as name:
            folder = Path(name)
            await download_image(services, page.project_id, page.page_id, folder / "image")
            boxes = [_box(line, page.image) for line in lines]
            await self._images.crop(folder / "image", boxes, height, folder)
            for number, line in enumerate(lines):
                picture = await asyncio.to_thread((folder / str(number)).read_bytes)
                self._cache[line.line_id, height] = picture
