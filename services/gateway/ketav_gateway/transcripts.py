"""Reading transcriptions that came with their images: plain text, ALTO and PAGE XML.

ALTO 4 (loc.gov/standards/alto) and PAGE 2013 to 2019 (PRImA), as far as lines with geometry and text go. The
XML may be anybody's: a document type is refused, so that no entity is ever declared, let alone fetched;
depth, elements and points are bounded. Image names in it are compared with names, never opened.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from xml.parsers import expat

from ketav_common.errors import InvalidInput
from ketav_common.limits import MAX_PAGE_LINES, MAX_POLYLINE_POINTS
from ketav_common.text import clean

_MAX_DEPTH = 64
_MAX_ELEMENTS = 300_000
_MAX_POINTS_TEXT = 64 * 1024
_MAX_PAGE_POINTS = 100_000
"""What the outlines of a page hold together: far less than a message to the registry has room for."""
_BREAK = re.compile(r"\s*[\t\r\n]\s*")
_NUMBER = re.compile(r"[+-]?[0-9]{1,7}(?:\.[0-9]{0,9})?")

Point = tuple[int, int]


@dataclass(frozen=True)
class KnownLine:
    """A line of a transcription: its number in the document, geometry in pixels as written, clean text."""

    number: int
    baseline: tuple[Point, ...]
    boundary: tuple[Point, ...]
    text: str


@dataclass(frozen=True)
class LineRefusal:
    """A line that is left out: its number in the document, a stable code, a sentence."""

    number: int
    code: str
    reason: str


@dataclass(frozen=True)
class Transcript:
    """A page's transcription: names its image may have, its size in pixels where given, its lines."""

    images: tuple[str, ...]
    size: tuple[int, int] | None
    lines: tuple[KnownLine, ...]
    refused: tuple[LineRefusal, ...]


def one_line(data: bytes) -> str:
    """Return the text of a .gt.txt file. InvalidInput: not UTF-8, no text, several lines, not storable."""
    try:
        text = data.decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise InvalidInput("The text is not UTF-8.", code="not-utf8") from error
    if not text:
        raise InvalidInput("The file holds no text.", code="no-text")
    if len(text.splitlines()) > 1:
        raise InvalidInput("The text of one line has line breaks.", code="several-lines")
    return clean(text)


def from_xml(data: bytes) -> Transcript:
    """Read an ALTO or PAGE document. InvalidInput: malformed, with a document type, or another vocabulary."""
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = reader.refuse_doctype
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.characters
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise InvalidInput("The file is not well-formed XML.", code="malformed-xml") from error
    return reader.transcript()


@dataclass
class _Line:
    """A line while it is read; `order` ranks the alternative texts of PAGE."""

    baseline: str = ""
    boundary: str = ""
    box: tuple[str, ...] = ()
    texts: dict[int, str] = field(default_factory=dict)
    spaced: bool = True


