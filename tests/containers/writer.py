"""Pages of one writer that the base model reads badly: the demo's letters, slanted and narrow."""

import io
import random

from PIL import Image

from ketav_common.error_rates import cer
from ketav_local.demo.page import LINES, render

SLANT = 0.7
"""Horizontal shift per unit of height."""
WIDTH = 0.7
"""Width of the page relative to the demo's. With this slant the base model misreads one letter in four."""


def texts(seed: int, lines: int = 6) -> list[str]:
    """Return lines of the demo's words in another order."""
    source = random.Random(seed)
    words = " ".join(LINES).split()
    source.shuffle(words)
    return [" ".join(words[index::lines]) for index in range(lines)]


def page(lines: list[str], seed: int) -> bytes:
    """Return a page of these lines as PNG."""
    image = Image.open(io.BytesIO(render(lines, seed)))
    shear = (1, SLANT, -SLANT * image.height / 2, 0, 1, 0)
    slanted = image.transform(
        image.size, Image.Transform.AFFINE, shear, Image.Resampling.BICUBIC, fillcolor=(250, 247, 238)
    )
    output = io.BytesIO()
    slanted.resize((round(image.width * WIDTH), image.height)).save(output, "PNG")
    return output.getvalue()


def error_rate(written: list[str], read: str) -> float:
    """Return the CER of a page's text."""
    return cer([("\n".join(written), read)]).rate
