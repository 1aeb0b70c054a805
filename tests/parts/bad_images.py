"""A seeded corpus of images that break decoders; nothing is downloaded, everything is made here."""

import io
import random
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from PIL import Image

SEED = 7
_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class BadImage:
    """An image, and the status and code of its refusal; status 201 when it is accepted."""

    name: str
    data: bytes
    status: int
    code: str = ""


def _saved(image: Image.Image, form: str, **options: object) -> bytes:
    """Return an image file."""
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def photo(width: int = 96, height: int = 64, mode: str = "RGB") -> Image.Image:
    """Return a picture with noise in it."""
    noise = random.Random(SEED)
    return Image.frombytes("RGB", (width, height), noise.randbytes(width * height * 3)).convert(mode)


def _chunk(kind: bytes, data: bytes) -> bytes:
    """Return a PNG chunk (PNG specification, section 5.3)."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png(width: int, height: int, *chunks: bytes, raw: bytes = b"") -> bytes:
    """Return a grey PNG of any claimed size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = [_chunk(b"IHDR", header), *chunks, _chunk(b"IDAT", zlib.compress(raw, 9)), _chunk(b"IEND", b"")]
    return _PNG + b"".join(body)


def _tiff(entries: list[tuple[int, int, int, int]], *, following: int = 0, tail: bytes = b"") -> bytes:
    """Return a little-endian TIFF with one directory (TIFF 6.0, section 2)."""
    directory = struct.pack("<H", len(entries))
    directory += b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\x00" + struct.pack("<I", 8) + directory + struct.pack("<I", following) + tail


def _plain_tiff(*, samples: int = 1, following: int = 0, compression: int = 1, data: bytes = b"") -> bytes:
    """Return a 32 × 32 TIFF whose strip follows its directory."""
    offset = 8 + 2 + 8 * 12 + 4
    data = data or bytes(1024)
    entries = [
        (256, 3, 1, 32),
        (257, 3, 1, 32),
        (258, 3, 1, 8),
        (259, 3, 1, compression),
        (262, 3, 1, 1),
        (273, 4, 1, offset),
        (277, 3, 1, samples),
        (279, 4, 1, len(data)),
    ]
    return _tiff(entries, following=following, tail=data)


