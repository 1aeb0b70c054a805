"""Line finding on pages with true lines: the public ones and synthetic ones, beside Kraken's bundled model.

    python -m bench.segmentation [--synthetic 3] [--kinds flat stam] [--stock] [--smoke] [--model FILE]

Prints for each page or kind of page: lines found, precision and recall (a line counts when its polygon and
the true one share half of their union), seconds a page, and with a model the CER of the pages as found and of
the lines as given. Synthetic pages are by writers held out from training; `--seed` moves to other ones.
"""

import argparse
import os
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from ketav_basemodel.layout import Setting
from ketav_common.metrics import cer
from ketav_engine import kraken_engine, models
from ketav_engine.domain import FoundLine, Image
from ketav_engine.segmentation import line_finder

DATA = Path(os.environ.get("KETAV_BENCH_DATA", "../shared/data"))
MATERIAL = Path(os.environ.get("KETAV_BASEMODEL_DATA", "var/data"))
SHARE = 0.5
SETTINGS: Final = {
    "flat": Setting("hand", "plain", 1, 16, 34.0, 0.0),
    "ruled": Setting("hand", "ruled", 1, 20, 34.0, 0.4),
    "squared": Setting("hand", "squared", 1, 20, 34.0, 0.4),
    "photograph": Setting("hand", "plain", 1, 18, 34.0, 1.0),
    "ruled photo": Setting("hand", "ruled", 1, 20, 34.0, 1.0),
    "two columns": Setting("hand", "plain", 2, 18, 20.0, 0.4),
    "few lines": Setting("hand", "ruled", 1, 5, 20.0, 0.8),
    "font": Setting("cursive", "ruled", 1, 20, 38.0, 0.6),
    "stam": Setting("stam", "plain", 1, 22, 42.0, 0.5),
    "book": Setting("scribal", "plain", 2, 20, 22.0, 0.5),
}
"""Kinds of synthetic pages."""
_NAMESPACE = "{http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15}"

Finder = Callable[[Image], Sequence[FoundLine]]


@dataclass(frozen=True, slots=True)
class TruePage:
    """A page whose lines are known: shape (height, width, 3), lines in reading order with their texts."""

    image: Image
    lines: list[FoundLine]
    texts: list[str]


@dataclass(slots=True)
class Tally:
    """Counts over the pages of one kind."""

    found: int = 0
    true: int = 0
    matched: int = 0
    exact: int = 0
    pages: int = 0
    seconds: float = 0.0
    as_found: list[tuple[str, str]] = field(default_factory=list)
    as_given: list[tuple[str, str]] = field(default_factory=list)

    def row(self) -> str:
        """Return the counts in words."""
        row = f"{self.exact:3} of {self.pages:3} pages exact  lines {self.found:4} of {self.true:4}"
        precision, recall = self.matched / max(1, self.found), self.matched / max(1, self.true)
        row += f"  precision {precision:.3f} recall {recall:.3f}"
        row += f"  {self.seconds / max(1, self.pages):6.2f} s a page"
        if self.as_found:
            row += f"  CER found {cer(self.as_found).rate:.4f} given {cer(self.as_given).rate:.4f}"
        return row


def read_image(path: Path) -> Image:
    """Read an image of our own data as RGB."""
    return np.asarray(Pillow.open(path).convert("RGB"), dtype=np.uint8)


def read_page(path: Path) -> TruePage:
    """Read a page of our own data: PAGE XML with a PNG beside it."""
    lines, texts = [], []
    for order, line in enumerate(ET.parse(path).getroot().iter(f"{_NAMESPACE}TextLine")):  # noqa: S314 - own file
        points = {}
        for kind in ("Baseline", "Coords"):
            element = line.find(f"{_NAMESPACE}{kind}")
            pairs = "" if element is None else element.attrib["points"]
            points[kind] = tuple((int(x), int(y)) for x, y in (pair.split(",") for pair in pairs.split()))
        lines.append(FoundLine(order, points["Baseline"], points["Coords"]))
        texts.append(line.findtext(f"{_NAMESPACE}TextEquiv/{_NAMESPACE}Unicode", ""))
    return TruePage(read_image(path.with_suffix(".png")), lines, texts)


def public_pages() -> Iterator[tuple[str, TruePage]]:
    """Yield the public pages with true lines."""
    for path in sorted((DATA / "stam" / "pages").glob("*.xml")):
        yield path.stem[:12], read_page(path)


def synthetic_pages(kinds: Sequence[str], count: int, seed: int) -> Iterator[tuple[str, TruePage]]:
    """Yield `count` synthetic pages of each kind, by writers and of texts held out from training."""
    from ketav_basemodel.pages import draw_page
    from ketav_basemodel.synthesis import load_material

    material = load_material(MATERIAL, DATA, "validation")
    for kind in kinds:
        for number in range(count):
            page = draw_page(material, SETTINGS[kind], seed + number)
            lines = [
                FoundLine(order, _points(line.baseline), _points(line.boundary))
                for order, line in enumerate(page.lines)
            ]
            yield kind, TruePage(page.image, lines, [line.text for line in page.lines])


