"""Ablations: short trainings that differ in one thing each, compared by the CER of held-out writers."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ketav_basemodel.report import pyplot
from ketav_basemodel.stream import SHARD, read_shard, shard_path, write_numbered
from ketav_basemodel.synthesis import Blend, Material
from ketav_basemodel.train import Recipe, finished, train
from ketav_basemodel.validate import measure, write_lines
from ketav_basemodel.writers import KINDS

BEGINNING: Final = range(8)
"""Numbers of the shards that a training from nothing reads, twice."""
SEQUEL: Final = range(8, 12)
"""Numbers of the shards that a training from the common beginning reads, once."""
HASTE: Final = 8.0
"""The curriculum ends after 5,000 lines instead of 40,000."""
_SEED: Final = 1000
_FULL: Final = 99 / 100 * SHARD
"""Lines of a shard but for those that are too wide."""


def _from_nothing(height: int = 48, arch: str = "vgsl", seed: int = 1) -> Recipe:
    """Return the recipe of a short training from nothing: small batches, for it has few lines."""
    lines = round(2 * len(BEGINNING) * _FULL)
    return Recipe(lines, height, arch, columns=12_000, seed=seed, save_every=2 * SHARD)


def _sequel(seed: int = 1) -> Recipe:
    """Return the recipe of a training that goes on from the common beginning."""
    lines = round(len(SEQUEL) * _FULL)
    return Recipe(lines, rate=1e-3, warmup=40, columns=12_000, ema=0.99, seed=seed, save_every=2 * SHARD)


def _shares(hand: float) -> dict[str, float]:
    """Return the kinds' shares with another share of real letters; the others keep their proportions."""
    rest = (1 - hand) / (1 - KINDS["hand"])
    return {kind: hand if kind == "hand" else rest * share for kind, share in KINDS.items()}


@dataclass(frozen=True, slots=True)
class Variant:
    """One short training: the question it answers, and the one thing in it that differs."""

    question: str
    recipe: Recipe
    blend: Blend = field(default_factory=lambda: Blend(haste=HASTE))
    after: str = ""
    """The variant from whose weights this one goes on; empty for a training from nothing."""
    lines_of: str = ""
    """The variant whose lines this one reads as well; empty for its own."""

    @property
    def shards(self) -> range:
        """The numbers of the shards it reads."""
        return SEQUEL if self.after else BEGINNING


def _onward(question: str, seed: int = 1, blend: Blend | None = None) -> Variant:
    """Return a variant that goes on from the common beginning with another blend or seed."""
    return Variant(question, _sequel(seed), blend or Blend(haste=HASTE), after="base")


VARIANTS: Final[Mapping[str, Variant]] = {
    "base": Variant("from nothing", _from_nothing()),
    "height-64": Variant("from nothing", _from_nothing(64)),
    "height-96": Variant("from nothing", _from_nothing(96)),
    "ppocrv6-tiny": Variant("from nothing", _from_nothing(arch="ppocrv6"), lines_of="base"),
    "onward": _onward("noise"),
    "onward-2": _onward("noise", seed=2),
    "letters-30": _onward("share of real letters", blend=Blend(_shares(0.3), haste=HASTE)),
    "letters-90": _onward("share of real letters", blend=Blend(_shares(0.9), haste=HASTE)),
    "strength-0": _onward("augmentation", blend=Blend(strength=0.0, haste=HASTE)),
    "strength-50": _onward("augmentation", blend=Blend(strength=0.5, haste=HASTE)),
    "modern": _onward("language", blend=Blend(language="modern", haste=HASTE)),
    "bible": _onward("language", blend=Blend(language="bible", haste=HASTE)),
    "strings": _onward("language", blend=Blend(language="strings", haste=HASTE)),
}


def unwritten(names: Iterable[str], work: Path) -> list[str]:
    """Return the variants some of whose lines are not there yet."""
    return [name for name in names if any(not path.exists() for path in _paths(name, work))]


def write(name: str, material: Material, validation: Material, work: Path) -> None:
    """Write the lines of a variant that are not there yet, to train on and to validate with."""
    height = VARIANTS[name].recipe.height
    write_lines(validation, work / "validation" / str(height), height)
    seed = _SEED * VARIANTS[name].recipe.seed
    for number, path in zip(VARIANTS[name].shards, _paths(name, work), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            write_numbered(material, path.parent, seed, height, number, VARIANTS[name].blend)


def _paths(name: str, work: Path) -> list[Path]:
    """Return where a variant's lines lie."""
    variant = VARIANTS[name]
    return [shard_path(work / "lines" / (variant.lines_of or name), number) for number in variant.shards]


def run(name: str, work: Path) -> dict[str, Any]:
    """Train a variant on its lines, or go on where it was interrupted; return and keep what it reads."""
    variant = VARIANTS[name]
    paths = _paths(name, work)
    start = work / variant.after / "base.safetensors" if variant.after else None
    state = train(variant.recipe, lambda n: read_shard(paths[n % len(paths)]), work / name, start)
    net = finished(state, variant.recipe)
    found = measure(net, work / "validation" / str(variant.recipe.height))
    result: dict[str, Any] = {
        "name": name,
        "question": variant.question,
        "lines": state.lines,
        "lines_per_second": round(state.lines / state.seconds, 1),
        "weights": sum(weight.numel() for weight in net.parameters()),
        "validation": {item.kind: round(item.cer, 4) for item in found},
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
    if not results:
        return
    plot = pyplot()
    figure, axes = plot.subplots(figsize=(7, 0.5 + 0.32 * len(results)))
    questions = list(dict.fromkeys(result["question"] for result in results))
    rates = [100 * result["validation"]["hand"] for result in results]
    colours = [f"C{questions.index(result['question'])}" for result in results]
    bars = axes.barh([result["name"] for result in results], rates, color=colours)
    axes.bar_label(bars, fmt="%.1f", padding=3)
    axes.invert_yaxis()
    axes.set(xlabel="CER of held-out writers, %", xlim=(0, 1.12 * max(rates)))
    figure.savefig(path, dpi=90, bbox_inches="tight")
    plot.close(figure)
