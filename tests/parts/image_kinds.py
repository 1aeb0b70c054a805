"""Images and documents of the kinds that people send: drawn here, nothing is downloaded."""

import io
import struct
import zlib
from collections.abc import Sequence

import pillow_heif
from PIL import Image, ImageDraw, ImageOps, TiffImagePlugin

pillow_heif.register_heif_opener()

PAPER = (250, 248, 240)
INK = (25, 30, 70)


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    """Return an image file."""
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def written(
    size: tuple[int, int] = (400, 280),
    stroke: int = 3,
    ink: tuple[int, int, int] = INK,
    paper: tuple[int, int, int] = PAPER,
) -> Image.Image:
    """Return a page of strokes in lines, thin dark marks on light paper unless other colours are given."""
    image = Image.new("RGB", size, paper)
    draw = ImageDraw.Draw(image)
    for top in range(20, size[1] - 24, 32):
        for left in range(20, size[0] - 24, 14):
            lean = (left * 7 + top * 3) % 9 - 4
            draw.line((left, top, left + lean, top + 16), ink, stroke)
            draw.line((left, top, left + 9, top + 2), ink, stroke)
    return image


def darkened(image: Image.Image, share: float) -> Image.Image:
    """Return a photograph with a share of its light."""
    return image.point(lambda value: round(value * share))


def grey_of_bits(bits: int, form: str = "TIFF") -> bytes:
    """Return a grey page of 16 bits a pixel whose values use so many of them."""
    white = (1 << bits) - 1
    page = ImageOps.grayscale(written()).convert("I").point(lambda value: value * (white / 255) + 0.0)
    return saved(page.convert("I;16"), form)


def tiff(pages: Sequence[tuple[Image.Image, dict[int, int]]], **options: object) -> bytes:
    """Return a TIFF of several directories, each with tags of its own."""
    buffer = io.BytesIO()
    with TiffImagePlugin.AppendingTiffWriter(buffer, new=True) as file:
        for image, tags in pages:
            image.save(file, format="TIFF", tiffinfo=tags, **options)
            file.newFrame()
    return buffer.getvalue()


def big_tiff(order: str = "<", pages: int = 1) -> bytes:
    """Return grey pages as BigTIFF: version 43, offsets of 8 bytes, little-endian or (`>`) big-endian."""
    page = ImageOps.grayscale(written())
    data = page.tobytes()
    file = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HHHQ", 43, 8, 0, 16 + len(data)) + data
    for number in range(pages):
        tags: tuple[tuple[int, int, int], ...] = (
            *((256, 16, page.width), (257, 4, page.height), (258, 3, 8), (259, 3, 1), (262, 3, 1)),
            *((273, 16, 16), (277, 3, 1), (278, 4, page.height), (279, 16, len(data)), (284, 3, 1)),
        )
        file += struct.pack(f"{order}Q", len(tags))
        for tag, kind, value in tags:
            packed = struct.pack(f"{order}{ {3: 'H', 4: 'I', 16: 'Q'}[kind] }", value)
            file += struct.pack(f"{order}HHQ", tag, kind, 1) + packed.ljust(8, b"\0")
        last = number == pages - 1
        file += struct.pack(f"{order}Q", 0 if last else len(file) + 8)
    return file


def tiff_in_sub_ifd(page: Image.Image, preview: Image.Image, *, photometric: int = 1) -> bytes:
    """Return a TIFF whose directory is a grey preview of a grey page in a SubIFD, as cameras write them."""
    images = [ImageOps.grayscale(image) for image in (preview, page)]
    file, offsets = bytearray(b"II*\0" + bytes(4)), []
    for image in images:
        offsets.append(len(file))
        file += image.tobytes() + bytes(len(image.tobytes()) % 2)
    sub_ifd = len(file)
    for number, image in reversed(list(enumerate(images))):
        if number == 0:
            struct.pack_into("<I", file, 4, len(file))
        tags = [
            *((254, 4, 1 - number), (256, 4, image.width), (257, 4, image.height), (258, 3, 8), (259, 3, 1)),
            *((262, 3, photometric if number else 1), (273, 4, offsets[number]), (277, 3, 1)),
            *((278, 4, image.height), (279, 4, image.width * image.height), (330, 4, sub_ifd)),
        ][: 11 - number]
        file += struct.pack("<H", len(tags))
        file += b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags) + bytes(4)
    return bytes(file)