def kraken_finder() -> Finder:
    """Build Kraken's bundled segmentation through its supported interface."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from kraken.configs import SegmentationInferenceConfig
        from kraken.tasks import SegmentationTaskModel
    model = SegmentationTaskModel.load_model()
    config = SegmentationInferenceConfig(text_direction="horizontal-rl")

    def find(image: Image) -> list[FoundLine]:
        """Segment one RGB image."""
        found = model.predict(Pillow.fromarray(image), config)
        return [
            FoundLine(order, _points(np.array(line.baseline)), _points(np.array(line.boundary)))
            for order, line in enumerate(found.lines)
        ]

    return find


def matches(found: Sequence[FoundLine], true: Sequence[FoundLine], size: tuple[int, int]) -> int:
    """Count the found lines that are a true line; each matches one at most."""
    ours, theirs = [_area(line, size) for line in found], [_area(line, size) for line in true]
    shares = np.array([[_shared(one, other) for other in theirs] for one in ours])
    shares = shares.reshape(len(ours), len(theirs))
    matched = 0
    while shares.size and shares.max() >= SHARE:
        row, column = np.unravel_index(shares.argmax(), shares.shape)
        shares[row, :], shares[:, column] = 0, 0
        matched += 1
    return matched


def measure(
    find: Finder, pages: Iterator[tuple[str, TruePage]], model: models.LoadedModel | None
) -> dict[str, Tally]:
    """Find the lines of every page and count by kind."""
    engine = kraken_engine.KrakenEngine()
    tallies: dict[str, Tally] = {}
    for kind, page in pages:
        tally = tallies.setdefault(kind, Tally())
        began = time.perf_counter()
        found = find(page.image)
        tally.seconds += time.perf_counter() - began
        matched = matches(found, page.lines, page.image.shape[:2])
        tally.pages += 1
        tally.found += len(found)
        tally.true += len(page.lines)
        tally.matched += matched
        tally.exact += matched == len(found) == len(page.lines)
        if model is not None:
            text = "\n".join(page.texts)
            for pairs, lines in ((tally.as_found, found), (tally.as_given, page.lines)):
                readings = engine.read_lines(engine.cut_lines(page.image, lines, model.info.height), model)
                pairs.append((text, "\n".join(reading.text for reading in readings)))
    return tallies


def smoke() -> None:
    """Print how many lines are found on the pages without true lines, and how fast."""
    for path in sorted((DATA / "pages_untranscribed").glob("*.jpg")):
        image = read_image(path)
        began = time.perf_counter()
        found = line_finder.find_lines(image, "page")
        print(f"{path.stem[:30]:30} lines {len(found):3} {time.perf_counter() - began:6.2f} s")


def _points(points: NDArray[np.floating | np.integer]) -> tuple[tuple[int, int], ...]:
    """Return points as whole pixels."""
    return tuple((round(x), round(y)) for x, y in points.tolist())


def _area(line: FoundLine, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Fill a line's polygon at a quarter of the size."""
    area = np.zeros((size[0] // 4 + 1, size[1] // 4 + 1), np.uint8)
    cv2.fillPoly(area, [np.array(line.boundary, dtype=np.int32) // 4], 1)
    return area


def _shared(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Return the share of the union that two areas have in common."""
    return float((one & other).sum() / max(1, (one | other).sum()))


def main() -> None:
    """Measure what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--synthetic", type=int, default=3, help="synthetic pages of each kind")
    parser.add_argument("--seed", type=int, default=1000, help="the first synthetic page's seed")
    parser.add_argument("--kinds", nargs="*", default=list(SETTINGS), choices=list(SETTINGS))
    parser.add_argument("--public", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--smoke", action="store_true", help="count lines on the pages without true lines")
    parser.add_argument("--stock", action="store_true", help="measure Kraken's bundled model, too (slow)")
    parser.add_argument("--model", type=Path, default=Path("models/hebrew_base.safetensors"))
    arguments = parser.parse_args()
    if not DATA.is_dir():
        print(f"no data at {DATA}: set KETAV_BENCH_DATA")
        return
    model = models.load(arguments.model.read_bytes()) if arguments.model.is_file() else None
    finders: dict[str, Finder] = {"ketav": lambda image: line_finder.find_lines(image, "page")}
    if arguments.stock:
        finders["kraken"] = kraken_finder()
    for name, find in finders.items():
        synthetic = synthetic_pages(arguments.kinds, arguments.synthetic, arguments.seed)
        for pages in (public_pages() if arguments.public else iter(()), synthetic):
            for kind, tally in measure(find, pages, model).items():
                print(f"{name:7} {kind:12} {tally.row()}", flush=True)
    if arguments.smoke:
        smoke()


if __name__ == "__main__":
    main()
