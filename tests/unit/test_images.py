"""Uploads are decoded where nothing can be hurt, and come out upright, plain and without metadata."""

import asyncio
import io
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
from PIL import Image

from ketav_common.errors import InvalidInput, KetavError, Unavailable
from ketav_common.images import ImageNormaliser, NormalisedImage
from tests.parts.bad_images import BadImage, bad_images, photo

CORPUS = bad_images()
STATUS = {415: "UnsupportedMedia", 422: "InvalidInput", 413: "TooLarge"}


@pytest.fixture
async def images() -> AsyncIterator[ImageNormaliser]:
    """Run one decoding process."""
    async with ImageNormaliser(workers=1) as normaliser:
        yield normaliser


async def normalise(images: ImageNormaliser, folder: Path, data: bytes) -> NormalisedImage:
    """Normalise bytes."""
    source = folder / "source"
    source.write_bytes(data)
    return await images.normalise(source, folder / "target")


def environment_of(pid: int) -> bytes:
    """Return the environment that a process was started with."""
    return Path(f"/proc/{pid}/environ").read_bytes()


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    """Return an image file."""
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("bad", CORPUS, ids=[bad.name for bad in CORPUS])
async def test_every_image_of_the_corpus_gets_its_answer_in_time(
    images: ImageNormaliser, tmp_path: Path, bad: BadImage
) -> None:
    """A refusal has its code and leaves no file; an acceptance has a plain image; both within ten seconds."""
    started = time.monotonic()
    if bad.status == 201:
        done = await normalise(images, tmp_path, bad.data)
        with Image.open(done.path) as image:
            image.load()
            assert (image.mode in {"L", "RGB"}, image.size) == (True, (done.width, done.height))
            assert not image.getexif()
            assert "icc_profile" not in image.info
    else:
        with pytest.raises(KetavError) as refused:
            await normalise(images, tmp_path, bad.data)
        assert (refused.value.http, refused.value.code) == (bad.status, bad.code)
        assert not (tmp_path / "target").exists()
    assert time.monotonic() - started < 10


async def test_a_photograph_taken_sideways_is_stored_upright(images: ImageNormaliser, tmp_path: Path) -> None:
    """EXIF orientation 6 turns the pixels, and is gone afterwards."""
    exif = Image.Exif()
    exif[0x0112] = 6
    wide = Image.new("RGB", (96, 64), "white")
    wide.paste((0, 0, 0), (0, 0, 96, 16))
    done = await normalise(images, tmp_path, saved(wide, "JPEG", exif=exif, quality=95))
    assert (done.width, done.height, done.media_type) == (64, 96, "image/jpeg")
    with Image.open(done.path) as image:
        assert image.convert("L").getpixel((60, 40)) < 30  # type: ignore[operator]
        assert image.convert("L").getpixel((10, 40)) > 220  # type: ignore[operator]


@pytest.mark.parametrize(
    ("image", "form", "expected"),
    [
        (Image.new("I;16", (32, 32), 65535), "PNG", 255),
        (Image.new("I;16", (32, 32), 32768), "TIFF", 127),
        (Image.new("F", (32, 32), 1.0), "TIFF", 255),
        (Image.new("LA", (32, 32), (0, 0)), "PNG", 255),
        (Image.new("RGBA", (32, 32), (0, 0, 0, 0)), "PNG", (255, 255, 255)),
        (Image.new("1", (32, 32), 1), "PNG", 255),
        (Image.new("CMYK", (32, 32), (0, 0, 0, 0)), "TIFF", (255, 255, 255)),
    ],
)
async def test_paper_stays_white_in_every_mode(
    images: ImageNormaliser, tmp_path: Path, image: Image.Image, form: str, expected: object
) -> None:
    """16 bits, floats, transparency, ink colours: white stays white, grey stays grey."""
    done = await normalise(images, tmp_path, saved(image, form))
    with Image.open(done.path) as plain:
        assert plain.getpixel((5, 5)) == pytest.approx(expected, abs=1)


async def test_a_lossless_source_keeps_its_pixels(images: ImageNormaliser, tmp_path: Path) -> None:
    """PNG in, the same pixels out."""
    source = photo()
    done = await normalise(images, tmp_path, saved(source, "PNG"))
    with Image.open(done.path) as plain:
        assert plain.tobytes() == source.tobytes()


async def test_a_jpeg_stays_a_jpeg_and_its_metadata_is_gone(images: ImageNormaliser, tmp_path: Path) -> None:
    """No comment, no place of the photograph, no profile."""
    exif = Image.Exif()
    exif[0x010E] = "canary-description"
    data = saved(photo(), "JPEG", exif=exif, comment=b"canary-comment", icc_profile=b"canary-profile")
    done = await normalise(images, tmp_path, data)
    assert done.media_type == "image/jpeg"
    assert b"canary" in data
    assert b"canary" not in done.path.read_bytes()


