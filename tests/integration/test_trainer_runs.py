"""A run from the claim to its end, over the real contract: nothing is lost, doubled or misreported."""

import asyncio
import hashlib
import json
import os
import signal
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import psutil
import pytest
from structlog.testing import capture_logs

from ketav_common import rpc
from ketav_common.errors import Unavailable
from ketav_engine.domain import FoundLine, Image, Model, TrainingLine
from ketav_engine.images import decode
from ketav_engine.lines import HEIGHT
from ketav_engine.training.replay import write
from ketav_testing import tiny
from ketav_trainer.domain import TrainingConfig
from ketav_trainer.registry import RegistryClient
from ketav_trainer.training import Dependencies, run_training
from ketav_trainer.worker import fit_processes
from tests.parts import registry_double as double
from tests.parts.identities import SIGNER
from tests.parts.pages import LETTERS, draw_page, place_of
from tests.parts.processes import live_children
from tests.parts.registry_double import RegistryDouble, served
from tests.parts.training import training_config

ENGINE = tiny.TinyEngine()


@dataclass
class Bench:
    """A registry in memory, the trainer's view of it, and a place to train."""

    inside: RegistryDouble
    registry: RegistryClient
    config: TrainingConfig
    stop: asyncio.Event

    async def run(self, run_id: str) -> None:
        """Bring a run to its end as a worker does."""
        processes = fit_processes(self.config)
        dependencies = Dependencies(self.registry, self.config, processes, self.stop)
        await run_training(run_id, dependencies=dependencies)

    async def begin(self, run_id: str) -> asyncio.Task[None]:
        """Start a run and wait until its training process has reported."""
        task = asyncio.create_task(self.run(run_id))
        await until(lambda: self.inside.runs[run_id].message.epoch > 0)
        return task


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """Serve the registry on a unix socket and connect to it."""
    inside = RegistryDouble(tiny.save())
    address = f"unix:{tmp_path}/registry.sock"
    config = training_config(tmp_path, heartbeat_s=0.2)
    async with served(inside, address, SIGNER), rpc.channel(address, SIGNER) as channel:
        yield Bench(inside, RegistryClient(channel), config, asyncio.Event())


async def until(true: Callable[[], object], seconds: float = 20) -> None:
    """Wait until a condition holds; fail after so many seconds."""
    for _ in range(int(seconds / 0.02)):
        if true():
            return
        await asyncio.sleep(0.02)
    pytest.fail("the condition never held")


def trainings() -> list[psutil.Process]:
    """Return the training processes that this process has."""
    return live_children(os.getpid(), "ketav_trainer.fit_process")


def freeze() -> None:
    """Stop the training process where it is."""
    for process in trainings():
        os.kill(process.pid, signal.SIGSTOP)


def slow(bench: Bench) -> None:
    """Make a training so long that a busy machine, too, notices its start before its end."""
    bench.config = replace(bench.config, epochs=400)


async def test_a_run_that_learns_is_published_with_its_verdict(bench: Bench) -> None:
    """Claimed, trained, evaluated and promoted, in this order; the figures and the words agree."""
    run_id = bench.inside.queue()
    await bench.run(run_id)
    run = bench.inside.runs[run_id]
    assert run.history == [double.QUEUED, double.RUNNING, double.EVALUATING, double.SUCCEEDED]
    (published,) = bench.inside.published
    assert published.promote
    assert published.cer_after < published.cer_before
    assert published.verdict.startswith("Promoted: ")
    assert published.completed
    assert published.training_lines == 16 + bench.inside.holdout
    assert not list(bench.config.directory.iterdir())


async def test_a_version_carries_its_model_card(bench: Bench) -> None:
    """Lineage, data, figures, verdict and software of a candidate are written down with it."""
    run_id = bench.inside.queue()
    await bench.run(run_id)
    (published,) = bench.inside.published
    card = json.loads(published.model_card)
    assert (card["run_id"], card["verdict"]) == (run_id, published.verdict)
    assert (card["cer_before"], card["cer_after"]) == (published.cer_before, published.cer_after)
    assert (card["training_lines"], card["holdout_lines"]) == (16, 8)
    assert card["parent_sha256"] == card["base_sha256"] == hashlib.sha256(tiny.save()).hexdigest()
    assert len(bytes.fromhex(card["dataset_sha256"])) == 32
    assert set(card["software"]) == {"ketav", "kraken", "torch"}
    assert datetime.fromisoformat(card["date"]).tzinfo is UTC


async def test_a_model_that_forgets_other_writers_is_rejected(bench: Bench, tmp_path: Path) -> None:
    """The user's letters improve, but the general set, which only the parent reads, forbids it."""
    forbid(bench, tmp_path / "general.npz", drawn(bench.inside.texts))
    run_id = bench.inside.queue()
    await bench.run(run_id)
    assert bench.inside.runs[run_id].message.state == double.REJECTED
    (published,) = bench.inside.published
    assert published.cer_after < published.cer_before
    assert "forgets too much of other writers, 0.0 % → " in published.verdict
    assert json.loads(published.model_card)["general_cer_after"] > 0.01


