"""TIFFs and PDFs that other programs write, whole and damaged: the stored image and its warnings."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image

from ketav_common.errors import InvalidInput
from ketav_common.images import ImageNormaliser
from tests.parts import image_kinds as kinds
from tests.unit.test_image_kinds import PAGE, normalise

PREVIEW = PAGE.resize((PAGE.width // 4, PAGE.height // 4))


@pytest.fixture
async def images() -> AsyncIterator[ImageNormaliser]:
    """Run one decoding process."""
    async with ImageNormaliser(workers=1) as normaliser:
        yield normaliser


@pytest.mark.parametrize("order", ["<", ">"])
async def test_a_bigtiff_whose_page_is_in_a_subifd_is_that_page(
    images: ImageNormaliser, tmp_path: Path, order: str
) -> None:
    """Not the preview in its directory."""
    done = await normalise(images, tmp_path, kinds.big_tiff_in_sub_ifd(PAGE, PREVIEW, order))
    assert (done.width, done.height) == PAGE.size


async def test_unsigned_numbers_of_32_bits_keep_their_order(images: ImageNormaliser, tmp_path: Path) -> None:
    """Those above 2**31 are lighter than those below, and not negative."""
    done = await normalise(images, tmp_path, kinds.tiff_of_unsigned(PAGE))
    with Image.open(done.path) as stored:
        difference = [abs(a - b) for a, b in zip(stored.tobytes(), PAGE.convert("L").tobytes(), strict=True)]
    assert max(difference) <= 1


@pytest.mark.parametrize("deflated", [False, True])
@pytest.mark.parametrize("damage", ["cut", "tail"])
async def test_a_pdf_page_with_a_damaged_image_is_stored_with_a_warning(
    images: ImageNormaliser, tmp_path: Path, damage: str, *, deflated: bool
) -> None:
    """PDFium draws the part of the image that it decodes."""
    data = kinds.pdf_with_damage(PAGE, deflated=deflated, damage=damage)
    assert (await normalise(images, tmp_path, data)).warnings == ("damaged-image",)


@pytest.mark.parametrize("deflated", [False, True])
@pytest.mark.parametrize("damage", ["head", "zeros"])
async def test_a_pdf_page_of_which_nothing_can_be_drawn_is_refused(
    images: ImageNormaliser, tmp_path: Path, damage: str, *, deflated: bool
) -> None:
    """A blank page would be stored without a line."""
    with pytest.raises(InvalidInput) as raised:
        await normalise(images, tmp_path, kinds.pdf_with_damage(PAGE, deflated=deflated, damage=damage))
    assert raised.value.code == "broken-pdf"


@pytest.mark.parametrize("deflated", [False, True])
async def test_a_pdf_page_with_a_whole_image_has_no_warning(
    images: ImageNormaliser, tmp_path: Path, *, deflated: bool
) -> None:
    """Whether the image is compressed as a JPEG or without loss."""
    data = kinds.pdf_with_damage(PAGE, deflated=deflated, damage="none")
    assert (await normalise(images, tmp_path, data)).warnings == ()