class _Reader:
    """The callbacks of the XML parser, for both vocabularies: a line's parts are told by their parents."""

    def __init__(self) -> None:
        """Begin before the root."""
        self._stack: list[str] = []
        self._elements = 0
        self._text: list[str] = []
        self._index = 0
        self._line: _Line | None = None
        self.lines: list[_Line] = []
        self.images: list[str] = []
        self.sizes: list[tuple[str, str]] = []
        self.unit = "pixel"
        self._starts: dict[tuple[str, str], Callable[[dict[str, str]], None]] = {
            ("TextLine", "Polygon"): self._polygon,
            ("TextLine", "String"): self._string,
            ("TextLine", "HYP"): self._string,
            ("TextLine", "SP"): self._space,
            ("TextLine", "Coords"): self._coords,
            ("TextLine", "Baseline"): self._baseline,
            ("TextLine", "TextEquiv"): self._equivalent,
        }

    def refuse_doctype(self, *_: object) -> None:
        """Refuse a document type: neither vocabulary has one, and entities begin there."""
        raise InvalidInput("The XML has a document type, which is not read.", code="unsafe-xml")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Enter an element."""
        self._elements += 1
        if self._elements > _MAX_ELEMENTS or len(self._stack) >= _MAX_DEPTH:
            raise InvalidInput("The XML has too many elements, or nests them too deep.", code="unsafe-xml")
        local = name.rpartition(" ")[2]
        if not self._stack and local not in {"alto", "PcGts"}:
            raise InvalidInput("The XML is neither ALTO nor PAGE.", code="unsupported-xml")
        parent = self._stack[-1] if self._stack else ""
        if parent == "Shape":
            parent = self._stack[-2]
        self._stack.append(local)
        self._text.clear()
        if local == "Page":
            self._page(attributes)
        elif local == "TextLine":
            self._begin(attributes)
        elif self._line is not None and (parent, local) in self._starts:
            self._starts[parent, local](attributes)

    def end(self, _: str) -> None:
        """Leave an element."""
        local = self._stack.pop()
        text = "".join(self._text)
        self._text.clear()
        if local in {"fileName", "fileIdentifier"}:
            self.images.append(text.strip())
        elif local == "MeasurementUnit":
            self.unit = text.strip()
        elif local == "Unicode" and self._stack[-2:] == ["TextLine", "TextEquiv"] and self._line is not None:
            self._line.texts.setdefault(self._index, text)
        elif local == "TextLine" and self._line is not None:
            self.lines.append(self._line)
            self._line = None

    def characters(self, data: str) -> None:
        """Collect character data."""
        self._text.append(data)

    def _page(self, attributes: dict[str, str]) -> None:
        """Note a page's image and size."""
        if "imageFilename" in attributes:
            self.images.append(attributes["imageFilename"])
        wide = attributes.get("imageWidth", attributes.get("WIDTH", ""))
        self.sizes.append((wide, attributes.get("imageHeight", attributes.get("HEIGHT", ""))))

    def _begin(self, attributes: dict[str, str]) -> None:
        """Begin a line."""
        if len(self.lines) >= MAX_PAGE_LINES:
            raise InvalidInput(f"The page has more than {MAX_PAGE_LINES} lines.", code="too-many-lines")
        box = tuple(attributes.get(name, "") for name in ("HPOS", "VPOS", "WIDTH", "HEIGHT"))
        self._line = _Line(attributes.get("BASELINE", ""), "", box if all(box) else ())

    def _polygon(self, attributes: dict[str, str]) -> None:
        """Note ALTO's boundary."""
        if self._line is not None:
            self._line.boundary = attributes.get("POINTS", "")

    def _coords(self, attributes: dict[str, str]) -> None:
        """Note PAGE's boundary."""
        if self._line is not None:
            self._line.boundary = attributes.get("points", "")

    def _baseline(self, attributes: dict[str, str]) -> None:
        """Note PAGE's baseline."""
        if self._line is not None:
            self._line.baseline = attributes.get("points", "")

    def _equivalent(self, attributes: dict[str, str]) -> None:
        """Note the rank of PAGE's next text: the lowest index counts, then the first."""
        index = attributes.get("index", "0")
        self._index = int(index) if index.isascii() and index.isdigit() and len(index) < 6 else 0  # noqa: PLR2004

    def _string(self, attributes: dict[str, str]) -> None:
        """Add ALTO's next string; strings without a space between them are words all the same."""
        if self._line is not None:
            before = self._line.texts.get(0, "")
            joint = "" if self._line.spaced or self._stack[-1] == "HYP" else " "
            self._line.texts[0] = before + joint + attributes.get("CONTENT", "")
            self._line.spaced = False

    def _space(self, _: dict[str, str]) -> None:
        """Add ALTO's space."""
        if self._line is not None:
            self._line.texts[0] = self._line.texts.get(0, "") + " "
            self._line.spaced = True

    def transcript(self) -> Transcript:
        """Return what was read, when the document has ended."""
        if len(self.sizes) != 1:
            raise InvalidInput("The document has no page, or several.", code="several-pages")
        if self.unit != "pixel":
            raise InvalidInput("The document does not measure in pixels.", code="unsupported-unit")
        lines: list[KnownLine] = []
        refused: list[LineRefusal] = []
        for number, line in enumerate(self.lines):
            try:
                lines.append(_known(number, line))
            except InvalidInput as error:
                refused.append(LineRefusal(number, error.code, error.detail))
        if sum(len(line.baseline) + len(line.boundary) for line in lines) > _MAX_PAGE_POINTS:
            raise InvalidInput("The page's outlines have too many points.", code="too-many-points")
        return Transcript(tuple(self.images), _size(*self.sizes[0]), tuple(lines), tuple(refused))


def _known(number: int, line: _Line) -> KnownLine:
    """Return a line with points and clean text. InvalidInput: it has no text, or no usable geometry."""
    text = line.texts[min(line.texts)].strip() if line.texts else ""
    if not text:
        raise InvalidInput("The line has no text.", code="no-text")
    boundary = _points(line.boundary) if line.boundary.strip() else _box(line.box)
    # Before version 4 an ALTO baseline was one number.
    baseline = _points(line.baseline) if "," in line.baseline or " " in line.baseline.strip() else ()
    return KnownLine(number, baseline, boundary, clean(_BREAK.sub(" ", text)))


def _points(value: str) -> tuple[Point, ...]:
    """Read `x,y x,y …`, also with only spaces or only commas; at most 1,000 points are kept."""
    if len(value) > _MAX_POINTS_TEXT:
        raise InvalidInput("The line's outline has too many points.", code="too-many-points")
    numbers = [_number(each) for each in value.replace(",", " ").split()]
    if len(numbers) % 2:
        raise InvalidInput("The line's outline has half a point.", code="malformed-points")
    points = list(zip(numbers[::2], numbers[1::2], strict=True))
    return tuple(points[:: -(-len(points) // MAX_POLYLINE_POINTS) or 1])


def _number(value: str) -> int:
    """Read a coordinate, rounded to a pixel."""
    if not _NUMBER.fullmatch(value):
        raise InvalidInput("The line's outline holds what is no coordinate.", code="malformed-points")
    return round(float(value))


def _box(box: tuple[str, ...]) -> tuple[Point, ...]:
    """Return the corners of a line that has only a box."""
    if not box:
        raise InvalidInput("The line has no outline.", code="no-geometry")
    left, top, width, height = (_number(each) for each in box)
    right, bottom = left + width, top + height
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def _size(wide: str, high: str) -> tuple[int, int] | None:
    """Return a page's size; None when it is not given."""
    if not _NUMBER.fullmatch(wide) or not _NUMBER.fullmatch(high):
        return None
    return _number(wide), _number(high)