def big_tiff_in_sub_ifd(page: Image.Image, preview: Image.Image, order: str) -> bytes:
    """Return a BigTIFF whose directory is a grey preview of a grey page in a SubIFD."""
    images = [ImageOps.grayscale(image) for image in (page, preview)]
    file = bytearray((b"II" if order == "<" else b"MM") + struct.pack(f"{order}HHHQ", 43, 8, 0, 0))
    sub_ifd = 0
    for number, image in enumerate(images):
        pixels, data = len(file), image.tobytes()
        file += data + bytes(-len(data) % 8)
        tags = [
            *((254, 4, number), (256, 4, image.width), (257, 4, image.height), (258, 3, 8), (259, 3, 1)),
            *((262, 3, 1), (273, 16, pixels), (277, 3, 1), (278, 4, image.height), (279, 16, len(data))),
            *([(330, 18, sub_ifd)] if number else []),
        ]
        sub_ifd = len(file)
        file += struct.pack(f"{order}Q", len(tags))
        for tag, kind, value in tags:
            packed = struct.pack(f"{order}{ {3: 'H', 4: 'I', 16: 'Q', 18: 'Q'}[kind] }", value)
            file += struct.pack(f"{order}HHQ", tag, kind, 1) + packed.ljust(8, b"\0")
        file += bytes(8)
    struct.pack_into(f"{order}Q", file, 8, sub_ifd)
    return bytes(file)


def tiff_of_unsigned(page: Image.Image) -> bytes:
    """Return a grey page as little-endian TIFF of unsigned numbers of 32 bits: white is 2**32 - 1."""
    grey = ImageOps.grayscale(page)
    data = struct.pack(f"<{grey.width * grey.height}I", *[level * 0x01010101 for level in grey.tobytes()])
    tags = (
        *((256, 4, grey.width), (257, 4, grey.height), (258, 3, 32), (259, 3, 1), (262, 3, 1)),
        *(
            (273, 4, 8 + 2 + 10 * 12 + 4),
            (277, 3, 1),
            (278, 4, grey.height),
            (279, 4, len(data)),
            (339, 3, 1),
        ),
    )
    file = b"II" + struct.pack("<HIH", 42, 8, len(tags))
    for tag, kind, value in tags:
        packed = struct.pack(f"<{'H' if kind == 3 else 'I'}", value)
        file += struct.pack("<HHI", tag, kind, 1) + packed.ljust(4, b"\0")
    return file + bytes(4) + data


def tiff_of_numbers(kind: int, bits: int, channels: int = 1) -> bytes:
    """Return a TIFF of 32 × 32 zeros whose SampleFormat is `kind`: 1 and 2 whole numbers, 3 floats."""
    data, start = bytes(32 * 32 * channels * bits // 8), 8 + 2 + 12 * 12 + 4
    counts = struct.pack(f"<{channels}H", *[bits] * channels) + struct.pack(
        f"<{channels}H", *[kind] * channels
    )
    depth, form = (bits, kind) if channels == 1 else (start, start + 2 * channels)
    tags = (
        *((256, 4, 1, 32), (257, 4, 1, 32), (258, 3, channels, depth), (259, 3, 1, 1)),
        *((262, 3, 1, 1 if channels == 1 else 2), (273, 4, 1, start + len(counts)), (277, 3, 1, channels)),
        *((278, 4, 1, 32), (279, 4, 1, len(data)), (282, 4, 1, 1), (284, 3, 1, 1), (339, 3, channels, form)),
    )
    directory = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags) + bytes(4)
    return b"II*\0" + struct.pack("<I", 8) + directory + counts + data


