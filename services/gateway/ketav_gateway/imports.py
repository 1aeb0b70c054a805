"""Taking ground truth out of an archive: texts are put on their images, page by page."""

import asyncio
import hashlib
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from ketav.registry.v1 import ground_truth_pb2
from ketav_common.errors import InvalidInput, TooLarge, UnsupportedMedia
from ketav_common.images import ImageNormaliser, NormalisedImage
from ketav_gateway import convert_import as convert
from ketav_gateway import transcripts
from ketav_gateway.archives import Archive, shown
from ketav_gateway.clients import Registry
from ketav_gateway.pairing import Names, Unit
from ketav_gateway.schemas_import import ImportAnswer, ImportedFile, ImportedLine
from ketav_gateway.transcripts import KnownLine, LineRefusal, Point, Transcript

_MAX_TEXT_BYTES = 64 * 1024
_MAX_XML_BYTES = 8 * 1024 * 1024
_MAX_REPORTED = 100
_NEAR = 1
_LEAST = 3
# Where a hanging baseline lies when nothing says so; the engine cuts a single-line image like this.
_HANG = 0.3


@dataclass
class Import:
    """One import under way: where from, where to, by when (monotonic seconds), and what has become of it."""

    archive: Archive
    names: Names
    registry: Registry
    images: ImageNormaliser
    request: convert.Request
    folder: Path
    max_image_bytes: int
    deadline: float
    files: list[ImportedFile] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    ground_truth_lines: int | None = None

    async def run(self) -> ImportAnswer:
        """Import what can be; the answer names every file of the archive.

        NotFound: no such project. Conflict: the request's key was used for something else.
        """
        for refusal in self.archive.refused:
            self._skip(refusal.name, refusal.code, refusal.reason)
        for number, unit in enumerate(self.names.units()):
            await self._take(number, unit)
        for name, code, reason in self.names.unused(self.used):
            self._skip(shown(name), code, reason)
        return convert.answer(self.request.project_id, self.files, self.ground_truth_lines)

    def _skip(self, name: str, code: str, reason: str) -> None:
        """Note that a file was left out."""
        self.files.append(ImportedFile(name=name, state="skipped", code=code, reason=reason))

    async def _take(self, number: int, unit: Unit) -> None:
        """Import one text with its image, or note why not."""
        self.used |= {unit.text} | ({unit.image} if unit.image else set())
        name = shown(unit.text)
        if time.monotonic() > self.deadline:
            self._skip(name, "out-of-time", "The time for one import is over: send the same archive again.")
            return
        try:
            self.files.append(await self._imported(number, unit))
        except (InvalidInput, TooLarge, UnsupportedMedia) as error:
            self._skip(name, error.code, error.detail)

    async def _imported(self, number: int, unit: Unit) -> ImportedFile:
        """Import one text with its image."""
        found = await asyncio.to_thread(self._read, unit)
        image_name = self.names.image_of(unit, found.images)
        if image_name is None:
            raise InvalidInput("The archive has no image for this file.", code="missing-image")
        self.used.add(image_name)
        image = await self._image(image_name)
        lines, refused = await asyncio.to_thread(_placed, found, image)
        if not lines:
            first = refused[0] if refused else LineRefusal(0, "no-text", "The page has no line with a text.")
            raise InvalidInput(first.reason, code=first.code)
        request_id = self._request_id(number)
        header = await asyncio.to_thread(convert.header, self.request, unit.kind, image, lines, request_id)
        stored = await self.registry.import_ground_truth(header, image.path)
        self.ground_truth_lines = stored.ground_truth_lines
        return _report(unit, lines, refused, stored)

    def _read(self, unit: Unit) -> Transcript:
        """Read a text; that of one line is a page of one line whose geometry is the image's."""
        target = self.folder / "text"
        if unit.kind == "page":
            return transcripts.from_xml(self.archive.read(unit.text, target, _MAX_XML_BYTES))
        text = transcripts.one_line(self.archive.read(unit.text, target, _MAX_TEXT_BYTES))
        return Transcript((), None, (KnownLine(0, (), (), text),), ())

    async def _image(self, name: str) -> NormalisedImage:
        """Take an image out of the archive and check it, as every upload is checked."""
        source = self.folder / "source"
        await asyncio.to_thread(self.archive.extract, name, source, self.max_image_bytes)
        return await self.images.normalise(source, self.folder / "image")

    def _request_id(self, number: int) -> str:
        """Name a page of this request: the request, a colon, its number; without a key nothing is named."""
        if not self.request.key:
            return ""
        return f"import:{hashlib.sha256(self.request.key.encode()).hexdigest()}:{number}"


