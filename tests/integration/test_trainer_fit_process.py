"""The training process trains and reports its progress; whatever ends it, the user reads why."""

import asyncio
import hashlib
import os
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import psutil
import pytest

from ketav_common.error_rates import cer, edits
from ketav_engine.domain import FoundLine, Image, TrainingLine
from ketav_engine.images import decode
from ketav_engine.lines import HEIGHT
from ketav_engine.training import replay
from ketav_testing import tiny
from ketav_trainer.domain import FitFailedError, GroundTruthLine, GroundTruthPage
from ketav_trainer.fit_messages import BASE, CANDIDATE, PARENT, EngineConfig, FitConfig
from ketav_trainer.fit_runner import FitProcesses, OnEvent, run_fit
from ketav_trainer.gate import LineErrors, judge
from tests.parts.pages import draw_page, place_of, random_lines
from tests.parts.processes import live_children

Events = list[dict[str, Any]]
ENGINE = tiny.TinyEngine()

MODELS = Path(__file__).parents[2] / "models"


def prepare(
    directory: Path, lines: int = 12, holdout: int = 6, trained: int = 0, **changes: Any
) -> FitConfig:
    """Write a run over one drawn page into a directory; `changes` replace fields of its configuration.

    The first `holdout` lines are held out, the next `trained` ones trained the parent.
    """
    texts = random_lines(lines)
    (directory / "page-00000").write_bytes(draw_page(texts))
    (directory / PARENT).write_bytes(tiny.save())
    outlines = [place_of(row, texts) for row in range(lines)]
    page = GroundTruthPage(
        image="page-00000",
        layout="page",
        lines=tuple(
            GroundTruthLine(
                tuple(baseline), tuple(boundary), text, row < holdout, 0 <= row - holdout < trained
            )
            for row, (text, (baseline, boundary)) in enumerate(zip(texts, outlines, strict=True))
        ),
    )
    config = FitConfig(
        directory=directory,
        seed=0,
        epochs=None,
        checkpoint=directory / "checkpoint",
        parent_sha256=hashlib.sha256(tiny.save()).hexdigest(),
        pages=(page,),
    )
    return replace(config, **changes)


async def fit(
    config: FitConfig, on_event: OnEvent, seconds: float = 60, memory_bytes: int = 0, engine: str = "tiny"
) -> None:
    """Run a training process."""
    await run_fit(FitProcesses(EngineConfig(engine), memory_bytes), config, on_event, seconds=seconds)


async def collected(config: FitConfig, seconds: float = 60, engine: str = "tiny") -> Events:
    """Run a training process and return its events except the times of its stages."""
    return [event for event in await all_events(config, seconds, engine) if event["event"] != "stage"]


async def all_events(config: FitConfig, seconds: float = 60, engine: str = "tiny") -> Events:
    """Run a training process and return its events."""
    events: Events = []

    async def collect(event: dict[str, Any]) -> None:
        """Keep an event."""
        events.append(event)

    await fit(config, collect, seconds, engine=engine)
    return events


def children() -> list[psutil.Process]:
    """Return the training processes that this process has."""
    return live_children(os.getpid(), "ketav_trainer.fit_process")


@pytest.mark.parametrize(("lines", "holdout", "measured"), [(12, 6, 12), (16, 8, 8), (26, 20, 20)])
async def test_a_training_reports_its_epochs_and_leaves_a_better_model(
    tmp_path: Path, lines: int, holdout: int, measured: int
) -> None:
    """Epochs come first, then the errors of each held-out line, and they fell.

    With fewer than 64 held-out lines those that train are measured too, by models fitted without them, unless
    eight or more leave no doubt.
    """
    events = await collected(prepare(tmp_path, lines, holdout))
    assert [event["event"] for event in events] == [*["epoch"] * 4, "evaluating", "done"]
    errors = events[-1]["errors"]
    assert len(errors) == holdout
    errors += events[-1]["folds"]
    assert len(errors) == measured
    assert sum(after for _, _, after, *_ in errors) < sum(before for _, before, *_ in errors)
    assert (tmp_path / CANDIDATE).read_bytes() != (tmp_path / PARENT).read_bytes()


