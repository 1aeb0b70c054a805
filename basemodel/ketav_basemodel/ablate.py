"""Ablations: short trainings that differ in one thing each, compared by the CER of held-out writers."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ketav_basemodel.evaluate import FOLDERS, figures, read_folder
from ketav_basemodel.report import pyplot
from ketav_basemodel.stream import SHARD, read_shard, shard_path, write_numbered
from ketav_basemodel.synthesis import Blend, Material
from ketav_basemodel.train import Recipe, finished, train
from ketav_basemodel.validate import measure, write_lines
from ketav_basemodel.writers import KINDS
from ketav_engine.models import wrap

SHARDS: Final = 8
LINES: Final = SHARDS * SHARD * 99 // 100
"""Lines of a short training: about those of its shards that are not too wide."""
HASTE: Final = 8.0
"""The curriculum ends after 5,000 lines instead of 40,000."""
_SEED: Final = 1000


def _recipe(height: int = 48, arch: str = "vgsl", seed: int = 1) -> Recipe:
    """Return the recipe of a short training: small batches, for it has few lines."""
    return Recipe(LINES, height, arch, columns=12_000, seed=seed, save_every=2 * SHARD)


def _shares(hand: float) -> dict[str, float]:
    """Return the kinds' shares with another share of real letters; the others keep their proportions."""
    rest = (1 - hand) / (1 - KINDS["hand"])
    return {kind: hand if kind == "hand" else rest * share for kind, share in KINDS.items()}


@dataclass(frozen=True, slots=True)
class Variant:
    """One short training: the question it answers, and the one thing in it that differs."""

    question: str
    recipe: Recipe = field(default_factory=_recipe)
    blend: Blend = field(default_factory=lambda: Blend(haste=HASTE))
    lines_of: str = ""
    """The variant whose lines this one reads as well; empty for its own."""


VARIANTS: Final[Mapping[str, Variant]] = {
    "base": Variant("noise"),
    "seed-2": Variant("noise", _recipe(seed=2), lines_of="base"),
    "height-64": Variant("line height", _recipe(height=64)),
    "height-96": Variant("line height", _recipe(height=96)),
    "ppocrv6-tiny": Variant("architecture", _recipe(arch="ppocrv6"), lines_of="base"),
    "letters-30": Variant("share of real letters", blend=Blend(_shares(0.3), haste=HASTE)),
    "letters-90": Variant("share of real letters", blend=Blend(_shares(0.9), haste=HASTE)),
    "strength-0": Variant("augmentation", blend=Blend(strength=0.0, haste=HASTE)),
    "strength-50": Variant("augmentation", blend=Blend(strength=0.5, haste=HASTE)),
    "modern": Variant("language", blend=Blend(language="modern", haste=HASTE)),
    "bible": Variant("language", blend=Blend(language="bible", haste=HASTE)),
    "strings": Variant("language", blend=Blend(language="strings", haste=HASTE)),
}


def unwritten(names: Iterable[str], work: Path) -> list[str]:
    """Return the variants some of whose lines are not there yet."""
    return [name for name in names if any(not path.exists() for path in _paths(name, work))]


def write(name: str, material: Material, validation: Material, work: Path) -> None:
    """Write the lines of a variant that are not there yet, to train on and to validate with."""
    height = VARIANTS[name].recipe.height
    write_lines(validation, work / "validation" / str(height), height)
    for number, path in enumerate(_paths(name, work)):
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            write_numbered(material, path.parent, _SEED, height, number, VARIANTS[name].blend)


def _paths(name: str, work: Path) -> list[Path]:
    """Return where a variant's lines lie."""
    return [shard_path(work / "lines" / (VARIANTS[name].lines_of or name), n) for n in range(SHARDS)]


def run(name: str, work: Path, bench: Path) -> dict[str, Any]:
    """Train a variant on its lines, or go on where it was interrupted; return and keep what it reads.

    The public folders stand beside the validation for the reader's interest; nothing is chosen by them.
    """
    variant = VARIANTS[name]
    paths = _paths(name, work)
    state = train(variant.recipe, lambda number: read_shard(paths[number]), work / name)
    net = finished(state, variant.recipe)
    found = measure(net, work / "validation" / str(variant.recipe.height))
    model = wrap(net, {})
    public = {folder: figures(folder, read_folder(model, bench / folder)) for folder in FOLDERS}
    result: dict[str, Any] = {
        "name": name,
        "question": variant.question,
        "lines": state.lines,
        "lines_per_second": round(state.lines / state.seconds, 1),
        "weights": sum(weight.numel() for weight in net.parameters()),
        "validation": {item.kind: round(item.cer, 4) for item in found},
        "public": {folder: round(item.cer, 4) for folder, item in public.items() if item.lines},
    }
    (work / f"{name}.json").write_text(json.dumps(result, indent=1))
    return result


def collect(work: Path, to: Path) -> list[dict[str, Any]]:
    """Gather the results found so far into one file, in the order of `VARIANTS`."""
    paths = [work / f"{name}.json" for name in VARIANTS]
    results = [json.loads(path.read_text()) for path in paths if path.exists()]
    to.write_text(json.dumps(results, indent=1) + "\n")
    return results


def draw(results: list[dict[str, Any]], path: Path) -> None:
    """Draw the CER of held-out writers for each variant, the bars of one question in one colour."""
    plot = pyplot()
    figure, axes = plot.subplots(figsize=(7, 0.5 + 0.32 * len(results)))
    questions = list(dict.fromkeys(result["question"] for result in results))
    rates = [100 * result["validation"]["hand"] for result in results]
    colours = [f"C{questions.index(result['question'])}" for result in results]
    bars = axes.barh([result["name"] for result in results], rates, color=colours)
    axes.bar_label(bars, fmt="%.1f", padding=3)
    axes.invert_yaxis()
    axes.set(xlabel=f"CER of held-out writers after {LINES:,} lines, %", xlim=(0, 1.12 * max(rates)))
    figure.savefig(path, dpi=90, bbox_inches="tight")
    plot.close(figure)
