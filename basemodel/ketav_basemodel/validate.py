"""Validation: lines of held-out writers with held-out texts, one CER for each kind of writer.

Choices between models and settings are made by these figures. The public test is read with finished models
only.
"""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from ketav_basemodel.shards import read_shard, shard_path, write_shard
from ketav_basemodel.synthesis import Material, Mixture, samples
from ketav_common.error_rates import cer
from ketav_engine.models import load, wrap
from ketav_engine.recognition.recognize import read

LINES: Final = {"hand": 600, "cursive": 96, "stam": 96, "scribal": 96, "rashi": 48, "print": 48}
"""Lines of each kind. The writers of `hand` are held out; the fonts of the others are those of training."""
SEED: Final = 800_000_000
"""Seed of the validation lines, different from the seeds of all shards."""
_STRIDE: Final = 3
"""Every third line of a writer is taken, so that as many lines are of more writers."""


@dataclass(frozen=True, slots=True)
class Validation:
    """The CER of a model on the lines of one kind of writer, over all lines."""

    kind: str
    lines: int
    cer: float


def write_lines(material: Material, folder: Path, height: int, lines: Mapping[str, int] = LINES) -> None:
    """Write the validation lines of a height unless they exist: one file for each kind, logical order.

    `material` is the validation part; `lines` is the number of lines of each kind.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for index, (kind, count) in enumerate(lines.items()):
        path = shard_path(folder, index)
        if not path.exists():
            source = samples(material, SEED + index, height, mixture=Mixture(kinds={kind: 1.0}))
            drawn = list(islice(source, 0, _STRIDE * count, _STRIDE))
            write_shard(path, [line.image for line in drawn], [line.text for line in drawn])


def measure(net: Any, folder: Path) -> list[Validation]:  # noqa: ANN401  # kraken is untyped
    """Read the lines in `folder` greedily with a network in memory; return the result for each kind."""
    model = wrap(net, {})
    results = []
    for index, kind in enumerate(LINES):
        shard = read_shard(shard_path(folder, index))
        readings = read(shard.lines(), model)
        pairs = [(text, reading.text) for text, reading in zip(shard.targets, readings, strict=True)]
        results.append(Validation(kind, len(pairs), cer(pairs).rate))
    return results


def compare(models: Sequence[Path], material: Material) -> list[dict[str, float]]:
    """Print the results of each model file; return them with its training lines, fewest first."""
    points = []
    with tempfile.TemporaryDirectory() as folder:
        for model in models:
            loaded = load(model.read_bytes())
            lines = Path(folder) / str(loaded.info.height)
            write_lines(material, lines, loaded.info.height)
            results = measure(loaded.net, lines)
            points.append(
                {"lines": loaded.metadata.get("lines", 0)} | {item.kind: item.cer for item in results}
            )
            print(f"{model}\n\n{as_markdown(results)}", flush=True)
    return sorted(points, key=lambda point: float(point["lines"]))


def as_markdown(results: list[Validation]) -> str:
    """Return the results as a Markdown table."""
    rows = ["| kind | lines | CER |", "|---|--:|--:|"]
    return "\n".join(rows + [f"| {item.kind} | {item.lines} | {item.cer:.2%} |" for item in results]) + "\n"
