"""Alphabets from fonts: cursive, scribal, Rashi and print; fetched by package name, not shipped."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from fontTools.ttLib import TTFont
from PIL import Image, ImageDraw, ImageFont

from ketav_basemodel.alphabet import DIGITS as DIGIT_CHARACTERS
from ketav_basemodel.alphabet import LATIN
from ketav_basemodel.glyphs import UNIT, Glyph, crop_ink, make_glyph
from ketav_basemodel.letters import CLASSES

DEBIAN: Final = ("culmus", "culmus-fancy", "fonts-ldco", "fonts-sil-ezra")
"""Debian packages with Hebrew fonts."""
NPM: Final = (
    "@fontsource/gveret-levin",
    "@fontsource/playpen-sans-hebrew",
    "@fontsource/solitreo",
    "@fontsource/noto-rashi-hebrew",
    "@fontsource/david-libre",
    "@fontsource/frank-ruhl-libre",
    "@fontsource/cardo",
    "@fontsource/amatic-sc",
    "@fontsource/caveat",
    "@fontsource/patrick-hand",
    "@fontsource/kalam",
    "@fontsource/shadows-into-light",
    "@fontsource/indie-flower",
    "@fontsource/architects-daughter",
    "@fontsource/handlee",
    "@fontsource/reenie-beanie",
    "morphhb",
)
"""npm packages: fonts, and the Hebrew Bible's text."""
CURSIVE: Final = (
    "gveret-levin-hebrew-400",
    "playpen-sans-hebrew-hebrew-300",
    "playpen-sans-hebrew-hebrew-400",
    "solitreo-hebrew-400",
    "KtavYadCLM-MediumItalic",
    "DorianCLM-BookItalic",
    "AnkaCLM-Bold",
    "Lilach",
)
STAM: Final = ("StamAshkenazCLM", "StamSefaradCLM")
SCRIBAL: Final = (
    "KeterYG-Medium",
    "KeterAramTsova",
    "ShofarRegular",
    "HadasimCLM-Regular",
    "TaameyAshkenaz-Medium",
    "SILEOT",
)
RASHI: Final = ("noto-rashi-hebrew-hebrew-400",)
PRINT: Final = (
    "david-libre-hebrew-400",
    "frank-ruhl-libre-hebrew-400",
    "cardo-hebrew-400",
    "MiriamCLM-Book",
    "NachlieliCLM-Light",
    "DavidCLM-Medium",
    "YamSuf",
    "amatic-sc-hebrew-400",
)
DIGITS: Final = (
    "caveat-latin-400",
    "patrick-hand-latin-400",
    "kalam-latin-300",
    "shadows-into-light-latin-400",
    "indie-flower-latin-400",
    "architects-daughter-latin-400",
    "handlee-latin-400",
    "reenie-beanie-latin-400",
    "playpen-sans-hebrew-latin-300",
    "gveret-levin-latin-400",
)
_FORMATS: Final = (".ttf", ".otf", ".pfa", ".woff2")
_SIGNS: Final = DIGIT_CHARACTERS + "%₪&@#$€־׳״–”„…"


@dataclass(frozen=True, slots=True)
class Fonts:
    """Alphabets by kind; each maps characters to glyphs on one core band.

    `digits` have the digits, signs and Latin letters of handwriting fonts.
    """

    cursive: list[dict[str, Glyph]]
    stam: list[dict[str, Glyph]]
    scribal: list[dict[str, Glyph]]
    rashi: list[dict[str, Glyph]]
    print: list[dict[str, Glyph]]
    digits: list[dict[str, Glyph]]


def fetch(folder: Path) -> None:
    """Fetch fonts and texts into `folder` with the machine's own package clients (apt-get and npm).

    Raises CalledProcessError when a client fails and FileNotFoundError when there is none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    npm, apt = shutil.which("npm"), shutil.which("apt-get")
    if npm is None or apt is None:
        raise FileNotFoundError(
            "npm and apt-get are needed to fetch the fonts. Install both, or copy the packages."
        )
    (folder / "package.json").write_text('{"private": true}\n')
    quiet = ["--silent", "--no-audit", "--no-fund", "--ignore-scripts"]
    subprocess.run([npm, "install", *quiet, *NPM], cwd=folder, check=True)  # noqa: S603  # names are constants
    debs = folder / "deb"
    debs.mkdir(exist_ok=True)
    subprocess.run([apt, "-qq", "download", *DEBIAN], cwd=debs, check=True)  # noqa: S603  # names are constants
    for deb in sorted(debs.glob("*.deb")):
        subprocess.run(["dpkg-deb", "-x", deb.name, "."], cwd=debs, check=True)  # noqa: S603,S607  # our download


def load_fonts(folder: Path) -> Fonts:
    """Load the fonts below `folder`; a kind without any of its fonts stays empty."""
    files: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix in _FORMATS and path.is_file():
            files.setdefault(path.stem.removesuffix("-normal"), path)

    def kind(names: tuple[str, ...], characters: str) -> list[dict[str, Glyph]]:
        """Load the fonts of one kind that were fetched and have at least ten of the characters."""
        loaded = [font_glyphs(files[name], characters, folder) for name in names if name in files]
        return [glyphs for glyphs in loaded if len(glyphs) >= 10]

    hebrew = CLASSES + _SIGNS
    return Fonts(
        kind(CURSIVE, hebrew),
        kind(STAM, hebrew),
        kind(SCRIBAL, hebrew),
        kind(RASHI, hebrew),
        kind(PRINT, hebrew),
        kind(DIGITS, DIGIT_CHARACTERS + "%&@#$€" + LATIN),
    )


def font_glyphs(path: Path, characters: str, cache: Path) -> dict[str, Glyph]:
    """Draw the characters a font has, the core band (its he, or for digits a seven) `UNIT` pixels high."""
    file = plain_file(path, cache)
    reference = "ה" if "ה" in characters else "7"
    probe = ImageFont.truetype(str(file), 100)
    box = probe.getbbox(reference, anchor="ls")
    if box[3] - box[1] < 20:
        return {}
    height = UNIT if reference == "ה" else 1.15 * UNIT
    font = ImageFont.truetype(str(file), max(8, round(100 * height / (box[3] - box[1]))))
    missing = _picture(font, "\U0010ffff")
    glyphs = {}
    for character in characters:
        picture = _picture(font, character)
        ink = crop_ink(picture)
        if min(ink.shape) < 2 or (picture.shape == missing.shape and bool((picture == missing).all())):
            continue
        top = font.getbbox(character, anchor="ls")[1] + UNIT
        bearing = font.getlength(character) - ink.shape[1]
        glyphs[character] = make_glyph(ink, float(top), float(np.clip(bearing, 0, UNIT / 2)))
    return glyphs


def _picture(font: ImageFont.FreeTypeFont, character: str) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """Draw one character white on black with room around it."""
    size = round(font.size * 2.5)
    image = Image.new("L", (size, size))
    ImageDraw.Draw(image).text((size // 4, size * 5 // 8), character, fill=255, font=font, anchor="ls")
    return np.asarray(image, dtype=np.uint8)


def plain_file(path: Path, cache: Path) -> Path:
    """Return a file that FreeType reads: compressed web fonts are unpacked once into `cache`."""
    if path.suffix != ".woff2":
        return path
    unpacked = cache / "unpacked" / f"{path.stem}.ttf"
    if not unpacked.exists():
        unpacked.parent.mkdir(parents=True, exist_ok=True)
        font = TTFont(path)
        font.flavor = None
        font.save(unpacked)
    return unpacked
