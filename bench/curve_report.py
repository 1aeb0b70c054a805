"""The report of the learning curve: figures, a table and a plot."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from ketav_basemodel.report import pyplot

NAME: Final = "learning-curve"
GROUPS: Final = ("notebook", "stam", "synthetic")
"""Groups of writers; a stage of any other group measures lines of other writers."""
Figures = dict[str, Any]
"""One stage: the fields of `bench.learning_curve.Stage`."""


def write_report(stages: Sequence[Figures], out: Path) -> None:
    """Write the report as json, md and png into a folder."""
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{NAME}.json").write_text(json.dumps(list(stages), indent=1, ensure_ascii=False), "utf-8")
    (out / f"{NAME}.md").write_text(as_markdown(stages), "utf-8")
    if rates := curves(stages):
        _draw(rates, out / f"{NAME}.png")


def as_markdown(stages: Sequence[Figures]) -> str:
    """Return a table with a row for each stage of each writer."""
    lines = [
        "| writer | corrected | CER | change | seconds | processor seconds | verdict |",
        "|---|--:|--:|--:|--:|--:|---|",
    ]
    first_rates: dict[str, float] = {}
    for stage in stages:
        rate = _rate(stage)
        name = stage["writer"] if stage["group"] in GROUPS else stage["group"]
        first = first_rates.setdefault(name, rate)
        change = f"{100 * (rate / first - 1):+.0f} %" if stage["corrected"] and first else ""
        seconds = [f"{stage[name]:.0f}" if stage[name] else "" for name in ("seconds", "processor_seconds")]
        cells = [name, str(stage["corrected"]), f"{100 * rate:.1f} %", change, *seconds]
        lines.append(f"| {' | '.join(cells)} | {stage['verdict']} |")
    return "\n".join(lines) + "\n"


def curves(stages: Sequence[Figures]) -> dict[str, dict[int, float]]:
    """Return the CER by corrected lines for each group, over the lines of all its writers."""
    sums: dict[str, dict[int, list[int]]] = {}
    for stage in stages:
        if stage["group"] not in GROUPS:
            continue
        counts = sums.setdefault(stage["group"], {}).setdefault(stage["corrected"], [0, 0])
        counts[0] += stage["edits"]
        counts[1] += stage["characters"]
    return {
        group: {corrected: edits / max(1, characters) for corrected, (edits, characters) in points.items()}
        for group, points in sums.items()
    }


def _rate(stage: Figures) -> float:
    """Return the CER of a stage."""
    return float(stage["edits"]) / max(1, int(stage["characters"]))


def _draw(rates: dict[str, dict[int, float]], path: Path) -> None:
    """Draw CER against corrected lines."""
    plot = pyplot()
    figure, axes = plot.subplots(figsize=(7, 4))
    for group, points in rates.items():
        lines = sorted(points)
        axes.plot(lines, [100 * points[count] for count in lines], marker="o", label=group)
    axes.set_xscale("symlog", base=2, linthresh=16)
    ticks = sorted({count for points in rates.values() for count in points})
    axes.set_xticks(ticks, [str(count) for count in ticks])
    axes.set(xlabel="corrected lines", ylabel="CER of other lines, %", ylim=(0, None))
    axes.legend()
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=90, bbox_inches="tight")
    plot.close(figure)
