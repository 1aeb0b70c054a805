"""Ground truth: verified lines, and their split into training and holdout lines."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from ketav_registry.domain.pages import Image, Layout
from ketav_registry.domain.transcriptions import Line

HOLDOUT_SHARE = 0.2


class Split(StrEnum):
    """Which side of the split a line is on."""

    TRAIN = "train"
    HOLDOUT = "holdout"


@dataclass(frozen=True, slots=True)
class VerifiedLine:
    """A line whose text is known: where it lies (page, place), which correction says so, the image."""

    line_id: UUID
    page_id: UUID
    place: bytes
    correction_id: UUID
    text: str
    image_sha256: bytes


@dataclass(frozen=True, slots=True)
class LineCounts:
    """How many lines of a script are verified, how many in quarantine, how many verified are held out."""

    verified: int
    quarantined: int
    held_out: int


@dataclass(frozen=True, slots=True)
class GroundTruthLine:
    """A line of a dataset with its verified text and its side of the split."""

    line: Line
    text: str
    split: Split


@dataclass(frozen=True, slots=True)
class GroundTruthPage:
    """The lines of a dataset that lie on one page."""

    page_id: UUID
    image: Image
    layout: Layout
    lines: tuple[GroundTruthLine, ...]


Place = tuple[UUID, bytes]


def _fraction(*parts: bytes) -> float:
    """Map bytes to a number in [0, 1) that never changes."""
    return int.from_bytes(hashlib.sha256(b"ketav-split\0" + b"\0".join(parts)).digest()[:8], "big") / 2**64


def split_lines(lines: Sequence[VerifiedLine], before: Mapping[Place, Split]) -> dict[Place, Split]:
    """Put each line on one side: about a fifth of the pages are held out, chosen by a hash of the page.

    A line that was on a side in an earlier dataset (`before`) stays there. Of two or more pages at least
    one is on each side; a single page is split line by line. Pages of the same image count as one.
    """
    same = _same_image(lines)
    spots = [(line.page_id, line.place) for line in lines]
    sides = {spot: before[spot] for spot in spots if spot in before}
    fresh = [spot for spot in spots if spot not in before]
    settled: defaultdict[UUID, set[Split]] = defaultdict(set)
    for (page_id, _), side in sides.items():
        settled[same[page_id]].add(side)
    by_line = len(set(same.values())) == 1
    for page_id, place in fresh:
        first = same[page_id]
        one_side = len(settled[first]) == 1 and not by_line
        line_wise = by_line or len(settled[first]) > 1
        share = _fraction(first.bytes, place) if line_wise else _fraction(first.bytes)
        chosen = Split.HOLDOUT if share < HOLDOUT_SHARE else Split.TRAIN
        sides[page_id, place] = next(iter(settled[first])) if one_side else chosen
    return _with_both_sides(sides, set(fresh), same, by_line=by_line)


def _same_image(lines: Sequence[VerifiedLine]) -> dict[UUID, UUID]:
    """Map each page to the least id of the pages with the same image, which is often its own."""
    first: dict[bytes, UUID] = {}
    for line in lines:
        first[line.image_sha256] = min(line.page_id, first.get(line.image_sha256, line.page_id))
    return {line.page_id: first[line.image_sha256] for line in lines}


def _with_both_sides(
    sides: dict[Place, Split], fresh: set[Place], same: Mapping[UUID, UUID], *, by_line: bool
) -> dict[Place, Split]:
    """Move the nearest page (or line of a single page) over when one side is empty; settled lines stay."""
    for missing, pick in ((Split.HOLDOUT, min), (Split.TRAIN, max)):
        if missing in sides.values():
            continue
        settled = {same[page_id] for page_id, place in sides if (page_id, place) not in fresh}
        units: defaultdict[tuple[bytes, ...], list[Place]] = defaultdict(list)
        for page_id, place in fresh:
            if by_line:
                units[same[page_id].bytes, place].append((page_id, place))
            elif same[page_id] not in settled:
                units[(same[page_id].bytes,)].append((page_id, place))
        if units:
            moved = pick(units, key=lambda unit: _fraction(*unit))
            sides = sides | dict.fromkeys(units[moved], missing)
    return sides


def text_sha256(text: str) -> bytes:
    """Digest a verified text (UTF-8)."""
    return hashlib.sha256(text.encode()).digest()


def manifest_sha256(lines: Sequence[VerifiedLine], sides: Mapping[Place, Split]) -> bytes:
    """Digest a dataset: line ids, digests of texts and images, sides of the split, ordered by id."""
    entries = sorted(
        (
            str(line.line_id),
            text_sha256(line.text).hex(),
            line.image_sha256.hex(),
            sides[line.page_id, line.place],
        )
        for line in lines
    )
    return hashlib.sha256(json.dumps(entries).encode()).digest()
