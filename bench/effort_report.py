"""The report of the effort: figures, a table, and a plot of the characters corrected on each page."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from ketav_basemodel.report import pyplot

NAME: Final = "effort"
Figures = dict[str, Any]
"""The fields of `bench.effort.PageEffort` or `bench.effort.Training`."""
DRAWN: Final = {
    "without learning": ("tab:grey", "--"),
    "Kraken's own loop": ("tab:orange", "-"),
    "with learning": ("tab:blue", "-"),
}
"""Colour and line style of the drawn ways of reading."""
_LAST_PAGES: Final = 5
"""Pages at the end whose CER the table shows."""


def write_report(pages: Sequence[Figures], trainings: Sequence[Figures], out: Path) -> None:
    """Write the figures as json, md and png into a folder, and print the table."""
    out.mkdir(parents=True, exist_ok=True)
    content = {"pages": list(pages), "trainings": list(trainings)}
    (out / f"{NAME}.json").write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")
    text = as_markdown(pages, trainings)
    (out / f"{NAME}.md").write_text(text, "utf-8")
    print(text)
    if pages:
        _draw(pages, out / f"{NAME}.png")


def as_markdown(pages: Sequence[Figures], trainings: Sequence[Figures]) -> str:
    """Return the sums of each hand, and its trainings, as Markdown tables."""
    lines = [
        "| hand | pages, lines, characters | read | corrected characters | of all | of the last five pages |",
        "|---|--:|---|--:|--:|--:|",
    ]
    for hand in dict.fromkeys(page["hand"] for page in pages):
        own = [page for page in pages if page["hand"] == hand]
        size = f"{len(own)}, {_sum(own, 'lines')}, {_sum(own, 'characters')}"
        for way in own[0]["edits"]:
            corrected = sum(page["edits"][way] for page in own)
            rates = [100 * _rate(group, way) for group in (own, own[-_LAST_PAGES:])]
            lines.append(f"| {hand} | {size} | {way} | {corrected} | {rates[0]:.1f} % | {rates[1]:.1f} % |")
    lines += [
        "",
        "| hand | corrected lines | new model after | serves from page | verdict |",
        "|---|--:|--:|--:|---|",
    ]
    for run in trainings:
        if run["learner"] == "with learning":
            served = run["first_page"] + 1 if run["promoted"] else ""
            cells = [run["hand"], run["lines"], f"{run['seconds']:.0f} s", served, run["verdict"]]
            lines.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    seconds = [page["reading_seconds"] for page in pages]
    if seconds:
        lines += ["", f"Reading a page: median {np.median(seconds):.2f} s, longest {max(seconds):.2f} s."]
    return "\n".join(lines) + "\n"


def _sum(pages: Sequence[Figures], name: str) -> int:
    """Return the sum of a field."""
    return sum(int(page[name]) for page in pages)


def _rate(pages: Sequence[Figures], way: str) -> float:
    """Return the share of the characters that are corrected."""
    return sum(int(page["edits"][way]) for page in pages) / max(1, _sum(pages, "characters"))


def _draw(pages: Sequence[Figures], path: Path) -> None:
    """Draw the corrected characters by page: the notebook, and the mean of the composed hands."""
    groups = {
        "notebook": [page for page in pages if page["hand"] == "notebook"],
        "composed hands": [page for page in pages if page["hand"] != "notebook"],
    }
    drawn = {name: group for name, group in groups.items() if group}
    plot = pyplot()
    figure, axes = plot.subplots(
        1, len(drawn), figsize=(4.5 * len(drawn), 3.4), squeeze=False, layout="constrained"
    )
    for ax, (name, group) in zip(axes[0], drawn.items(), strict=True):
        numbers = sorted({page["page"] for page in group})
        for way, (colour, style) in DRAWN.items():
            rates = [100 * _rate([p for p in group if p["page"] == number], way) for number in numbers]
            ax.plot([number + 1 for number in numbers], rates, style, color=colour, label=way)
        hands = len({page["hand"] for page in group})
        ax.set(title=name if hands == 1 else f"{hands} {name}", xlabel="page", ylim=(0, None))
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.grid(alpha=0.3)
    axes[0][0].set_ylabel("characters corrected, %")
    figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside upper center", ncols=len(DRAWN))
    figure.savefig(path, dpi=90, bbox_inches="tight")
    plot.close(figure)
