"""Searchable PDFs (ISO 32000-1): the image of each page, and its text, invisible and in its place.

The file is written as a stream, one page at a time, and images are copied as they are stored: neither the
file nor an image is ever in memory. The libraries that were considered build the whole file first
(docs/decisions/0016-exports.md). The font has no glyphs: its codes are code points, so a program that
extracts text needs nothing else.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from ketav_common.errors import DataLoss
from ketav_gateway.pages.pdf_text import GLYPH_WIDTH, text_layer
from ketav_gateway.pages.schemas import Page

_POINTS_A_PIXEL: Final = 72 / 200
"""Pages are as large as if they were scanned with 200 pixels an inch."""
_MAX_POINTS: Final = 14_400
"""Longest side of a page (annex C); a longer image is scaled down."""
_CATALOG, _PAGES, _FONT, _CID_FONT, _UNICODE, _DESCRIPTOR, _INFO = range(1, 8)
_READ_BYTES: Final = 256 * 1024
_PNG_SIGNATURE_BYTES: Final = 8
_PNG_CHUNK: Final = struct.Struct(">I4s")
_PNG_IMAGE: Final = struct.Struct(">IIBBBBB")
_JPEG_SEGMENT_BYTES: Final = 4
"""Marker and length."""
_PNG_COLOURS: Final = {0: ("/DeviceGray", 1), 2: ("/DeviceRGB", 3)}
_JPEG_COLOURS: Final = {1: "/DeviceGray", 3: "/DeviceRGB"}
_JPEG_FRAMES: Final = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
"""Markers of the segment that states the size and the number of colours (ITU T.81, table B.1)."""
_TO_UNICODE: Final = "\n".join(
    [
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap",
        "/CIDSystemInfo <</Registry (Adobe) /Ordering (UCS) /Supplement 0>> def",
        "/CMapName /Adobe-Identity-UCS def /CMapType 2 def",
        "1 begincodespacerange <0000> <FFFF> endcodespacerange",
        *(
            f"{end - start} beginbfrange\n"
            + "\n".join(f"<{row:02X}00> <{row:02X}FF> <{row:02X}00>" for row in range(start, end))
            + "\nendbfrange"
            for start, end in ((0, 0x64), (0x64, 0xC8), (0xC8, 0xD8), (0xE0, 0x100))
        ),
        "endcmap CMapName currentdict /CMap defineresource pop end end",
    ]
)
"""Every code is its code point; a range has one high byte, a block at most 100 ranges (Adobe TN 5411)."""


class PdfWriter:
    """Writes a PDF page by page; each method returns the bytes that follow those before."""

    def __init__(self, title: str) -> None:
        """Take the title of the document."""
        self._title = title
        self._offsets: dict[int, int] = {}
        self._pages: list[int] = []
        self._length = 0

    def begin(self) -> bytes:
        """Return the header."""
        return self._written(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")

    def page(self, page: Page, image: Path) -> Iterator[bytes]:
        """Yield a page with its image file; raises DataLoss where the file is not the stored image."""
        scale = min(_POINTS_A_PIXEL, _MAX_POINTS / max(page.image.width, page.image.height))
        width, height = page.image.width * scale, page.image.height * scale
        first = _INFO + 1 + 3 * len(self._pages)
        self._pages.append(first)
        resources = f"/Resources <</XObject <</I0 {first + 1} 0 R>> /Font <</F0 {_FONT} 0 R>>>>"
        box = f"/MediaBox [0 0 {width:.2f} {height:.2f}]"
        contents = f"<</Type /Page /Parent {_PAGES} 0 R {box} {resources} /Contents {first + 2} 0 R>>"
        yield self._object(first, contents)
        with image.open("rb") as file:
            yield from self._image(first + 1, page, file)
        drawn = f"q {width:.2f} 0 0 {height:.2f} 0 0 cm /I0 Do Q\nBT 3 Tr\n{text_layer(page, scale)}\nET"
        yield self._stream(first + 2, drawn)

    def end(self) -> Iterator[bytes]:
        """Yield the page list, the font, the table of objects and the trailer."""
        kids = " ".join(f"{number} 0 R" for number in self._pages)
        catalog = f"<</Type /Catalog /Pages {_PAGES} 0 R /Lang (he) /ViewerPreferences <</Direction /R2L>>>>"
        yield self._object(_CATALOG, catalog)
        yield self._object(_PAGES, f"<</Type /Pages /Kids [{kids}] /Count {len(self._pages)}>>")
        yield from self._font()
        title = self._title.encode("utf-16-be", "replace").hex()
        yield self._object(_INFO, f"<</Title <FEFF{title}> /Producer (Ketav)>>")
        start, count = self._length, max(self._offsets) + 1
        rows = (f"{self._offsets[number]:010d} 00000 n \n" for number in range(1, count))
        yield self._written(f"xref\n0 {count}\n0000000000 65535 f \n{''.join(rows)}".encode())
        trailer = (
            f"trailer\n<</Size {count} /Root {_CATALOG} 0 R /Info {_INFO} 0 R>>\nstartxref\n{start}\n%%EOF\n"
        )
        yield self._written(trailer.encode())

    def _font(self) -> Iterator[bytes]:
        """Yield the font without glyphs, all of one width."""
        descendant = f"/DescendantFonts [{_CID_FONT} 0 R] /ToUnicode {_UNICODE} 0 R"
        name = "/BaseFont /Glyphless"
        yield self._object(
            _FONT, f"<</Type /Font /Subtype /Type0 {name} /Encoding /Identity-H {descendant}>>"
        )
        system = "/CIDSystemInfo <</Registry (Adobe) /Ordering (Identity) /Supplement 0>>"
        width = f"/DW {round(1000 * GLYPH_WIDTH)} /FontDescriptor {_DESCRIPTOR} 0 R"
        cid_font = f"<</Type /Font /Subtype /CIDFontType2 {name} {system} {width}>>"
        yield self._object(_CID_FONT, cid_font)
        yield self._stream(_UNICODE, _TO_UNICODE)
        metrics = (
            "/FontBBox [0 -200 500 800] /ItalicAngle 0 /Ascent 800 /Descent -200 /CapHeight 800 /StemV 80"
        )
        descriptor = f"<</Type /FontDescriptor /FontName /Glyphless /Flags 4 {metrics}>>"
        yield self._object(_DESCRIPTOR, descriptor)

    def _image(self, number: int, page: Page, file: BinaryIO) -> Iterator[bytes]:
        """Yield an image as an object, with the compressed bytes of its file."""
        is_png = page.image.media_type == "image/png"
        details, parts = _png(file) if is_png else _jpeg(file)
        size = f"/Width {page.image.width} /Height {page.image.height}"
        length = sum(length for _, length in parts)
        head = f"<</Type /XObject /Subtype /Image {size} {details} /Length {length}>>\nstream\n"
        yield self._begin(number) + self._written(head.encode())
        for offset, part in parts:
            file.seek(offset)
            left = part
            while left and (chunk := file.read(min(left, _READ_BYTES))):
                left -= len(chunk)
                yield self._written(chunk)
        yield self._written(b"\nendstream\nendobj\n")

    def _object(self, number: int, content: str) -> bytes:
        """Return an object."""
        return self._begin(number) + self._written(f"{content}\nendobj\n".encode())

    def _stream(self, number: int, content: str) -> bytes:
        """Return a stream of operators as an object."""
        data = content.encode()
        head = f"<</Length {len(data)}>>\nstream\n".encode()
        return self._begin(number) + self._written(head + data + b"\nendstream\nendobj\n")

    def _begin(self, number: int) -> bytes:
        """Return the beginning of an object, whose offset the table lists."""
        self._offsets[number] = self._length
        return self._written(f"{number} 0 obj\n".encode())

    def _written(self, data: bytes) -> bytes:
        """Count bytes and return them."""
        self._length += len(data)
        return data


def _png(file: BinaryIO) -> tuple[str, list[tuple[int, int]]]:
    """Return the entries of a PNG's dictionary, and offset and length of its data.

    Its rows are compressed and predicted as PDF allows it (section 7.4.4.4), so they are copied.
    """
    file.seek(_PNG_SIGNATURE_BYTES)
    parts: list[tuple[int, int]] = []
    header = b""
    while len(head := file.read(_PNG_CHUNK.size)) == _PNG_CHUNK.size:
        length, kind = _PNG_CHUNK.unpack(head)
        if kind == b"IHDR":
            header = file.read(length)
            file.seek(4, 1)
            continue
        if kind == b"IDAT":
            parts.append((file.tell(), length))
        file.seek(length + 4, 1)
    width, _, bits, colour, _, _, interlaced = (
        _PNG_IMAGE.unpack(header) if len(header) == _PNG_IMAGE.size else (0,) * 7
    )
    if colour not in _PNG_COLOURS or interlaced or not parts:
        raise DataLoss("The image of a page is not stored as it was written. Run `ketav admin fsck`.")
    space, colours = _PNG_COLOURS[colour]
    columns = f"/Predictor 15 /Colors {colours} /BitsPerComponent {bits} /Columns {width}"
    details = f"/ColorSpace {space} /BitsPerComponent {bits} /Filter /FlateDecode /DecodeParms <<{columns}>>"
    return details, parts


def _jpeg(file: BinaryIO) -> tuple[str, list[tuple[int, int]]]:
    """Return the entries of a JPEG's dictionary, and offset and length of the whole file."""
    size = file.seek(0, 2)
    file.seek(2)
    while len(head := file.read(_JPEG_SEGMENT_BYTES)) == _JPEG_SEGMENT_BYTES:
        marker, length = head[1], int.from_bytes(head[2:])
        if marker in _JPEG_FRAMES:
            colours = file.read(6)[5:]
            if colours and colours[0] in _JPEG_COLOURS:
                space = _JPEG_COLOURS[colours[0]]
                return f"/ColorSpace {space} /BitsPerComponent 8 /Filter /DCTDecode", [(0, size)]
            break
        file.seek(length - 2, 1)
    raise DataLoss("The image of a page is not stored as it was written. Run `ketav admin fsck`.")
