"""Ground truth as pairs: a zip with an image and a text file for each line whose text is verified.

OCRopus, Kraken (`ketos compile -f path`) and the import of this API read such pairs.
"""

from collections.abc import AsyncIterator
from typing import Final

from zipstream import ZIP_STORED, ZipStream

from ketav_common.images import ImageNormaliser
from ketav_gateway.pages.documents import Source
from ketav_gateway.pages.regions import outline, page_lines
from ketav_gateway.transcriptions.word_boxes import extent

_HEIGHT: Final = 128
"""Pixels of a line's image: the engine scales higher ones down to this before it reads or learns."""


async def pairs(source: Source, images: ImageNormaliser) -> AsyncIterator[bytes]:
    """Yield the archive; `images` crops lines to files in the folder of the page's image."""
    archive = ZipStream(compress_type=ZIP_STORED)
    async for page in source.pages:
        lines = [line for line in page_lines(page) if line.verified_text]
        if lines:
            path = await source.fetch_image(page)
            await images.crop(path, [extent(outline(line)) for line in lines], _HEIGHT, path.parent)
            for number, line in enumerate(lines):
                stem = f"{page.image_id}-{line.order:04}"
                archive.add_path(str(path.parent / str(number)), f"{stem}.jpg")
                archive.add(f"{line.verified_text}\n".encode(), f"{stem}.gt.txt")
        for chunk in archive.all_files():
            yield chunk
    for chunk in archive.finalize():
        yield chunk