async def test_where_a_model_forgets_too_much_one_nearer_to_its_parent_serves(
    bench: Bench, tmp_path: Path
) -> None:
    """The general set forbids what only the last quarter of the way brings: the rest is promoted.

    No line is held out, so nothing completes the model.
    """
    bench.inside.holdout = 0
    content = await learnt(bench)
    parent, tuned = loaded(tiny.save()), loaded(content)
    nearer = ENGINE.blend(parent, tuned, 0.75)
    rows = [only(letter, text) for letter in LETTERS for text in bench.inside.texts]
    compared = zip(rows, *(readings(rows, model) for model in (tiny.save(), nearer, content)), strict=True)
    late = [row for row, before, near, after in compared if before == near != after]
    assert late
    forbid(bench, tmp_path / "general.npz", late)
    run_id = bench.inside.queue()
    await bench.run(run_id)
    assert bench.inside.runs[run_id].message.state == double.SUCCEEDED
    (published,) = bench.inside.published
    assert bench.inside.files[published.sha256] == nearer
    assert published.verdict.endswith("; other writers 0.0 % → 0.0 %.")


async def test_a_model_that_learnt_nonsense_is_rejected(bench: Bench) -> None:
    """False corrections of lines that train cannot improve the held-out ones: REJECTED, and it says so."""
    bench.inside.parent = await learnt(bench)
    bench.inside.misread = {text: text[::-1] for text in bench.inside.texts}
    run_id = bench.inside.queue()
    await bench.run(run_id)
    assert bench.inside.runs[run_id].message.state == double.REJECTED
    assert bench.inside.runs[run_id].message.verdict.startswith("Rejected: ")


def loaded(content: bytes) -> Model:
    """Load a model file."""
    return ENGINE.load_model(content, hashlib.sha256(content).hexdigest())


def drawn(texts: list[str]) -> list[Image]:
    """Draw texts, a line each, and cut them as reading would."""
    outlines = [place_of(row, texts) for row in range(len(texts))]
    lines = [FoundLine(row, tuple(hangs), tuple(around)) for row, (hangs, around) in enumerate(outlines)]
    return ENGINE.cut_lines(decode(draw_page(texts)), lines, HEIGHT)


def only(letter: str, text: str) -> Image:
    """Draw a text with only one of its letters: letters look different next to others."""
    (line,) = drawn([text])
    edges = np.flatnonzero(np.diff((line < 128).any(axis=0).astype(int)))
    for index, (start, end) in enumerate(zip(edges[::2], edges[1::2], strict=True)):
        if text[::-1][index] != letter:
            line[:, start + 1 : end + 1] = 255
    return line


def readings(lines: list[Image], content: bytes) -> list[str]:
    """Read lines with a model file."""
    return [reading.text for reading in ENGINE.read_lines(lines, loaded(content))]


def forbid(bench: Bench, path: Path, lines: list[Image]) -> None:
    """Make what the base reads of some lines the general set: nothing may be read otherwise there."""
    write(list(map(TrainingLine, lines, readings(lines, tiny.save()))), path)
    bench.config = replace(bench.config, general=path)


async def learnt(bench: Bench) -> bytes:
    """Return the model of a first successful run and make it the registry's."""
    first = bench.inside.queue()
    await bench.run(first)
    content = bench.inside.files[bench.inside.published[-1].sha256]
    bench.inside.published.clear()
    return content


async def test_of_two_workers_at_one_run_exactly_one_trains(bench: Bench) -> None:
    """The message came twice: the second claim is refused and its worker does nothing."""
    run_id = bench.inside.queue()
    await asyncio.gather(bench.run(run_id), bench.run(run_id))
    assert len(bench.inside.published) == 1
    assert bench.inside.runs[run_id].message.attempts == 1


async def test_an_ended_or_unknown_run_is_dropped_quietly(bench: Bench) -> None:
    """A late message changes nothing."""
    run_id = bench.inside.queue()
    await bench.run(run_id)
    revision = bench.inside.runs[run_id].message.revision
    await bench.run(run_id)
    await bench.run("00000000-0000-0000-0000-000000000000")
    assert bench.inside.runs[run_id].message.revision == revision


async def test_a_cancelled_run_ends_as_cancelled_and_its_process_is_gone(bench: Bench) -> None:
    """The user's wish arrives with the next heartbeat even while the training hangs."""
    slow(bench)
    run_id = bench.inside.queue()
    task = await bench.begin(run_id)
    freeze()
    bench.inside.cancel(run_id)
    await asyncio.wait_for(task, 5)
    assert bench.inside.runs[run_id].message.state == double.CANCELLED
    assert not trainings()
    assert not bench.inside.published