def _placed(found: Transcript, image: NormalisedImage) -> tuple[list[KnownLine], list[LineRefusal]]:
    """Put a transcription's lines on its image. InvalidInput: they were made for another size of it."""
    if found.size is not None and (
        abs(found.size[0] - image.width) > _NEAR or abs(found.size[1] - image.height) > _NEAR
    ):
        raise InvalidInput(
            f"The document is for an image of {found.size[0]} x {found.size[1]} pixels, "
            f"the image has {image.width} x {image.height}.",
            code="image-size-mismatch",
        )
    lines, refused = [], list(found.refused)
    for line in found.lines:
        try:
            lines.append(_on(image, line))
        except InvalidInput as error:
            refused.append(LineRefusal(line.number, error.code, error.detail))
    return lines, sorted(refused, key=_number)


def _number(refusal: LineRefusal) -> int:
    """Return the number of the line that was refused."""
    return refusal.number


def _on(image: NormalisedImage, line: KnownLine) -> KnownLine:
    """Return a line cut to its image, with a baseline; a line without geometry fills the image."""
    right, bottom = max(image.width - 1, 1), max(image.height - 1, 1)
    corners = ((0, 0), (right, 0), (right, bottom), (0, bottom))
    boundary = _within(line.boundary or corners, image)
    xs, ys = [x for x, _ in boundary], [y for _, y in boundary]
    if len(set(boundary)) < _LEAST or min(max(xs) - min(xs), max(ys) - min(ys)) < _LEAST:
        if any(not (0 <= x <= image.width and 0 <= y <= image.height) for x, y in line.boundary):
            raise InvalidInput("The line lies outside the image.", code="outside-image")
        raise InvalidInput("The line's outline encloses nothing.", code="no-area")
    baseline = _within(line.baseline, image)
    if len(set(baseline)) < 2:  # noqa: PLR2004 - a line has two ends
        hang = min(ys) + round((max(ys) - min(ys)) * _HANG)
        baseline = ((min(xs), hang), (max(xs), hang))
    return replace(line, baseline=baseline, boundary=boundary)


def _within(points: tuple[Point, ...], image: NormalisedImage) -> tuple[Point, ...]:
    """Move points that lie outside the image to its edge."""
    return tuple((min(max(x, 0), image.width), min(max(y, 0), image.height)) for x, y in points)


def _report(
    unit: Unit,
    lines: list[KnownLine],
    refused: list[LineRefusal],
    stored: ground_truth_pb2.ImportGroundTruthResponse,
) -> ImportedFile:
    """Say what became of one text."""
    doubts = [
        ImportedLine(line=each.number, state="skipped", code=each.code, reason=each.reason)
        for each in refused
    ]
    doubts += [
        ImportedLine(
            line=lines[each.line].number,
            state="quarantined",
            code=each.quarantine.code,
            reason=each.quarantine.reason,
        )
        for each in stored.quarantined
    ]
    return ImportedFile(
        name=shown(unit.text),
        state="imported" if stored.imported_lines else "unchanged",
        image_id=stored.page_id,
        imported_lines=stored.imported_lines,
        unchanged_lines=len(lines) - stored.imported_lines,
        quarantined_lines=len(stored.quarantined),
        skipped_lines=len(refused),
        lines=doubts[:_MAX_REPORTED],
    )
