"""Ablations: short trainings that differ in one thing each, compared by the CER of held-out writers."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ketav_basemodel.report import pyplot
from ketav_basemodel.shards import SHARD_LINES, read_shard, shard_path, write_numbered
from ketav_basemodel.synthesis import Material, Mixture
from ketav_basemodel.train import Recipe, mean_network, train
from ketav_basemodel.validate import measure, write_lines
from ketav_basemodel.writers import KINDS

FIRST_SHARDS: Final = range(8)
"""Numbers of the shards that a training from random weights reads, twice."""
NEXT_SHARDS: Final = range(8, 12)
"""Numbers of the shards that a training from the common weights reads, once."""
CURRICULUM_SPEED: Final = 8.0
"""The curriculum ends after 5,000 lines instead of 40,000."""
_SEED: Final = 1000
_USED_LINES: Final = 99 / 100 * SHARD_LINES
"""Lines of a shard without those that are too wide."""


def _from_random(height: int = 48, arch: str = "vgsl", seed: int = 1) -> Recipe:
    """Return the recipe of a short training from random weights: few lines, therefore small batches."""
    lines = round(2 * len(FIRST_SHARDS) * _USED_LINES)
    return Recipe(lines, height, arch, columns=12_000, seed=seed, save_every=2 * SHARD_LINES)


def _continued(seed: int = 1) -> Recipe:
    """Return the recipe of a training that continues from the common weights."""
    lines = round(len(NEXT_SHARDS) * _USED_LINES)
    return Recipe(
        lines, rate=1e-3, warmup=40, columns=12_000, ema=0.99, seed=seed, save_every=2 * SHARD_LINES
    )


def _shares(real: float) -> dict[str, float]:
    """Return the kinds' shares with another share of real letters; the others keep their proportions."""
    rest = (1 - real) / (1 - KINDS["hand"])
    return {kind: real if kind == "hand" else rest * share for kind, share in KINDS.items()}


@dataclass(frozen=True, slots=True)
class Variant:
    """One short training: the question that it answers, and its one difference."""

    question: str
    recipe: Recipe
    mixture: Mixture = field(default_factory=lambda: Mixture(curriculum_speed=CURRICULUM_SPEED))
    after: str = ""
    """The variant whose weights this one continues from; empty for random weights."""
    lines_of: str = ""
    """The variant whose lines this one reads; empty for its own."""

    @property
    def shards(self) -> range:
        """The numbers of the shards that the training reads."""
        return NEXT_SHARDS if self.after else FIRST_SHARDS


def _variant(question: str, seed: int = 1, mixture: Mixture | None = None) -> Variant:
    """Return a variant that continues from the common weights with another mixture or seed."""
    return Variant(
        question, _continued(seed), mixture or Mixture(curriculum_speed=CURRICULUM_SPEED), after="base"
    )


VARIANTS: Final[Mapping[str, Variant]] = {
    "base": Variant("from nothing", _from_random()),
    "height-64": Variant("from nothing", _from_random(64)),
    "height-96": Variant("from nothing", _from_random(96)),
    "ppocrv6-tiny": Variant("from nothing", _from_random(arch="ppocrv6"), lines_of="base"),
    "onward": _variant("noise"),
    "onward-2": _variant("noise", seed=2),
    "letters-30": _variant(
        "share of real letters", mixture=Mixture(_shares(0.3), curriculum_speed=CURRICULUM_SPEED)
    ),
    "letters-90": _variant(
        "share of real letters", mixture=Mixture(_shares(0.9), curriculum_speed=CURRICULUM_SPEED)
    ),
    "strength-0": _variant("augmentation", mixture=Mixture(strength=0.0, curriculum_speed=CURRICULUM_SPEED)),
    "strength-50": _variant("augmentation", mixture=Mixture(strength=0.5, curriculum_speed=CURRICULUM_SPEED)),
    "modern": _variant("language", mixture=Mixture(language="modern", curriculum_speed=CURRICULUM_SPEED)),
    "bible": _variant("language", mixture=Mixture(language="bible", curriculum_speed=CURRICULUM_SPEED)),
    "strings": _variant("language", mixture=Mixture(language="strings", curriculum_speed=CURRICULUM_SPEED)),
}


def unwritten(names: Iterable[str], work: Path) -> list[str]:
    """Return the variants some of whose shards do not exist yet."""
    return [name for name in names if any(not path.exists() for path in _paths(name, work))]


def write(name: str, material: Material, validation: Material, work: Path) -> None:
    """Write the training and validation lines of a variant that do not exist yet."""
    height = VARIANTS[name].recipe.height
    write_lines(validation, work / "validation" / str(height), height)
    seed = _SEED * VARIANTS[name].recipe.seed
    for number, path in zip(VARIANTS[name].shards, _paths(name, work), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            write_numbered(material, path.parent, seed, height, number, VARIANTS[name].mixture)


def _paths(name: str, work: Path) -> list[Path]:
    """Return the paths of a variant's shards."""
    variant = VARIANTS[name]
    return [shard_path(work / "lines" / (variant.lines_of or name), number) for number in variant.shards]


def run(name: str, work: Path) -> dict[str, Any]:
    """Train a variant on its lines, from its checkpoint if there is one; write and return its results."""
    variant = VARIANTS[name]
    paths = _paths(name, work)
    start = work / variant.after / "base.safetensors" if variant.after else None
    state = train(variant.recipe, lambda n: read_shard(paths[n % len(paths)]), work / name, start)
    net = mean_network(state, variant.recipe)
    measured = measure(net, work / "validation" / str(variant.recipe.height))
    result: dict[str, Any] = {
        "name": name,
        "question": variant.question,
        "lines": state.lines,
        "lines_per_second": round(state.lines / state.seconds, 1),
        "weights": sum(weight.numel() for weight in net.parameters()),
        "validation": {item.kind: round(item.cer, 4) for item in measured},
    }
    (work / f"{name}.json").write_text(json.dumps(result, indent=1))
    return result


def collect(work: Path, to: Path) -> list[dict[str, Any]]:
    """Write the existing results into one file, in the order of `VARIANTS`, and return them."""
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