async def test_a_killed_training_process_ends_the_run_as_failed_with_a_reason(bench: Bench) -> None:
    """SIGKILL of the child: FAILED in words for the user, and the next run is trained."""
    configured = bench.config
    bench.config = replace(configured, epochs=2000)  # it cannot end before it is killed
    run_id = bench.inside.queue()
    task = await bench.begin(run_id)
    (process,) = trainings()
    process.kill()
    await asyncio.wait_for(task, 5)
    bench.config = configured
    run = bench.inside.runs[run_id].message
    assert run.state == double.FAILED
    assert run.verdict.startswith("The training was killed")
    again = bench.inside.queue()
    await bench.run(again)
    assert bench.inside.runs[again].message.state == double.SUCCEEDED


async def test_a_training_out_of_memory_ends_as_failed(bench: Bench) -> None:
    """RLIMIT_AS ends the child alone; the user reads that memory ran out."""
    run_id = bench.inside.queue()
    bench.config = replace(bench.config, memory_bytes=300 * 1024**2)
    await bench.run(run_id)
    run = bench.inside.runs[run_id].message
    assert (run.state, run.verdict) == (
        double.FAILED,
        "The training ran out of memory. Start it again later.",
    )


async def test_a_stopping_worker_returns_its_run_and_the_next_one_continues(bench: Bench) -> None:
    """SIGTERM of the worker: QUEUED again at once; the next attempt trains no epoch that was reported again.

    The training process may be ahead of the reports that its worker has received
    (tests/faults/test_stops.py stops it in a known epoch).
    """
    slow(bench)
    run_id = bench.inside.queue()
    task = await bench.begin(run_id)
    freeze()
    with capture_logs() as logs:
        bench.stop.set()
        await asyncio.wait_for(task, 5)
    assert "run_requeued" in {event["event"] for event in logs}
    assert "run_ended" not in {event["event"] for event in logs}
    run = bench.inside.runs[run_id]
    assert run.message.state == double.QUEUED
    assert not trainings()
    bench.stop.clear()
    await bench.run(run_id)
    assert run.message.state == double.SUCCEEDED
    assert run.epochs == sorted(set(run.epochs))
    assert not list(bench.config.directory.iterdir())


async def test_a_worker_that_lost_its_lease_changes_nothing_more(bench: Bench) -> None:
    """Another worker claimed the run meanwhile: the old worker's process is killed, its fence refused."""
    slow(bench)
    run_id = bench.inside.queue()
    task = await bench.begin(run_id)
    freeze()
    run = bench.inside.runs[run_id]
    run.fence += 1
    revision = run.message.revision
    await asyncio.wait_for(task, 5)
    assert run.message.revision == revision
    assert not trainings()


async def test_a_run_that_shall_yield_goes_back_to_the_queue(bench: Bench) -> None:
    """Its process is ended at the next heartbeat."""
    slow(bench)
    run_id = bench.inside.queue()
    task = await bench.begin(run_id)
    bench.inside.yield_requested = True
    await asyncio.wait_for(task, 20)
    assert bench.inside.runs[run_id].message.state == double.QUEUED
    assert not trainings()


async def test_a_short_outage_of_the_registry_is_tolerated(bench: Bench) -> None:
    """Heartbeats fail for a while, less than the lease: the training goes on to its end."""
    run_id = bench.inside.queue()
    slow(bench)
    task = await bench.begin(run_id)
    freeze()
    bench.inside.unavailable = True
    await asyncio.sleep(0.6)
    bench.inside.unavailable = False
    for process in trainings():
        process.resume()
    await asyncio.wait_for(task, 60)
    assert bench.inside.runs[run_id].message.state in {double.SUCCEEDED, double.REJECTED}


async def test_a_long_outage_of_the_registry_ends_the_training(bench: Bench) -> None:
    """When the lease has run out without an answer the child is killed; a sweep queues the run again."""
    bench.inside.lease_s = 1
    slow(bench)
    run_id = bench.inside.queue()
    task = await bench.begin(run_id)
    freeze()
    bench.inside.unavailable = True
    await asyncio.wait_for(task, 5)
    assert not trainings()
    bench.inside.unavailable = False
    assert await bench.registry.sweep() == [run_id]


async def test_an_unavailable_registry_at_the_claim_leaves_the_run_queued(bench: Bench) -> None:
    """The error reaches the task, which leaves the run to the sweep."""
    run_id = bench.inside.queue()
    bench.inside.unavailable = True
    with pytest.raises(Unavailable):
        await bench.run(run_id)
    assert bench.inside.runs[run_id].message.state == double.QUEUED
