"""Archives of ground truth for tests: whole ones, and hostile ones that are made byte by byte."""

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence

from PIL import Image, ImageDraw

ALTO = "http://www.loc.gov/standards/alto/ns-v4#"
PAGE = "http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15"


def picture(width: int = 200, height: int = 60, seed: int = 0) -> bytes:
    """Return a PNG with a bar; each seed has another image."""
    image = Image.new("L", (width, height), 255)
    ImageDraw.Draw(image).rectangle((10, 20, 20 + 3 * (seed % 50), 40), fill=seed % 200)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def zipped(
    files: Mapping[str, bytes | str], *, method: int = zipfile.ZIP_DEFLATED, comment: bytes = b""
) -> bytes:
    """Return a zip of files."""
    return zipped_all(list(files.items()), method=method, comment=comment)


def zipped_all(
    files: Sequence[tuple[str | zipfile.ZipInfo, bytes | str]],
    *,
    method: int = zipfile.ZIP_DEFLATED,
    comment: bytes = b"",
) -> bytes:
    """Return a zip of entries in their order, the same bytes at any time; names may repeat."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.comment = comment
        for name, data in files:
            info = zipfile.ZipInfo(name) if isinstance(name, str) else name
            archive.writestr(info, data, compress_type=method)
    return buffer.getvalue()


def alto(lines: str, *, image: str = "", size: tuple[int, int] = (200, 60), head: str = "") -> str:
    """Return an ALTO 4 document around TextLine elements."""
    source = f"<sourceImageInformation><fileName>{image}</fileName></sourceImageInformation>"
    unit = "<MeasurementUnit>pixel</MeasurementUnit>"
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{head}<alto xmlns="{ALTO}">'
        f"<Description>{unit}{source}</Description><Layout>"
        f'<Page WIDTH="{size[0]}" HEIGHT="{size[1]}"><PrintSpace><TextBlock>{lines}</TextBlock></PrintSpace>'
        "</Page></Layout></alto>"
    )


def alto_line(
    text: str = "שלום עולם",
    points: str = "10,10 190,10 190,40 10,40",
    baseline: str = "190,20 10,20",
) -> str:
    """Return an ALTO line with a polygon."""
    shape = f'<Shape><Polygon POINTS="{points}"/></Shape>'
    return f'<TextLine ID="a" BASELINE="{baseline}">{shape}<String CONTENT="{text}"/></TextLine>'


def page_xml(lines: str, *, image: str = "", size: tuple[int, int] = (200, 60)) -> str:
    """Return a PAGE document around TextLine elements."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><PcGts xmlns="{PAGE}"><Page imageFilename="{image}" '
        f'imageWidth="{size[0]}" imageHeight="{size[1]}"><TextRegion id="r">{lines}</TextRegion></Page>'
        "</PcGts>"
    )


def page_line(text: str = "שלום עולם", points: str = "10,10 190,10 190,40 10,40") -> str:
    """Return a PAGE line with a baseline."""
    return (
        f'<TextLine id="l"><Coords points="{points}"/><Baseline points="190,20 10,20"/>'
        f"<TextEquiv><Unicode>{text}</Unicode></TextEquiv></TextLine>"
    )


def symlink(name: str, target: str) -> zipfile.ZipInfo:
    """Return the header of an entry that is a symbolic link."""
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    info.comment = target.encode()
    return info


def renamed(archive: bytes, old: bytes, new: bytes) -> bytes:
    """Return an archive with a name replaced by another of the same length, in both headers."""
    assert len(old) == len(new)
    return archive.replace(old, new)


def encrypted(archive: bytes) -> bytes:
    """Return an archive whose entries are marked as encrypted."""
    data = bytearray(archive)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = data.find(signature)
        while start >= 0:
            data[start + offset] |= 1
            start = data.find(signature, start + 4)
    return bytes(data)


def with_wrong_size(name: str, data: bytes, claimed_bytes: int) -> bytes:
    """Return an archive with one deflated entry whose headers have another length."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(data) + packer.flush()
    common = struct.pack(
        "<HHHHHIIIHH", 20, 0, 8, 0, 33, zlib.crc32(data), len(packed), claimed_bytes, len(name), 0
    )
    local = b"PK\x03\x04" + common + name.encode() + packed
    central = b"PK\x01\x02\x14\x00" + common + struct.pack("<HHHII", 0, 0, 0, 0, 0) + name.encode()
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local), 0)
    return local + central + end


def with_wrong_directory(entries: int, directory_bytes: int) -> bytes:
    """Return an archive whose end has this number of entries and bytes of its directory."""
    counts = struct.pack("<HHHHIIH", 0, 0, entries, entries, directory_bytes, 4, 0)
    return b"PK\x03\x04" + bytes(directory_bytes) + b"PK\x05\x06" + counts
