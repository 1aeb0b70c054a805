"""Ground truth: verified lines, and their split into training and holdout lines."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from ketav_registry.domain.pages import Image, Layout
from ketav_registry.domain.transcriptions import Line, LineKey

HOLDOUT_SHARE = 0.2
"""Share of the pages that are held out."""


class Split(StrEnum):
    """Side of the split: a line trains, or it is held out to measure."""

    TRAIN = "train"
    HOLDOUT = "holdout"


@dataclass(frozen=True, slots=True)
class VerifiedLine:
    """A line with its latest correction, which is not quarantined, and the SHA-256 of its page's image."""

    line_id: UUID
    key: LineKey
    correction_id: UUID
    text: str
    image_sha256: bytes
    replaces: tuple[bytes, ...] = ()
    """Digests of the geometry of the lines that an edited line replaces."""


@dataclass(frozen=True, slots=True)
class LineCounts:
    """Lines of a hand: verified ones, quarantined ones, and the verified ones that a run would hold out."""

    verified: int
    quarantined: int
    holdout: int


@dataclass(frozen=True, slots=True)
class GroundTruthLine:
    """A line of a dataset with its verified text and its side of the split."""

    line: Line
    text: str
    split: Split
    trained: bool = False
    """Whether the run's parent, or a model that the parent comes from, has been trained on it."""


@dataclass(frozen=True, slots=True)
class GroundTruthPage:
    """The lines of a dataset that are on one page."""

    page_id: UUID
    image: Image
    layout: Layout
    lines: tuple[GroundTruthLine, ...]


def split_lines(lines: Sequence[VerifiedLine], previous: Mapping[LineKey, Split]) -> dict[LineKey, Split]:
    """Assign each line to a side: about a fifth of the pages are held out, chosen by a hash of the page.

    A line that an earlier dataset contains (`previous`) stays on its side, also when an edited line replaces
    it. Of two or more pages at least one is on each side; a single page is split line by line. Pages with the
    same image count as one page.
    """
    page_of = _canonical_pages(lines)
    previous = {**_inherited_sides(lines, previous), **previous}
    keys = [line.key for line in lines]
    sides = {key: previous[key] for key in keys if key in previous}
    new_keys = [key for key in keys if key not in previous]
    page_sides: defaultdict[UUID, set[Split]] = defaultdict(set)
    for key, side in sides.items():
        page_sides[page_of[key.page_id]].add(side)
    single_page = len(set(page_of.values())) == 1
    for key in new_keys:
        page_id = page_of[key.page_id]
        known = page_sides[page_id]
        if len(known) == 1 and not single_page:
            sides[key] = next(iter(known))
            continue
        by_line = single_page or len(known) > 1
        unit = (page_id.bytes, key.geometry_sha256) if by_line else (page_id.bytes,)
        sides[key] = Split.HOLDOUT if _fraction(*unit) < HOLDOUT_SHARE else Split.TRAIN
    return _fill_empty_side(sides, set(new_keys), page_of, by_line=single_page)


def _inherited_sides(
    lines: Sequence[VerifiedLine], previous: Mapping[LineKey, Split]
) -> dict[LineKey, Split]:
    """Return the sides of edited lines: those of the lines they replace; a trained one never measures."""
    inherited = {}
    for line in lines:
        keys = [LineKey(line.key.page_id, digest) for digest in line.replaces]
        sides = {previous[key] for key in keys if key in previous}
        if sides:
            inherited[line.key] = Split.TRAIN if Split.TRAIN in sides else Split.HOLDOUT
    return inherited


def _canonical_pages(lines: Sequence[VerifiedLine]) -> dict[UUID, UUID]:
    """Map each page to the page with the lowest id among those with the same image."""
    lowest: dict[bytes, UUID] = {}
    for line in lines:
        page_id = line.key.page_id
        lowest[line.image_sha256] = min(page_id, lowest.get(line.image_sha256, page_id))
    return {line.key.page_id: lowest[line.image_sha256] for line in lines}


def _fraction(*parts: bytes) -> float:
    """Map bytes to a number in [0, 1) by SHA-256. The mapping never changes, so a page keeps its side."""
    digest = hashlib.sha256(b"ketav-split\0" + b"\0".join(parts)).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def _fill_empty_side(
    sides: dict[LineKey, Split], new_keys: set[LineKey], page_of: Mapping[UUID, UUID], *, by_line: bool
) -> dict[LineKey, Split]:
    """Move the page (or line, `by_line`) whose fraction is nearest to an empty side; only new lines move."""
    for side, nearest in ((Split.HOLDOUT, min), (Split.TRAIN, max)):
        if side in sides.values():
            continue
        fixed_pages = {page_of[key.page_id] for key in sides if key not in new_keys}
        units: defaultdict[tuple[bytes, ...], list[LineKey]] = defaultdict(list)
        for key in new_keys:
            page_id = page_of[key.page_id]
            if by_line:
                units[page_id.bytes, key.geometry_sha256].append(key)
            elif page_id not in fixed_pages:
                units[(page_id.bytes,)].append(key)
        if units:
            unit = nearest(units, key=lambda parts: _fraction(*parts))
            sides = sides | dict.fromkeys(units[unit], side)
    return sides


def text_sha256(text: str) -> bytes:
    """Return the SHA-256 of a verified text in UTF-8."""
    return hashlib.sha256(text.encode()).digest()


def manifest_sha256(lines: Sequence[VerifiedLine], sides: Mapping[LineKey, Split]) -> bytes:
    """Return the SHA-256 of a dataset: line ids, digests of texts and images, sides, ordered by line id."""
    entries = sorted(
        (str(line.line_id), text_sha256(line.text).hex(), line.image_sha256.hex(), sides[line.key])
        for line in lines
    )
    return hashlib.sha256(json.dumps(entries).encode()).digest()
