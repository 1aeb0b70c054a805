"""A page like handwritten Hebrew: letters of a cursive font with slightly random size, position and slant."""

import io
from collections.abc import Sequence
from pathlib import Path
from random import Random

from PIL import Image, ImageDraw, ImageFilter, ImageFont

FONT = Path(__file__).with_name("gveret-levin-subset.ttf")
WIDTH, MARGIN, PITCH, SIZE = 1500, 120, 130, 76
PAPER, RULE, INK = (250, 247, 238), (206, 216, 232), (38, 44, 86)

LINES = (
    "בוקר טוב לכולם",
    "היום נלמד לקרוא כתב יד",
    "כל אדם כותב אחרת",
    "והמכונה לומדת מן התיקונים",
    "עוד שורה אחת על הנייר",
    "ומחר נמשיך ללמוד יחד",
)


def render(lines: Sequence[str] = LINES, seed: int = 1) -> bytes:
    """Draw the lines (logical order) on a ruled page, as PNG; the same seed gives the same image."""
    random = Random(seed)
    height = 2 * MARGIN + PITCH * len(lines)
    page = Image.new("RGB", (WIDTH, height), PAPER)
    pen = ImageDraw.Draw(page)
    size = round(SIZE * random.uniform(0.95, 1.1))
    slant = random.uniform(-0.12, 0.05)
    for number, text in enumerate(lines):
        baseline = MARGIN + PITCH * (number + 1) - 30
        pen.line([(60, baseline + 4), (WIDTH - 60, baseline + 4)], fill=RULE, width=2)
        write_line(page, text, baseline, size, slant, random)
    output = io.BytesIO()
    page.filter(ImageFilter.GaussianBlur(0.7)).save(output, "PNG", optimize=True)
    return output.getvalue()


def write_line(page: Image.Image, text: str, baseline: int, size: int, slant: float, random: Random) -> None:
    """Write one line from the right margin leftwards, letter by letter; baseline is its y in pixels."""
    x = WIDTH - MARGIN - random.uniform(0, 40)
    drift = random.uniform(-0.006, 0.006)
    for letter in text:
        font = ImageFont.truetype(FONT, round(size * random.uniform(0.95, 1.05)))
        advance = font.getlength(letter)
        if letter == " ":
            x -= advance * random.uniform(1.4, 1.9)
            continue
        x -= advance
        y = baseline + drift * (WIDTH - x) + random.uniform(-2.5, 2.5)
        stamp(page, letter, font, (x, y), slant + random.uniform(-0.04, 0.04))
        x -= random.uniform(0.5, 4.0)


def stamp(
    page: Image.Image, letter: str, font: ImageFont.FreeTypeFont, at: tuple[float, float], slant: float
) -> None:
    """Draw one letter with its origin at `at` (x, baseline y), sheared by slant about the baseline."""
    box = 3 * round(font.size)
    origin = (box // 3, 2 * box // 3)
    ink = Image.new("L", (box, box))
    ImageDraw.Draw(ink).text(origin, letter, font=font, fill=255, anchor="ls")
    shear = (1, slant, -slant * origin[1], 0, 1, 0)
    ink = ink.transform(ink.size, Image.Transform.AFFINE, shear, Image.Resampling.BICUBIC)
    page.paste(INK, (round(at[0]) - origin[0], round(at[1]) - origin[1]), ink)