async def test_a_training_reports_the_time_of_each_stage(tmp_path: Path) -> None:
    """They follow each other, take some time, and fit into the time of the whole process."""
    began = time.time_ns()
    events = await all_events(prepare(tmp_path, 12, 6))
    stages = [event for event in events if event["event"] == "stage"]
    names = ["prepare", "fit", "evaluate", "cross_validate", "complete"]
    assert [event["stage"] for event in stages] == names
    ends = [event["start_ns"] + event["duration_ns"] for event in stages]
    starts = [event["start_ns"] for event in stages]
    assert all(end <= start + 10_000_000 for end, start in zip(ends, starts[1:], strict=False))
    assert began < starts[0] < ends[-1] < time.time_ns()


@pytest.mark.parametrize(("trained", "measured"), [(0, 8), (2, 6), (7, 0), (8, 0)])
async def test_cross_validation_measures_only_lines_that_did_not_train_the_parent(
    tmp_path: Path, trained: int, measured: int
) -> None:
    """The parent may know the others by heart; one new line alone cannot be split into folds."""
    events = await collected(prepare(tmp_path, lines=11, holdout=3, trained=trained))
    assert (len(events[-1]["errors"]), len(events[-1]["folds"])) == (3, measured)


async def test_an_accepted_candidate_learns_the_lines_that_have_measured_it(tmp_path: Path) -> None:
    """They are half of what the user has corrected; the verdict counts the errors from before."""
    config = prepare(tmp_path, lines=24, holdout=12)
    done = (await collected(config))[-1]
    assert done["completed"]
    texts = [line.text for line in config.pages[0].lines]
    model = (tmp_path / CANDIDATE).read_bytes()
    assert done["sha256"] == hashlib.sha256(model).hexdigest()
    missed = [edits(text, reading) for text, reading in zip(texts, readings(model, cut(texts)), strict=True)]
    assert sum(missed[:12]) < sum(after for _, _, after, *_ in done["errors"])


async def test_a_rejected_candidate_stays_as_it_was_measured(tmp_path: Path) -> None:
    """Its held-out lines measure the next one."""
    done = (await collected(prepare(tmp_path, lines=4, holdout=1)))[-1]
    assert not judge([LineErrors(*line) for line in (*done["errors"], *done["folds"])]).promote
    assert not done["completed"]


async def test_models_of_folds_are_trained_on_the_held_out_lines_too(tmp_path: Path) -> None:
    """Of eight lines two train: a model that knew one alone would misread most letters of the other."""
    done = (await collected(prepare(tmp_path, lines=8, holdout=6)))[-1]
    assert len(done["folds"]) == 2
    assert (
        sum(after for _, _, after, *_ in done["folds"]) < sum(before for _, before, *_ in done["folds"]) / 3
    )


def cut(texts: list[str]) -> list[Image]:
    """Draw texts on a page and cut it into lines as reading does."""
    outlines = [place_of(row, texts) for row in range(len(texts))]
    lines = [FoundLine(row, tuple(line), tuple(around)) for row, (line, around) in enumerate(outlines)]
    return ENGINE.cut_lines(decode(draw_page(texts)), lines, HEIGHT)


def readings(content: bytes, lines: list[Image]) -> list[str]:
    """Return the texts that a model's file reads."""
    model = ENGINE.load_model(content, hashlib.sha256(content).hexdigest())
    return [reading.text for reading in ENGINE.read_lines(lines, model)]


async def test_what_a_model_may_forget_is_measured_from_the_base_model(tmp_path: Path) -> None:
    """Where the parent reads other lines worse than the base, the candidate may not read them still worse."""
    first, second = tmp_path / "first", tmp_path / "second"
    for directory in (first, second):
        await asyncio.to_thread(directory.mkdir)
    await fit(prepare(first), ignore)
    base, parent = tiny.save(), (first / CANDIDATE).read_bytes()
    lines = cut(random_lines(12))
    texts = readings(base, lines)
    general = tmp_path / "general.npz"
    replay.write(list(map(TrainingLine, lines, texts)), general)
    forgotten = cer(zip(texts, readings(parent, lines), strict=True)).rate
    assert forgotten > 0.01
    config = prepare(second, general=general, parent_sha256=hashlib.sha256(parent).hexdigest())
    (second / PARENT).write_bytes(parent)
    (second / BASE).write_bytes(base)
    for base_sha256, limit in ((None, forgotten + 0.01), (hashlib.sha256(base).hexdigest(), forgotten)):
        config.checkpoint.unlink(missing_ok=True)
        events = await collected(replace(config, base_sha256=base_sha256))
        assert events[-1]["general_limit"] == pytest.approx(limit)


