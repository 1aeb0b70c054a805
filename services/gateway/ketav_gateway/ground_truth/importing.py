"""The import of an archive: each text is matched with its image and sent to the registry."""

import asyncio
import hashlib
import time
from dataclasses import dataclass, field
from pathlib import Path

from ketav.registry.v1 import ground_truth_pb2
from ketav_common.errors import InvalidInput, TooLarge, UnsupportedMedia
from ketav_common.images import ImageNormaliser, NormalisedImage
from ketav_gateway.ground_truth import convert
from ketav_gateway.ground_truth.archives import Archive, printable
from ketav_gateway.ground_truth.documents import Document, GroundTruthLine, LineRefusal, parse_line_text
from ketav_gateway.ground_truth.geometry import place_lines
from ketav_gateway.ground_truth.pairing import Names, TextFile
from ketav_gateway.ground_truth.schemas import ImportedFile, ImportGroundTruthResponse
from ketav_gateway.ground_truth.xml_documents import parse_xml
from ketav_gateway.services import Services, file_messages, upload

_MAX_TEXT_BYTES = 64 * 1024
"""Bytes of a .gt.txt file: 4,000 code points of four bytes, and room for spaces."""
_MAX_XML_BYTES = 8 * 1024 * 1024
"""Bytes of an XML document: a page of 1,000 lines with words and glyphs has three to five MB."""

_MAX_SHOWN_IMAGES = 4
"""Names of images at most that a reason lists."""


@dataclass
class Import:
    """One import; `deadline` is the monotonic time after which the remaining files are skipped."""

    archive: Archive
    names: Names
    services: Services
    images: ImageNormaliser
    request: convert.ImportRequest
    folder: Path
    max_image_bytes: int
    deadline: float
    files: list[ImportedFile] = field(default_factory=list)
    used_names: set[str] = field(default_factory=set)
    ground_truth_lines: int | None = None

    async def run(self) -> ImportGroundTruthResponse:
        """Import all usable files and return a response that names every file of the archive.

        Raises NotFound without the project, Conflict when the request's key belongs to another request.
        """
        for refusal in self.archive.refusals:
            self._skip(refusal.name, refusal.code, refusal.reason)
        for number, text_file in enumerate(self.names.text_files()):
            await self._import_or_skip(number, text_file)
        for unused in self.names.unused(self.used_names):
            self._skip(printable(unused.name), unused.code, unused.reason)
        return convert.import_response(self.request.project_id, self.files, self.ground_truth_lines)

    def _skip(self, name: str, code: str, reason: str) -> None:
        """List a file as skipped."""
        self.files.append(ImportedFile(name=name, state="skipped", code=code, reason=reason))

    async def _import_or_skip(self, number: int, text_file: TextFile) -> None:
        """Import a text with its image; list it as skipped if that is impossible."""
        self.used_names |= {text_file.name, *text_file.images}
        name = printable(text_file.name)
        if time.monotonic() > self.deadline:
            self._skip(
                name,
                "out-of-time",
                "The time for one import is over. Send the same archive again to continue.",
            )
            return
        try:
            self.files.append(await self._import(number, text_file))
        except (InvalidInput, TooLarge, UnsupportedMedia) as error:
            self._skip(name, error.code, error.detail)

    async def _import(self, number: int, text_file: TextFile) -> ImportedFile:
        """Import a text with its image; raises InvalidInput, TooLarge or UnsupportedMedia."""
        document = await asyncio.to_thread(self._read, text_file)
        image_name = self._image_name(text_file, document)
        image = await self._image(image_name)
        lines, refusals = await asyncio.to_thread(place_lines, document, image)
        if not lines:
            raise _without_lines(refusals)
        stored = await self._send(number, text_file, image, lines)
        self.ground_truth_lines = stored.ground_truth_lines
        return convert.imported_file(printable(text_file.name), lines, refusals, stored)

    def _image_name(self, text_file: TextFile, document: Document) -> str:
        """Return the name of a text's image. InvalidInput: missing-image, or ambiguous-image for several."""
        images = self.names.images_of(text_file, document.images)
        if not images:
            raise InvalidInput(
                "The archive has no image for this file. Add an image of the same name.", code="missing-image"
            )
        self.used_names.update(images)
        if len(images) > 1:
            names = ", ".join(repr(printable(name)) for name in images[:_MAX_SHOWN_IMAGES])
            raise InvalidInput(
                f"The archive has {len(images)} images for this file: {names}. Keep the one that the text "
                "belongs to, or name it in the XML document.",
                code="ambiguous-image",
            )
        self.used_names -= set(text_file.images) - set(images)
        return images[0]

    async def _send(
        self, number: int, text_file: TextFile, image: NormalisedImage, lines: list[GroundTruthLine]
    ) -> ground_truth_pb2.ImportGroundTruthResponse:
        """Send an image with its lines to the registry."""
        header = await asyncio.to_thread(
            convert.import_header, self.request, text_file.layout, image, lines, self._request_id(number)
        )
        messages = file_messages(ground_truth_pb2.ImportGroundTruthRequest, header, image.path)
        method = self.services.ground_truth.ImportGroundTruth
        return await upload(method, messages, self.services.deadlines.store_s)

    def _read(self, text_file: TextFile) -> Document:
        """Return a text file's lines; that of a line image is a document of one line without geometry."""
        target = self.folder / "text"
        if text_file.layout == "page":
            content = self.archive.read(text_file.name, target, _MAX_XML_BYTES)
            return parse_xml(content, confirmed=self.request.confirm)
        text = parse_line_text(self.archive.read(text_file.name, target, _MAX_TEXT_BYTES))
        return Document((), None, (GroundTruthLine(1, (), (), text),), ())

    async def _image(self, name: str) -> NormalisedImage:
        """Extract an image and normalise it, with the checks of every upload."""
        source = self.folder / "source"
        try:
            await asyncio.to_thread(self.archive.extract, name, source, self.max_image_bytes)
            return await self.images.normalise(source, self.folder / "image")
        except (InvalidInput, TooLarge, UnsupportedMedia) as error:
            error.detail = f"The image {printable(name)!r} of this file cannot be used. {error.detail}"
            raise

    def _request_id(self, number: int) -> str:
        """Return the request id of a page of this import; empty without an Idempotency-Key."""
        if not self.request.key:
            return ""
        return f"import:{hashlib.sha256(self.request.key.encode()).hexdigest()}:{number}"


def _without_lines(refusals: list[LineRefusal]) -> InvalidInput:
    """Return the error for a document without a usable line: with the reason of its first line."""
    if len(refusals) == 1:
        return InvalidInput(refusals[0].reason, code=refusals[0].code)
    if refusals:
        return InvalidInput(
            f"None of the {len(refusals)} lines can be imported. The reason of line {refusals[0].number}: "
            f"{refusals[0].reason}",
            code=refusals[0].code,
        )
    return InvalidInput("The document has no line with a text. Add the texts of its lines.", code="no-text")
