"""Measure segmentation on pages with true lines, public and synthetic, also of Kraken's bundled model.

    python -m ketav_basemodel.bench.segmentation [--synthetic 3] [--kinds flat stam] [--stock] [--smoke]

Prints for each page or kind of page: lines found, precision and recall (a line is correct when the
intersection of its polygon and the true one is half of their union), seconds a page, and with a model the CER
of the pages with found lines and with true lines. Synthetic pages are by held-out writers; `--seed` selects
others.
"""

import argparse
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from ketav_basemodel.layout import Setting
from ketav_basemodel.paths import MATERIAL, NoBenchDataError, bench_data
from ketav_common.error_rates import cer
from ketav_engine import kraken_engine, models
from ketav_engine.domain import FoundLine, Image
from ketav_engine.segmentation import line_finder

MIN_SHARE: Final = 0.5
"""Share of the union that a found line and its true line have in common at least."""
_AREA_REDUCTION: Final = 4
"""Factor by which polygons are reduced before their areas are compared."""
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
_NAMESPACE: Final = "{http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15}"

Finder = Callable[[Image], Sequence[FoundLine]]


@dataclass(frozen=True, slots=True)
class TruePage:
    """A page with its true lines: `image` (height, width, 3), lines in reading order and their texts."""

    name: str
    """Name of the page or of its kind, under which it is counted."""
    image: Image
    lines: list[FoundLine]
    texts: list[str]


@dataclass(slots=True)
class Tally:
    """Counts over the pages of one kind."""

    found_lines: int = 0
    true_lines: int = 0
    correct_lines: int = 0
    exact_pages: int = 0
    pages: int = 0
    seconds: float = 0.0
    texts_of_found: list[tuple[str, str]] = field(default_factory=list)
    """True text and reading of each page, with the found lines."""
    texts_of_true: list[tuple[str, str]] = field(default_factory=list)
    """The same with the true lines."""

    def row(self) -> str:
        """Return the counts as a row of the report."""
        row = f"{self.exact_pages:3} of {self.pages:3} pages exact"
        row += f"  lines {self.found_lines:4} of {self.true_lines:4}"
        precision = self.correct_lines / max(1, self.found_lines)
        recall = self.correct_lines / max(1, self.true_lines)
        row += f"  precision {precision:.3f} recall {recall:.3f}"
        row += f"  {self.seconds / max(1, self.pages):6.2f} s a page"
        if self.texts_of_found:
            with_found, with_true = cer(self.texts_of_found).rate, cer(self.texts_of_true).rate
            row += f"  CER found {with_found:.4f} given {with_true:.4f}"
        return row


def read_image(path: Path) -> Image:
    """Read an image as RGB."""
    return np.asarray(Pillow.open(path).convert("RGB"), dtype=np.uint8)


def read_page(path: Path) -> TruePage:
    """Read a page: PAGE XML and a PNG of the same name."""
    lines, texts = [], []
    for order, line in enumerate(ET.parse(path).getroot().iter(f"{_NAMESPACE}TextLine")):  # noqa: S314 - a file of the evaluation
        points = {}
        for name in ("Baseline", "Coords"):
            element = line.find(f"{_NAMESPACE}{name}")
            pairs = "" if element is None else element.attrib["points"]
            points[name] = tuple((int(x), int(y)) for x, y in (pair.split(",") for pair in pairs.split()))
        lines.append(FoundLine(order, points["Baseline"], points["Coords"]))
        texts.append(line.findtext(f"{_NAMESPACE}TextEquiv/{_NAMESPACE}Unicode", ""))
    return TruePage(path.stem[:12], read_image(path.with_suffix(".png")), lines, texts)


def public_pages(bench: Path) -> Iterator[TruePage]:
    """Yield the public pages with true lines."""
    for path in sorted((bench / "stam" / "pages").glob("*.xml")):
        yield read_page(path)


def synthetic_pages(bench: Path, kinds: Sequence[str], count: int, seed: int) -> Iterator[TruePage]:
    """Yield `count` synthetic pages of each kind, by held-out writers and with held-out texts."""
    from ketav_basemodel.pages import draw_page
    from ketav_basemodel.synthesis import load_material

    material = load_material(MATERIAL, bench, "validation")
    for kind in kinds:
        for number in range(count):
            page = draw_page(material, SETTINGS[kind], seed + number)
            lines = [
                FoundLine(order, _points(line.baseline), _points(line.boundary))
                for order, line in enumerate(page.lines)
            ]
            yield TruePage(kind, page.image, lines, [line.text for line in page.lines])


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
        segmentation = model.predict(Pillow.fromarray(image), config)
        return [
            FoundLine(order, _points(np.array(line.baseline)), _points(np.array(line.boundary)))
            for order, line in enumerate(segmentation.lines)
        ]

    return find