async def test_a_decoder_that_hangs_is_ended_and_replaced(tmp_path: Path) -> None:
    """The upload is refused after the time limit; the next one is served."""
    async with ImageNormaliser(workers=1, timeout_s=1.0) as images:
        os.kill(images._idle[0].child.pid, signal.SIGSTOP)
        with pytest.raises(InvalidInput) as refused:
            await normalise(images, tmp_path, saved(photo(), "PNG"))
        assert refused.value.code == "image-too-expensive"
        assert (await normalise(images, tmp_path, saved(photo(), "PNG"))).width == 96


async def test_a_decoder_that_was_killed_while_idle_costs_no_upload(
    images: ImageNormaliser, tmp_path: Path
) -> None:
    """Also when the pool has not been notified yet: the next upload gets a new process."""
    for wait_s in (0.0, 0.2):
        os.kill(images._idle[0].child.pid, signal.SIGKILL)
        await asyncio.sleep(wait_s)
        assert (await normalise(images, tmp_path, saved(photo(), "PNG"))).width == 96


async def test_an_upload_whose_decoder_is_killed_from_outside_is_decoded_by_another(
    images: ImageNormaliser, tmp_path: Path
) -> None:
    """A process killed before its limits are reached says nothing about the image."""
    child = images._idle[0].child
    os.kill(child.pid, signal.SIGSTOP)
    task = asyncio.create_task(normalise(images, tmp_path, saved(photo(), "PNG")))
    await asyncio.sleep(0.1)
    os.kill(child.pid, signal.SIGKILL)
    assert (await task).width == 96


async def test_an_image_over_which_two_decoders_are_killed_is_refused(
    images: ImageNormaliser, tmp_path: Path
) -> None:
    """The kernel kills a process when memory is full: a second death is taken to be the image's fault."""
    first = images._idle[0].child
    os.kill(first.pid, signal.SIGSTOP)
    task = asyncio.create_task(normalise(images, tmp_path, saved(photo(), "PNG")))
    await asyncio.sleep(0.1)
    us = psutil.Process()
    os.kill(first.pid, signal.SIGKILL)
    second = None
    for _ in range(1000):
        # Servers of earlier tests are children, too.
        second = next(
            (
                child
                for child in us.children()
                if child.pid != first.pid and "ketav_common.image_decoder" in child.cmdline()
            ),
            None,
        )
        if second is not None:
            break
        await asyncio.sleep(0.005)
    assert second is not None
    second.kill()
    with pytest.raises(InvalidInput) as refused:
        await task
    assert refused.value.code == "image-too-expensive"
    assert (await normalise(images, tmp_path, saved(photo(), "PNG"))).width == 96


async def test_a_decoder_that_fails_itself_does_not_blame_the_image(
    images: ImageNormaliser, tmp_path: Path
) -> None:
    """A target that cannot be written, as on a full disk, is the server's failure."""
    source = tmp_path / "source"
    source.write_bytes(saved(photo(), "PNG"))
    with pytest.raises(Unavailable, match="server failed to decode"):
        await images.normalise(source, tmp_path / "absent" / "target")
    assert (await normalise(images, tmp_path, saved(photo(), "PNG"))).width == 96


async def test_a_decoder_has_its_own_memory_limit(tmp_path: Path) -> None:
    """An image that needs more than the limit is refused, and the limit is the child's, not ours."""
    data = saved(Image.new("RGB", (6000, 6000)), "PNG")
    async with ImageNormaliser(workers=1, memory_bytes=160 * 1024 * 1024) as images:
        with pytest.raises(InvalidInput) as refused:
            await normalise(images, tmp_path, data)
    assert refused.value.code == "image-too-expensive"


async def test_a_decoder_inherits_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of the process holds nothing of the service's settings."""
    monkeypatch.setenv("KETAV_IDENTITY_KEY", "canary-secret")
    async with ImageNormaliser(workers=1) as images:
        environment = environment_of(images._idle[0].child.pid)
    assert b"canary" not in environment


async def test_a_cancelled_upload_frees_its_place(images: ImageNormaliser, tmp_path: Path) -> None:
    """A client that leaves takes its decoding process with it, and the next one is served."""
    os.kill(images._idle[0].child.pid, signal.SIGSTOP)
    task = asyncio.create_task(normalise(images, tmp_path, saved(photo(), "PNG")))
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await normalise(images, tmp_path, saved(photo(), "PNG"))).width == 96


async def test_a_closed_pool_takes_nothing(tmp_path: Path) -> None:
    """After the end, Unavailable."""
    async with ImageNormaliser(workers=1) as images:
        pass
    with pytest.raises(Unavailable):
        await normalise(images, tmp_path, saved(photo(), "PNG"))