def with_sign(config: FitConfig, sign: str) -> FitConfig:
    """Replace a letter in the texts of a run by a sign."""
    [page] = config.pages
    lines = tuple(replace(line, text=line.text.replace("ה", sign)) for line in page.lines)
    return replace(config, pages=(replace(page, lines=lines),))


async def test_both_models_are_compared_with_the_same_texts(tmp_path: Path) -> None:
    """The parent writes an ASCII quotation mark for a gershayim; the candidate learns the gershayim."""
    first, second = tmp_path / "first", tmp_path / "second"
    for directory in (first, second):
        await asyncio.to_thread(directory.mkdir)
    await fit(with_sign(prepare(first, 40, 20), '"'), ignore)
    parent = (first / CANDIDATE).read_bytes()
    config = with_sign(prepare(second, 40, 20, parent_sha256=hashlib.sha256(parent).hexdigest()), "״")
    (second / PARENT).write_bytes(parent)
    done = (await collected(config))[-1]
    texts = [line.text for line in config.pages[0].lines if line.holdout]
    assert [length for length, *_ in done["errors"]] == [len(text) for text in texts]
    # Some letters are misread by both, and an alignment can count a sign and its neighbour as one error.
    assert (
        sum(before - after for _, before, after, *_ in done["errors"])
        > sum(map(str.count, texts, "״" * 20)) / 3
    )


@pytest.mark.kraken
async def test_kraken_s_network_is_trained_through_the_same_process(tmp_path: Path) -> None:
    """The shipped base model learns for one epoch; lines are measured with both models, also across folds."""
    base = (Path(__file__).parents[2] / "models" / "hebrew_base.safetensors").read_bytes()
    sha256 = hashlib.sha256(base).hexdigest()
    config = prepare(tmp_path, 4, 2, epochs=1, parent_sha256=sha256)
    (tmp_path / PARENT).write_bytes(base)
    events = await collected(config, 120, "kraken")
    assert [event["event"] for event in events] == ["epoch", "evaluating", "done"]
    assert (len(events[-1]["errors"]), len(events[-1]["folds"])) == (2, 2)
    assert (tmp_path / CANDIDATE).read_bytes() != base


@pytest.mark.kraken
async def test_shuffled_texts_do_not_pass_the_gate(tmp_path: Path) -> None:
    """Every line of a user carries another line's text: whatever is learnt from that, it is not promoted."""
    base, lines = (MODELS / "hebrew_base.safetensors").read_bytes(), replay.read(MODELS / "replay_lines.npz")
    pages = []
    for number, line in enumerate(lines[:44]):
        height, width = line.image.shape
        box = ((0, 0), (width - 1, 0), (width - 1, height - 1), (0, height - 1))
        cv2.imwrite(str(tmp_path / f"{number}.png"), line.image)
        text = lines[(number + 7) % 44].text
        shuffled = GroundTruthLine(((0, 14), (width - 1, 14)), box, text, number < 20)
        pages.append(GroundTruthPage(f"{number}.png", "line", (shuffled,)))
    config = prepare(
        tmp_path,
        1,
        0,
        epochs=6,
        parent_sha256=hashlib.sha256(base).hexdigest(),
        pages=tuple(pages),
        replay=MODELS / "replay_lines.npz",
        general=MODELS / "general_lines.npz",
    )
    (tmp_path / PARENT).write_bytes(base)
    events = await collected(config, 300, "kraken")
    done = events[-1]
    assert len(done["errors"]) == 20
    assert len(done["general"]) == 144
    verdict = judge(*([LineErrors(*line) for line in done[name]] for name in ("errors", "general")))
    assert not verdict.promote