def count_correct(lines: Sequence[FoundLine], true_lines: Sequence[FoundLine], size: tuple[int, int]) -> int:
    """Count the found lines that match a true line; each true line is matched once at most."""
    found_areas, true_areas = ([_area(line, size) for line in group] for group in (lines, true_lines))
    shares = np.array([[_common_share(one, other) for other in true_areas] for one in found_areas])
    shares = shares.reshape(len(found_areas), len(true_areas))
    correct = 0
    while shares.size and shares.max() >= MIN_SHARE:
        row, column = np.unravel_index(shares.argmax(), shares.shape)
        shares[row, :], shares[:, column] = 0, 0
        correct += 1
    return correct


def measure(find: Finder, pages: Iterable[TruePage], model: models.LoadedModel | None) -> dict[str, Tally]:
    """Find the lines of every page and count by the pages' names."""
    engine = kraken_engine.KrakenEngine()
    tallies: dict[str, Tally] = {}
    for page in pages:
        tally = tallies.setdefault(page.name, Tally())
        began = time.perf_counter()
        lines = find(page.image)
        tally.seconds += time.perf_counter() - began
        correct = count_correct(lines, page.lines, page.image.shape[:2])
        tally.pages += 1
        tally.found_lines += len(lines)
        tally.true_lines += len(page.lines)
        tally.correct_lines += correct
        tally.exact_pages += correct == len(lines) == len(page.lines)
        if model is not None:
            text = "\n".join(page.texts)
            for pairs, cut in ((tally.texts_of_found, lines), (tally.texts_of_true, page.lines)):
                readings = engine.read_lines(engine.cut_lines(page.image, cut, model.info.height), model)
                pairs.append((text, "\n".join(reading.text for reading in readings)))
    return tallies


def smoke(bench: Path) -> None:
    """Print the number of lines and the time for the pages without true lines."""
    for path in sorted((bench / "pages_untranscribed").glob("*.jpg")):
        image = read_image(path)
        began = time.perf_counter()
        lines = line_finder.find_lines(image, "page")
        print(f"{path.stem[:30]:30} lines {len(lines):3} {time.perf_counter() - began:6.2f} s")


def _points(points: NDArray[np.floating | np.integer]) -> tuple[tuple[int, int], ...]:
    """Return points as whole pixels."""
    return tuple((round(x), round(y)) for x, y in points.tolist())


def _area(line: FoundLine, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return the area of a line's polygon, reduced by `_AREA_REDUCTION`."""
    area = np.zeros((size[0] // _AREA_REDUCTION + 1, size[1] // _AREA_REDUCTION + 1), np.uint8)
    cv2.fillPoly(area, [np.array(line.boundary, dtype=np.int32) // _AREA_REDUCTION], 1)
    return area


def _common_share(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Return the share of the union that two areas have in common."""
    return float((one & other).sum() / max(1, (one | other).sum()))


def main() -> None:
    """Measure the pages that the arguments select."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--synthetic", type=int, default=3, help="synthetic pages of each kind")
    parser.add_argument("--seed", type=int, default=1000, help="the first synthetic page's seed")
    parser.add_argument("--kinds", nargs="*", default=list(SETTINGS), choices=list(SETTINGS))
    parser.add_argument("--public", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--smoke", action="store_true", help="count lines on the pages without true lines")
    parser.add_argument("--stock", action="store_true", help="also measure Kraken's bundled model (slow)")
    parser.add_argument("--model", type=Path, default=Path("models/hebrew_base.safetensors"))
    arguments = parser.parse_args()
    try:
        bench = bench_data()
    except NoBenchDataError as error:
        print(f"Skipped: {error}")
        return
    model = models.load(arguments.model.read_bytes()) if arguments.model.is_file() else None
    finders: dict[str, Finder] = {"ketav": lambda image: line_finder.find_lines(image, "page")}
    if arguments.stock:
        finders["kraken"] = kraken_finder()
    for name, find in finders.items():
        synthetic = synthetic_pages(bench, arguments.kinds, arguments.synthetic, arguments.seed)
        for pages in (public_pages(bench) if arguments.public else iter(()), synthetic):
            for page_name, tally in measure(find, pages, model).items():
                print(f"{name:7} {page_name:12} {tally.row()}", flush=True)
    if arguments.smoke:
        smoke(bench)


if __name__ == "__main__":
    main()
