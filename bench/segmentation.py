"""Line finding on the public pages with ground truth, beside Kraken's bundled model.

    python -m bench.segmentation [--stock] [--model models/hebrew_base.safetensors]

Prints for each page: lines found, precision and recall (a line counts when its polygon and the true one share
half of their union), seconds, and with a model the CER of the page as found and of the lines as given.
"""

import argparse
import os
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from ketav_common.metrics import cer
from ketav_engine import kraken_engine, models, segment
from ketav_engine.domain import FoundLine, Image

DATA = Path(os.environ.get("KETAV_BENCH_DATA", "../shared/data"))
SHARE = 0.5
_NAMESPACE = "{http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15}"

Finder = Callable[[Image], Sequence[FoundLine]]


def read_image(path: Path) -> Image:
    """Read an image of our own data as RGB."""
    return np.asarray(Pillow.open(path).convert("RGB"), dtype=np.uint8)


def true_lines(path: Path) -> list[tuple[FoundLine, str]]:
    """Read the lines and texts of a PAGE XML file of our own data."""
    lines = []
    for order, line in enumerate(ET.parse(path).getroot().iter(f"{_NAMESPACE}TextLine")):  # noqa: S314 - own file
        points = {}
        for kind in ("Baseline", "Coords"):
            element = line.find(f"{_NAMESPACE}{kind}")
            pairs = "" if element is None else element.attrib["points"]
            points[kind] = tuple((int(x), int(y)) for x, y in (pair.split(",") for pair in pairs.split()))
        text = line.findtext(f"{_NAMESPACE}TextEquiv/{_NAMESPACE}Unicode", "")
        lines.append((FoundLine(order, points["Baseline"], points["Coords"]), text))
    return lines


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
            FoundLine(
                order,
                tuple((int(x), int(y)) for x, y in line.baseline),
                tuple((int(x), int(y)) for x, y in line.boundary),
            )
            for order, line in enumerate(found.lines)
        ]

    return find


def agreement(
    found: Sequence[FoundLine], true: Sequence[FoundLine], size: tuple[int, int]
) -> tuple[float, float]:
    """Return precision and recall of found lines; each matches one true line at most."""
    ours, theirs = [_area(line, size) for line in found], [_area(line, size) for line in true]
    shares = np.array([[_shared(one, other) for other in theirs] for one in ours]).reshape(
        len(ours), len(theirs)
    )
    matched = 0
    while shares.size and shares.max() >= SHARE:
        row, column = np.unravel_index(shares.argmax(), shares.shape)
        shares[row, :], shares[:, column] = 0, 0
        matched += 1
    return matched / max(1, len(found)), matched / max(1, len(true))


def _area(line: FoundLine, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Fill a line's polygon at a quarter of the size."""
    area = np.zeros((size[0] // 4 + 1, size[1] // 4 + 1), np.uint8)
    cv2.fillPoly(area, [np.array(line.boundary, dtype=np.int32) // 4], 1)
    return area


def _shared(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Return the share of the union that two areas have in common."""
    return float((one & other).sum() / max(1, (one | other).sum()))


def measure(name: str, find: Finder, model: models.LoadedModel | None) -> None:
    """Print one row for each page."""
    engine = kraken_engine.KrakenEngine()
    for path in sorted((DATA / "stam" / "pages").glob("*.xml")):
        image = read_image(path.with_suffix(".png"))
        truth = true_lines(path)
        began = time.perf_counter()
        found = find(image)
        seconds = time.perf_counter() - began
        precision, recall = agreement(found, [line for line, _ in truth], image.shape[:2])
        row = f"{name:8} {path.stem[:12]} lines {len(found):3} of {len(truth)}"
        row += f" precision {precision:.3f} recall {recall:.3f} {seconds:6.2f} s"
        if model is not None:
            text = "\n".join(text for _, text in truth)
            for kind, lines in (("page", found), ("given", [line for line, _ in truth])):
                readings = engine.read_lines(engine.cut_lines(image, lines, model.info.height), model)
                row += f" CER {kind} {cer([(text, chr(10).join(r.text for r in readings))]).rate:.4f}"
        print(row, flush=True)


def smoke() -> None:
    """Print how many lines are found on the pages without ground truth, and how fast."""
    for path in sorted((DATA / "pages_untranscribed").glob("*.jpg")):
        image = read_image(path)
        began = time.perf_counter()
        found = segment.find_lines(image, "page")
        print(f"ketav    {path.stem[:30]:30} lines {len(found):3} {time.perf_counter() - began:6.2f} s")


def main() -> None:
    """Measure what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stock", action="store_true", help="measure Kraken's bundled model, too (slow)")
    parser.add_argument("--model", type=Path, default=Path("models/hebrew_base.safetensors"))
    arguments = parser.parse_args()
    if not DATA.is_dir():
        print(f"no data at {DATA}: set KETAV_BENCH_DATA")
        return
    model = models.load(arguments.model.read_bytes()) if arguments.model.is_file() else None
    measure("ketav", lambda image: segment.find_lines(image, "page"), model)
    if arguments.stock:
        measure("kraken", kraken_finder(), model)
    smoke()


if __name__ == "__main__":
    main()