async def test_a_damaged_checkpoint_costs_time_and_nothing_else(tmp_path: Path) -> None:
    """The training begins again and ends with the same model."""
    whole, damaged = tmp_path / "whole", tmp_path / "damaged"
    for directory in (whole, damaged):
        await asyncio.to_thread(directory.mkdir)
        config = prepare(directory)
        if directory == damaged:
            config.checkpoint.write_bytes(b"\xff" * 100)
        await fit(config, ignore)
    assert (whole / CANDIDATE).read_bytes() == (damaged / CANDIDATE).read_bytes()


async def test_equal_configurations_give_an_equal_model(tmp_path: Path) -> None:
    """Nothing about a training is left to chance."""
    models = []
    for name in ("one", "two"):
        directory = tmp_path / name
        await asyncio.to_thread(directory.mkdir)
        await fit(prepare(directory), ignore)
        models.append(await asyncio.to_thread((directory / CANDIDATE).read_bytes))
    assert models[0] == models[1]


async def test_a_training_process_runs_at_low_priority_with_one_thread_and_no_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Readers on the same machine go first, and it has no secret to reveal."""
    monkeypatch.setenv("KETAV_IDENTITY_KEY", "s" * 40)
    seen: list[tuple[int, dict[str, str]]] = []

    async def look(_: dict[str, Any]) -> None:
        """Look at the process while it runs."""
        seen.extend((int(child.nice()), child.environ()) for child in children())

    await fit(prepare(tmp_path), look)
    priority, environment = seen[0]
    assert priority == min(psutil.Process().nice() + 10, 19)  # the kernel knows no lower one
    assert environment["OMP_NUM_THREADS"] == "1"
    assert not [name for name in environment if name.startswith("KETAV_")]


async def test_a_killed_training_fails_with_a_sentence_for_the_user(tmp_path: Path) -> None:
    """SIGKILL, as the kernel sends it when memory is short."""

    async def kill(_: dict[str, Any]) -> None:
        """Kill the process at its first report."""
        for child in children():
            os.kill(child.pid, signal.SIGKILL)

    with pytest.raises(FitFailedError, match="The training was killed"):
        await fit(prepare(tmp_path, lines=100), kill)


async def test_a_training_out_of_memory_says_so(tmp_path: Path) -> None:
    """The address space has a limit, and reaching it ends the process, not the worker."""
    with pytest.raises(FitFailedError, match="ran out of memory"):
        await fit(prepare(tmp_path, lines=200), ignore, memory_bytes=300 * 1024**2)


async def test_a_training_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    """The time limit holds even when the process hangs."""

    async def stop(_: dict[str, Any]) -> None:
        """Stop the process at its first report."""
        for child in children():
            os.kill(child.pid, signal.SIGSTOP)

    with pytest.raises(FitFailedError, match="took too long"):
        await fit(prepare(tmp_path, lines=200), stop, 3)
    assert not children()


async def test_a_cancelled_training_leaves_no_process(tmp_path: Path) -> None:
    """Cancelling the call ends the process."""
    started = asyncio.Event()

    async def suspend(_: dict[str, Any]) -> None:
        """Stop the process at its first report."""
        for child in children():
            os.kill(child.pid, signal.SIGSTOP)
        started.set()

    running = asyncio.create_task(fit(prepare(tmp_path, lines=200), suspend))
    await started.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not children()


@pytest.mark.parametrize(
    ("changes", "kind"),
    [({"parent_sha256": "0" * 64}, "UnusableModelError"), ({"pages": ()}, "NothingToLearnError")],
)
async def test_a_run_that_cannot_be_learnt_from_is_reported_as_such(
    tmp_path: Path, changes: dict[str, Any], kind: str
) -> None:
    """A parent that is not the one expected, or no lines at all: a reason, not a crash."""
    events = await collected(prepare(tmp_path, **changes))
    assert events == [{"event": "failed", "kind": kind}]


async def ignore(_: dict[str, Any]) -> None:
    """Take an event and do nothing."""