def _broken() -> Iterator[BadImage]:
    """Yield files that are cut, damaged or no images at all."""
    png, jpeg = _saved(photo(), "PNG"), _saved(photo(), "JPEG")
    yield BadImage("empty", b"", 422, "empty-file")
    yield BadImage("one byte", b"\xff", 415, "unsupported-media-type")
    for name, signature in (("png", _PNG), ("jpeg", b"\xff\xd8\xff"), ("tiff", b"II*\x00")):
        yield BadImage(f"{name} signature only", signature, 422, "undecodable-image")
    yield BadImage("webp signature only", b"RIFF\x00\x00\x00\x00WEBP", 422, "undecodable-image")
    yield BadImage("jpeg cut in half", jpeg[: len(jpeg) // 2], 201)
    for name, data in (("png", png), ("webp", _saved(photo(), "WEBP", lossless=True))):
        yield BadImage(f"{name} cut in half", data[: len(data) // 2], 422, "undecodable-image")
    tiff = _saved(photo(), "TIFF")
    yield BadImage("tiff cut in half", tiff[: len(tiff) // 2], 422, "undecodable-image")
    damaged = bytearray(png)
    damaged[-20] ^= 0xFF
    yield BadImage("bad checksum", bytes(damaged), 422, "undecodable-image")
    yield BadImage(
        "noise behind a signature", _PNG + random.Random(SEED).randbytes(5000), 422, "undecodable-image"
    )


def _sizes() -> Iterator[BadImage]:
    """Yield images of sizes that are no pages."""
    yield BadImage("0×0", _png(0, 0), 422, "undecodable-image")
    yield BadImage("65535×65535", _png(65535, 65535), 422, "image-too-large")
    yield BadImage(
        "10000×10000 in little", _png(10000, 10000, raw=bytes(10001 * 10000)), 422, "image-too-large"
    )
    yield BadImage("1×100000", _png(1, 100_000), 422, "image-too-small")
    yield BadImage("100×100000", _png(100, 100_000), 422, "image-too-large")
    yield BadImage("1×1", _saved(Image.new("L", (1, 1)), "PNG"), 422, "image-too-small")
    yield BadImage("15×15", _saved(Image.new("L", (15, 15)), "PNG"), 422, "image-too-small")
    yield BadImage("claims more than it has", _png(4000, 4000, raw=b"\x00"), 422, "undecodable-image")


def _bombs() -> Iterator[BadImage]:
    """Yield little files that ask for much."""
    bomb = zlib.compress(bytes(64 * 1024 * 1024), 9)
    raw = b"\x00" * (33 * 32)
    yield BadImage(
        "bomb in iCCP", _png(32, 32, _chunk(b"iCCP", b"p\x00\x00" + bomb), raw=raw), 422, "undecodable-image"
    )
    yield BadImage(
        "bomb in zTXt", _png(32, 32, _chunk(b"zTXt", b"k\x00\x00" + bomb), raw=raw), 422, "undecodable-image"
    )
    yield BadImage("jpeg of 10,000 scans", _many_scans(10_000), 422, "image-too-expensive")
    yield BadImage("tiff SamplesPerPixel 65535", _plain_tiff(samples=65535), 422, "undecodable-image")
    # Both hold one sound image of 32 × 32: the decoder stops there, and so does the harm.
    yield BadImage("tiff deflate bomb", _plain_tiff(compression=8, data=bomb), 201)
    yield BadImage("tiff pointing at itself", _plain_tiff(following=8), 201)


def _many_scans(count: int) -> bytes:
    """Return a progressive JPEG whose last scan is repeated."""
    jpeg = _saved(photo(), "JPEG", progressive=True)
    start = jpeg.rindex(b"\xff\xda")
    return jpeg[:start] + jpeg[start:-2] * count + jpeg[-2:]


def _frames() -> Iterator[BadImage]:
    """Yield files of several images."""
    frames = [photo(), photo().rotate(90), photo().rotate(180)]
    for form in ("PNG", "WEBP"):
        data = _saved(frames[0], form, save_all=True, append_images=frames[1:])
        yield BadImage(f"animated {form}", data, 422, "multiple-frames")
    pages = [Image.new("1", (32, 32))] * 700
    data = _saved(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    yield BadImage("tiff of 700 pages", data, 422, "too-many-pages")


def _other_types() -> Iterator[BadImage]:
    """Yield types that are not read, some under another name."""
    headers = {
        "gif": b"GIF89a",
        "bmp": b"BM",
        "ico": b"\x00\x00\x01\x00",
        "psd": b"8BPS\x00\x01",
        "eps.png": b"%!PS-Adobe-3.0 EPSF-3.0\n",
        "svg.png": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
        "html": b"<script>alert(1)</script>",
    }
    for name, header in headers.items():
        yield BadImage(name, header + bytes(200), 415, "unsupported-media-type")
    yield BadImage("pdf of noise", b"%PDF-1.7\n" + bytes(200), 422, "broken-pdf")
    yield BadImage("heic of noise", b"\x00\x00\x00\x18ftypheic" + bytes(200), 422, "undecodable-image")
    yield BadImage("real gif", _saved(photo(mode="P"), "GIF"), 415, "unsupported-media-type")


def _accepted() -> Iterator[BadImage]:
    """Yield unusual images that are accepted."""
    for mode, form in (("CMYK", "JPEG"), ("CMYK", "TIFF"), ("I;16", "PNG"), ("1", "TIFF"), ("LA", "PNG")):
        image = photo(mode="L").convert("I;16") if mode == "I;16" else photo(mode=mode)
        yield BadImage(f"{mode} {form}", _saved(image, form), 201)
    palette = photo(mode="P")
    yield BadImage("palette with transparency", _saved(palette, "PNG", transparency=3), 201)
    yield BadImage("RGBA WebP", _saved(photo(mode="RGBA"), "WEBP"), 201)
    yield BadImage("float TIFF", _saved(photo(mode="F"), "TIFF"), 201)
    for orientation in range(1, 10):
        exif = Image.Exif()
        exif[0x0112] = orientation
        yield BadImage(f"EXIF {orientation}", _saved(photo(), "JPEG", exif=exif), 201)
    looping = b"Exif\x00\x00II*\x00" + struct.pack("<IHHHIII", 8, 1, 0x8769, 4, 1, 8, 8)
    yield BadImage("EXIF looping", _saved(photo(), "JPEG", exif=looping), 201)
    yield BadImage("polyglot", _saved(photo(), "PNG") + b"PK\x03\x04<script>", 201)
    yield BadImage("blank", _saved(Image.new("L", (200, 100), 255), "PNG"), 201)
    yield BadImage("upside down", _saved(photo().rotate(180), "PNG"), 201)


def bad_images() -> list[BadImage]:
    """Return the whole corpus, the same every time."""
    makers: list[Callable[[], Iterator[BadImage]]] = [
        _broken,
        _sizes,
        _bombs,
        _frames,
        _other_types,
        _accepted,
    ]
    return [image for maker in makers for image in maker()]
