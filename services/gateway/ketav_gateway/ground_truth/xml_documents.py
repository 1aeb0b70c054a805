"""ALTO 4 (loc.gov/standards/alto) and PAGE 2013 to 2019 (PRImA): lines with geometry and text.

The XML is untrusted: a document type declaration is refused, so no entity can be declared or fetched; depth,
elements and points are limited. Image names in it are compared with names, never opened.
"""

from collections.abc import Callable
from dataclasses import replace
from xml.parsers import expat

from ketav_common.errors import InvalidInput
from ketav_common.limits import MAX_PAGE_LINES
from ketav_gateway.ground_truth.documents import Document, GroundTruthLine, LineRefusal
from ketav_gateway.ground_truth.xml_controls import without_controls
from ketav_gateway.ground_truth.xml_lines import XmlLine, XmlWord, ground_truth_line, page_size

_MAX_DEPTH = 64
"""Nested elements: ALTO and PAGE have at most twelve."""
_MAX_ELEMENTS = 300_000
"""Elements of a document: a page of 1,000 lines with glyphs has about 200,000."""
_MAX_PAGE_POINTS = 100_000
"""Points of all outlines of a page: as messages they take below 1 MiB, a quarter of a gRPC message. If those
of words are too many, only the words are left out."""
_MAX_INDEX_DIGITS = 5
_FALSE = {"false", "0"}
"""ALTO's CS, the correction status, of a line that no person has corrected (XML Schema, boolean)."""
_UNCORRECTED = "ketav {corrected:false;}"
"""The same in the attribute `custom` of PAGE, as Ketav exports it: PAGE has no attribute for it."""
_UNITS = {"pixel", "mm10", "inch1200"}
"""ALTO's units; lengths in the last two are scaled to the size of the image."""
_NO_INDEX = 10**_MAX_INDEX_DIGITS
"""Index of a PAGE text without one: the texts with an index come first."""