def planar_tiff(bits: int) -> bytes:
    """Return a colour page as TIFF whose channels of 8 or 16 bits are in separate planes."""
    page = written()
    planes = [plane.tobytes() for plane in page.split()]
    if bits > 8:
        planes = [bytes(byte for level in plane for byte in (level, level)) for plane in planes]
    size, start = len(planes[0]), 8
    values = struct.pack("<6I", *(start + number * size for number in range(3)), *[size] * 3)
    depths = struct.pack("<3H", bits, bits, bits)
    after = start + 3 * size
    tags = (
        *((256, 4, 1, page.width), (257, 4, 1, page.height), (258, 3, 3, after + 24), (259, 3, 1, 1)),
        *((262, 3, 1, 2), (273, 4, 3, after), (277, 3, 1, 3), (278, 4, 1, page.height)),
        *((279, 4, 3, after + 12), (284, 3, 1, 2)),
    )
    directory = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags)
    offset = after + len(values) + len(depths)
    head = struct.pack("<2sHI", b"II", 42, offset)
    return head + b"".join(planes) + values + depths + directory + bytes(4)


def pdf(pages: Sequence[Image.Image]) -> bytes:
    """Return a PDF with an image on each page."""
    return saved(pages[0], "PDF", save_all=True, append_images=list(pages[1:]), resolution=150.0)


def empty_pdf() -> bytes:
    """Return a PDF whose tree of pages has none."""
    return _pdf_objects(["<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [] /Count 0 >>"])


def encrypted_pdf() -> bytes:
    """Return a PDF with the standard security handler, whose password is unknown."""
    return _pdf_objects(
        [
            "<< /Type /Catalog /Pages 2 0 R >>",
            "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] >>",
            f"<< /Filter /Standard /V 1 /R 2 /O <{'ab' * 32}> /U <{'cd' * 32}> /P -4 >>",
        ],
        trailer=f"/Encrypt 4 0 R /ID [<{'01' * 16}> <{'01' * 16}>]",
    )


def pdf_with_damage(page: Image.Image, *, deflated: bool, damage: str) -> bytes:
    """Return a PDF whose only image is damaged: `cut` in its middle, `head` overwritten, or `zeros` alone."""
    data = zlib.compress(page.convert("RGB").tobytes()) if deflated else saved(page, "JPEG", quality=90)
    half = len(data) // 2
    data = {
        "none": data,
        "cut": data[:half],
        "head": bytes(20) + data[20:],
        "zeros": bytes(len(data)),
        "tail": data[:half] + bytes(len(data) - half),
    }[damage]
    name = "FlateDecode" if deflated else "DCTDecode"
    image = (
        f"<< /Type /XObject /Subtype /Image /Width {page.width} /Height {page.height} /ColorSpace /DeviceRGB "
        f"/BitsPerComponent 8 /Filter /{name} /Length {len(data)} >>\nstream\n"
    )
    return _pdf_objects(
        [
            "<< /Type /Catalog /Pages 2 0 R >>",
            "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] /Contents 5 0 R /Resources 6 0 R >>",
            image + data.decode("latin-1") + "\nendstream",
            "<< /Length 27 >>\nstream\nq 300 0 0 200 0 0 cm /I Do \nendstream",
            "<< /XObject << /I 4 0 R >> >>",
        ]
    )


def _pdf_objects(objects: Sequence[str], trailer: str = "") -> bytes:
    """Return a PDF of these objects, the first of which is the catalogue (PDF 1.4, section 3.4)."""
    body, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(body))
        body += f"{number} 0 obj\n{content}\nendobj\n".encode("latin-1")
    table = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    table += b"".join(f"{offset:010} 00000 n \n".encode() for offset in offsets)
    end = f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R {trailer} >>\nstartxref\n{len(body)}\n%%EOF\n"
    return body + table + end.encode()
