"""Pictures of lines: cropped from the page's image when the first is requested, and cached in memory.

A line keeps its geometry and its id, and the image of a page that has been read never changes, so a picture
never changes either. The registry decides whether the caller may see the page; its answer counts for this
caller for some seconds, in which a browser requests the pictures of all lines. The role of a member is
checked for each picture, because the owner may end a membership at any time.
"""

import asyncio
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from weakref import WeakValueDictionary

from cachetools import LRUCache, TTLCache

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import members_pb2, pages_pb2
from ketav_common.errors import NotFound
from ketav_common.image_crops import Box
from ketav_common.images import ImageNormaliser
from ketav_gateway.services import Services, call, check_role, download_image

_MARGIN = 0.12
"""Share of a line's height that is shown around its boundary: marks above and below letters are inside."""
_CACHE_BYTES = 32 * 1024 * 1024
"""Pictures of about 70 pages: those that users correct at the same time."""


_PAGES_S = 10.0
"""Seconds for which the lines of a page are cached: another process may have deleted the page meanwhile."""
_CACHED_LINES = 20_000
"""Lines of cached pages: about 600 pages, 4 MB."""


@dataclass(frozen=True)
class PageAddress:
    """A page as one user requests it."""

    user_id: str
    project_id: str
    page_id: str


@dataclass(frozen=True)
class PageLines:
    """A page that a user may see: the SHA-256 of its image, and the part that shows each line, by its id.

    `shared`: the user is a member of its project and not the owner.
    """

    address: PageAddress
    image_sha256: bytes
    boxes: dict[str, Box]
    shared: bool

    def etag(self, line_id: str, height: int) -> str:
        """Return the ETag of a picture: it depends on the image, the line and the height."""
        name = f"{self.image_sha256.hex()} {line_id} {height}"
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
    """The pictures of lines, with bounded caches; those of a page are cropped at once."""

    def __init__(
        self, images: ImageNormaliser, spool_dir: Path | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Take the processes that decode images, the folder for files in progress, and a clock in seconds."""
        self._images = images
        self._spool_dir = spool_dir
        self._pages: TTLCache[PageAddress, PageLines] = TTLCache(
            _CACHED_LINES, _PAGES_S, clock, lambda page: len(page.boxes) + 1
        )
        self._cache: LRUCache[tuple[str, int], bytes] = LRUCache(_CACHE_BYTES, len)
        self._page_locks: WeakValueDictionary[PageAddress, asyncio.Lock] = WeakValueDictionary()
        self._locks: WeakValueDictionary[tuple[str, int], asyncio.Lock] = WeakValueDictionary()

    async def page(self, services: Services, address: PageAddress, line_id: str) -> PageLines:
        """Return the lines of a page with one that is requested; raises NotFound.

        The registry is asked when the cached lines, which are of this user, are too old or lack the line.
        Requests at the same time wait for one answer.
        """
        lock = self._page_locks.setdefault(address, asyncio.Lock())
        async with lock:
            known = self._pages.get(address)
            if known is None or line_id not in known.boxes:
                self.forget(address)
                known = self._pages[address] = await _load(services, address)
            elif known.shared:
                await check_role(services, address.project_id, members_pb2.ROLE_VIEWER)
        if line_id not in known.boxes:
            raise NotFound
        return known

    def forget(self, address: PageAddress) -> None:
        """Remove the cached lines of a page, which its user has deleted."""
        self._pages.pop(address, None)

    def forget_project(self, user_id: str, project_id: str) -> None:
        """Remove the cached lines of the pages of a project, which its user has deleted."""
        for address in list(self._pages):
            if (address.user_id, address.project_id) == (user_id, project_id):
                self.forget(address)

    async def get(self, services: Services, page: PageLines, line_id: str, height: int) -> bytes:
        """Return the JPEG of a line of a page that the caller may see.

        Pictures of one page that are requested at the same time wait for one download.
        """
        lock = self._locks.setdefault((page.address.page_id, height), asyncio.Lock())
        async with lock:
            if (line_id, height) not in self._cache:
                await self._crop(services, page, line_id, height)
            return self._cache[line_id, height]

    async def _crop(self, services: Services, page: PageLines, line_id: str, height: int) -> None:
        """Crop the lines of a page; the requested one is cached last, so that no other one replaces it."""
        ids = sorted(page.boxes, key=lambda known: known == line_id)
        with TemporaryDirectory(dir=self._spool_dir) as name:
            folder = Path(name)
            await download_image(services, page.address.project_id, page.address.page_id, folder / "image")
            await self._images.crop(folder / "image", [page.boxes[known] for known in ids], height, folder)
            for number, known in enumerate(ids):
                picture = await asyncio.to_thread((folder / str(number)).read_bytes)
                self._cache[known, height] = picture


async def _load(services: Services, address: PageAddress) -> PageLines:
    """Return the lines of a page from the registry; raises NotFound."""
    request = pages_pb2.GetPageRequest(project_id=address.project_id, page_id=address.page_id)
    response = await call(services.pages.GetPage, request, services.deadlines.short_s)
    page, shared = response.page, response.role in {members_pb2.ROLE_VIEWER, members_pb2.ROLE_EDITOR}
    boxes = {line.line_id: _box(line, page.image) for line in page.transcription.lines}
    return PageLines(address, page.image.sha256, boxes, shared)