def parse_xml(data: bytes, *, confirmed: bool = False) -> Document:
    """Return an ALTO or PAGE document; lines marked as not corrected are refused unless `confirmed`.

    Raises InvalidInput malformed-xml, unsafe-xml, unsupported-xml, unsupported-unit, several-pages,
    too-many-lines or too-many-points.
    """
    reader = _Reader(confirmed=confirmed)
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = reader.refuse_doctype
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.characters
    try:
        parser.Parse(without_controls(data), True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise InvalidInput(
            "The file is not well-formed XML. Export it again.", code="malformed-xml"
        ) from error
    return reader.document()


class _Reader:
    """The callbacks of the XML parser for both vocabularies: an element is interpreted by its parent."""

    def __init__(self, *, confirmed: bool) -> None:
        """Start before the root; `confirmed`: every line counts as corrected."""
        self._confirmed = confirmed
        self._stack: list[str] = []
        self._elements = 0
        self._text: list[str] = []
        self._text_index = 0
        self._line: XmlLine | None = None
        self.lines: list[XmlLine] = []
        self.images: list[str] = []
        self.sizes: list[tuple[str, str]] = []
        self.unit = "pixel"
        self._starts: dict[tuple[str, str], Callable[[XmlLine, dict[str, str]], None]] = {
            ("TextLine", "Polygon"): self._polygon,
            ("TextLine", "String"): self._string,
            ("TextLine", "HYP"): self._string,
            ("TextLine", "SP"): self._space,
            ("TextLine", "Coords"): self._coords,
            ("TextLine", "Baseline"): self._baseline,
            ("TextLine", "TextEquiv"): self._text_equiv,
            ("TextLine", "Word"): self._word,
            ("Word", "TextEquiv"): self._text_equiv,
            ("Word", "Coords"): self._word_outline,
            ("String", "Polygon"): self._word_outline,
        }

    def refuse_doctype(self, *_: object) -> None:
        """Refuse a document type declaration: neither vocabulary has one, and it can declare entities."""
        raise InvalidInput(
            "The XML has a document type declaration, which is not read. Remove it.", code="unsafe-xml"
        )

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Handle a start tag."""
        self._elements += 1
        if self._elements > _MAX_ELEMENTS or len(self._stack) >= _MAX_DEPTH:
            raise InvalidInput(
                f"The XML has more than {_MAX_ELEMENTS:,} elements or is nested more than {_MAX_DEPTH} "
                "levels deep. Export lines without glyphs.",
                code="unsafe-xml",
            )
        local = name.rpartition(" ")[2]
        if not self._stack and local not in {"alto", "PcGts"}:
            raise InvalidInput(
                "The XML is neither ALTO nor PAGE. Export the page in one of these formats.",
                code="unsupported-xml",
            )
        parent = self._stack[-1] if self._stack else ""
        if parent == "Shape":
            parent = self._stack[-2]
        self._stack.append(local)
        self._text.clear()
        if local == "Page":
            self._page(attributes)
        elif local == "TextLine":
            self._text_line(attributes)
        elif self._line is not None and (parent, local) in self._starts:
            self._starts[parent, local](self._line, attributes)

    def end(self, _: str) -> None:
        """Handle an end tag."""
        local = self._stack.pop()
        text = "".join(self._text)
        self._text.clear()
        if local in {"fileName", "fileIdentifier"}:
            self.images.append(text.strip())
        elif local == "MeasurementUnit":
            self.unit = text.strip()
        elif local == "Unicode" and self._stack[-1:] == ["TextEquiv"] and self._line is not None:
            self._unicode(self._line, text)
        elif local == "TextLine" and self._line is not None:
            self.lines.append(self._line)
            self._line = None

    def characters(self, data: str) -> None:
        """Collect character data."""
        self._text.append(data)

    def _page(self, attributes: dict[str, str]) -> None:
        """Collect the name and size of a page's image."""
        if "imageFilename" in attributes:
            self.images.append(attributes["imageFilename"])
        width = attributes.get("imageWidth", attributes.get("WIDTH", ""))
        self.sizes.append((width, attributes.get("imageHeight", attributes.get("HEIGHT", ""))))

    def _text_line(self, attributes: dict[str, str]) -> None:
        """Start a line."""
        if len(self.lines) >= MAX_PAGE_LINES:
            raise InvalidInput(
                f"The page has more than {MAX_PAGE_LINES:,} lines. Divide it into several pages.",
                code="too-many-lines",
            )
        self._line = XmlLine(attributes.get("BASELINE", ""), "", _box(attributes))
        marked = attributes.get("CS") in _FALSE or _UNCORRECTED in attributes.get("custom", "")
        self._line.is_corrected = self._confirmed or not marked

    @staticmethod
    def _polygon(line: XmlLine, attributes: dict[str, str]) -> None:
        """Set the boundary from ALTO."""
        line.boundary = attributes.get("POINTS", "")

    @staticmethod
    def _coords(line: XmlLine, attributes: dict[str, str]) -> None:
        """Set the boundary from PAGE."""
        line.boundary = attributes.get("points", "")

    @staticmethod
    def _baseline(line: XmlLine, attributes: dict[str, str]) -> None:
        """Set the baseline from PAGE."""
        line.baseline = attributes.get("points", "")

    def _text_equiv(self, _: XmlLine, attributes: dict[str, str]) -> None:
        """Store the index of PAGE's next text: the lowest index is used, a text without one last."""
        index = attributes.get("index", "")
        valid = index.isascii() and index.isdigit() and len(index) <= _MAX_INDEX_DIGITS
        self._text_index = int(index) if valid else _NO_INDEX

    def _unicode(self, line: XmlLine, text: str) -> None:
        """Store a text of PAGE: of the line, or of its latest word."""
        parent = self._stack[-2]
        if parent == "TextLine":
            line.texts.setdefault(self._text_index, text)
        elif parent == "Word" and line.words:
            line.words[-1].texts.setdefault(self._text_index, text)

    @staticmethod
    def _word(line: XmlLine, _: dict[str, str]) -> None:
        """Start a word of PAGE."""
        line.words.append(XmlWord())

    @staticmethod
    def _word_outline(line: XmlLine, attributes: dict[str, str]) -> None:
        """Set the outline of the latest word, of PAGE or ALTO."""
        if line.words:
            line.words[-1].boundary = attributes.get("points", attributes.get("POINTS", ""))

    def _string(self, line: XmlLine, attributes: dict[str, str]) -> None:
        """Append ALTO's next string; two strings without SP between them are two words."""
        before, content = line.texts.get(0, ""), attributes.get("CONTENT", "")
        is_hyphen = self._stack[-1] == "HYP"
        line.texts[0] = before + ("" if line.ends_with_space or is_hyphen else " ") + content
        line.ends_with_space = False
        if not is_hyphen:
            line.words.append(XmlWord(box=_box(attributes), texts={0: content}))
        elif line.words:
            line.words[-1].texts[0] += content

    @staticmethod
    def _space(line: XmlLine, _: dict[str, str]) -> None:
        """Append ALTO's SP as a space; the next string then adds none of its own."""
        line.texts[0] = line.texts.get(0, "") + " "
        line.ends_with_space = True

    def document(self) -> Document:
        """Return the document after the root's end tag."""
        if len(self.sizes) != 1:
            raise InvalidInput(
                f"The document has {len(self.sizes)} pages. Export a document for each page.",
                code="several-pages",
            )
        size = page_size(*self.sizes[0])
        if self.unit not in _UNITS or (self.unit != "pixel" and size is None):
            raise InvalidInput(
                "The document does not measure in pixels and lacks the size of its page. Export it with "
                "the unit pixel.",
                code="unsupported-unit",
            )
        lines: list[GroundTruthLine] = []
        refusals: list[LineRefusal] = []
        for number, line in enumerate(self.lines, start=1):
            try:
                lines.append(ground_truth_line(number, line))
            except InvalidInput as error:
                refusals.append(LineRefusal(number, error.code, error.detail))
        points = sum(line.outline_points for line in lines)
        if points > _MAX_PAGE_POINTS:
            raise InvalidInput(
                f"The outlines of the page have more than {_MAX_PAGE_POINTS:,} points. Export simpler "
                "outlines.",
                code="too-many-points",
            )
        points += sum(len(word.boundary) for line in lines for word in line.words)
        if points > _MAX_PAGE_POINTS:
            lines = [replace(line, words=()) for line in lines]
        return Document(
            tuple(self.images), size, tuple(lines), tuple(refusals), in_pixels=self.unit == "pixel"
        )


def _box(attributes: dict[str, str]) -> tuple[str, ...]:
    """Return ALTO's rectangle as written: left, top, width, height; empty without one of them."""
    box = tuple(attributes.get(name, "") for name in ("HPOS", "VPOS", "WIDTH", "HEIGHT"))
    return box if all(box) else ()
