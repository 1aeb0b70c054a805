"""Validation: lines of held-out writers that say held-out texts, one CER for each kind of writer.

Choices are made by these figures. The public test is read with finished models only.
"""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, Final

from ketav_basemodel.stream import Shard, read_shard, shard_path, write_shard
from ketav_basemodel.synthesis import Blend, Material, samples
from ketav_common.metrics import cer
from ketav_engine.models import load, wrap
from ketav_engine.recognition.recognize import read

LINES: Final = {"hand": 600, "cursive": 96, "stam": 96, "scribal": 96, "rashi": 48, "print": 48}
"""Lines of each kind. The writers of `hand` are held out; the fonts of the others are those of training."""
SEED: Final = 800_000_000
"""Far from every shard's seed."""
_EVERY: Final = 3
"""Of a writer's dozen lines every third is taken: more writers for as many lines."""


@dataclass(frozen=True, slots=True)
class Validation:
    """What a model reads of one kind of writer: CER over all its lines at once."""

    kind: str
    lines: int
    cer: float


def write_lines(material: Material, folder: Path, height: int, lines: Mapping[str, int] = LINES) -> None:
    """Write the validation lines of a height, one file a kind, if they are not there; texts in logical order.

    `material` is the validation part; `lines` says how many of each kind.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for place, (kind, count) in enumerate(lines.items()):
        path = shard_path(folder, place)
        if not path.exists():
            source = samples(material, SEED + place, height, blend=Blend(kinds={kind: 1.0}))
            drawn = list(islice(source, 0, _EVERY * count, _EVERY))
            write_shard(path, [line.image for line in drawn], [line.text for line in drawn])


def measure(net: Any, folder: Path) -> list[Validation]:  # noqa: ANN401  # kraken is untyped
    """Read the lines under `folder` greedily with a network in memory; return a figure for each kind."""
    model = wrap(net, {})
    found = []
    for place, kind in enumerate(LINES):
        shard = read_shard(shard_path(folder, place))
        readings = read(_images(shard), model)
        pairs = [(text, reading.text) for text, reading in zip(shard.targets, readings, strict=True)]
        found.append(Validation(kind, len(pairs), cer(pairs).rate))
    return found


def compare(models: Sequence[Path], material: Material) -> list[dict[str, float]]:
    """Print each model file's figures; return them with the lines it was trained on, fewest first."""
    points = []
    with tempfile.TemporaryDirectory() as folder:
        for model in models:
            loaded = load(model.read_bytes())
            lines = Path(folder) / str(loaded.info.height)
            write_lines(material, lines, loaded.info.height)
            found = measure(loaded.net, lines)
            points.append(
                {"lines": loaded.metadata.get("lines", 0)} | {item.kind: item.cer for item in found}
            )
            print(f"{model}\n\n{as_markdown(found)}", flush=True)
    return sorted(points, key=lambda point: float(point["lines"]))


def as_markdown(found: list[Validation]) -> str:
    """Return the figures as a Markdown table."""
    rows = ["| kind | lines | CER |", "|---|--:|--:|"]
    return "\n".join(rows + [f"| {item.kind} | {item.lines} | {item.cer:.2%} |" for item in found]) + "\n"


def _images(shard: Shard) -> list[Any]:
    """Cut a shard into its lines."""
    edges = [0, *shard.widths.cumsum().tolist()]
    return [shard.images[:, left:right] for left, right in pairwise(edges)]
