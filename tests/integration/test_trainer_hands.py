"""Trainings of hands over a real registry: two people's letters under one user, and a new base model."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest

from ketav.registry.v1 import models_pb2, projects_pb2, training_pb2
from ketav_common import rpc
from ketav_registry.repository import training
from ketav_registry.usecases import models
from ketav_testing import tiny
from ketav_trainer.registry import RegistryClient
from tests.parts.postgres import PostgresServer
from tests.parts.registry import acting, create, registry_server, sweep_runs
from tests.parts.training import training_config
from tests.parts.trainings import Trainings, Writing, corrected_page, errors

MOTHER = Writing("Mother")
UNCLE = Writing("Uncle", shapes=("אבגדה", "בגדהא"))
"""Draws each letter as others draw the next one."""
SUCCEEDED = training_pb2.TRAINING_RUN_STATE_SUCCEEDED
REJECTED = training_pb2.TRAINING_RUN_STATE_REJECTED


@pytest.fixture
async def loop(postgres: PostgresServer, tmp_path: Path) -> AsyncIterator[Trainings]:
    """Run a registry whose base model is an empty table of the tiny engine, on a database of its own."""
    async with (
        registry_server(postgres, tmp_path, postgres.migrated_database(), base=tiny.save()) as registry,
        rpc.channel(f"unix:{tmp_path}/registry.sock", registry.signer) as channel,
    ):
        config = training_config(tmp_path, heartbeat_s=1)
        yield Trainings(registry, RegistryClient(channel), config)


async def write(loop: Trainings, user_id: UUID, writing: Writing, *seeds: int, lines: int = 12) -> str:
    """Correct a page for each seed, all in one project; return its id."""
    project_id = writing.project_id
    for seed in seeds:
        with acting(user_id):
            on = Writing(writing.hand, project_id, writing.shapes, writing.letters)
            project_id = (await corrected_page(loop.registry, seed, lines, writing=on)).project_id
    return project_id


async def train(loop: Trainings, user_id: UUID, hand: str) -> training_pb2.TrainingRun:
    """Start a run of a hand and bring it to its end."""
    with acting(user_id), rpc.raise_ketav_errors():
        request = training_pb2.CreateTrainingRunRequest(hand=hand)
        run_id = (await loop.registry.training.CreateTrainingRun(request)).run.run_id
    await loop.train(run_id)
    return await loop.run(user_id, run_id)


async def card(loop: Trainings, user_id: UUID, version: str) -> models_pb2.ModelVersion:
    """Return a version with its model card."""
    with acting(user_id), rpc.raise_ketav_errors():
        return (await loop.registry.models.GetModel(models_pb2.GetModelRequest(version=version))).version


async def test_the_letters_of_two_people_are_read_by_a_model_each(loop: Trainings) -> None:
    """Each model reads its person's next page; deleting one person's letters leaves the other model."""
    user_id = await loop.registry.new_user()
    projects = {writing.hand: await write(loop, user_id, writing, 1, 2, 3) for writing in (MOTHER, UNCLE)}
    for writing in (MOTHER, UNCLE):
        run = await train(loop, user_id, writing.hand)
        assert (run.state, run.hand, run.training_lines + run.holdout_lines) == (SUCCEEDED, writing.hand, 36)
    served = {hand: await loop.model(user_id, hand) for hand in projects}
    files = {hand: await loop.file(user_id, model) for hand, model in served.items()}
    assert errors(files["Mother"], 9, MOTHER) < errors(files["Uncle"], 9, MOTHER)
    assert errors(files["Uncle"], 9, UNCLE) < errors(files["Mother"], 9, UNCLE)
    for hand, project_id in projects.items():
        with acting(user_id):
            assert (await create(loop.registry, project_id=project_id)).model.sha256 == served[hand].sha256
    assert (await loop.model(user_id)).version == "hebrew_base-1"
    with acting(user_id), rpc.raise_ketav_errors():
        request = projects_pb2.DeleteProjectRequest(project_id=projects["Uncle"])
        erasure = (await loop.registry.projects.DeleteProject(request)).erasure
    assert list(erasure.tainted_versions) == [served["Uncle"].version]
    assert await loop.model(user_id, "Mother") == served["Mother"]
    with acting(user_id):
        assert (await create(loop.registry, project_id=projects["Mother"])).model.version == served[
            "Mother"
        ].version
    assert '"hand": "Mother"' in (await card(loop, user_id, served["Mother"].version)).card_json


async def test_the_own_model_reads_a_hand_that_it_reads_better_than_the_base(loop: Trainings) -> None:
    """The mother writes as the user does, the uncle does not; no model was trained on their lines."""
    user_id = await loop.registry.new_user()
    await write(loop, user_id, Writing(), 1, 2, 3, 4)
    own = (await train(loop, user_id, "")).model_version
    await write(loop, user_id, MOTHER, 5, 6)
    await write(loop, user_id, UNCLE, 5, 6)
    mothers = await train(loop, user_id, "Mother")
    assert mothers.state == REJECTED
    assert mothers.verdict.endswith(
        "by the model of your own hand, which reads it better than the base model."
    )
    assert (await loop.model(user_id, "Mother")).version == own
    uncles = await train(loop, user_id, "Uncle")
    assert uncles.state == SUCCEEDED
    assert "own hand" not in uncles.verdict
    assert (await loop.model(user_id, "Uncle")).version == uncles.model_version
    version = await card(loop, user_id, uncles.model_version)
    assert (version.parent_version, version.base_version) == ("hebrew_base-1", "hebrew_base-1")
    assert f'"version": "{own}"' in version.card_json


async def new_base(loop: Trainings, tmp_path: Path, content: bytes) -> str:
    """Import a new version of the base model and return its name."""
    file = tmp_path / "new.safetensors"
    file.write_bytes(content)
    return (await models.import_base(file, "hebrew_base", None, stores=loop.registry.stores)).model.version


async def set_gap(loop: Trainings, user_id: UUID) -> None:
    """Allow automatic runs of a user without a gap between them."""
    policy = training_pb2.TrainingPolicy(automatic=True, minimum_gap_seconds=0)
    with acting(user_id), rpc.raise_ketav_errors():
        request = training_pb2.SetTrainingPolicyRequest(policy=policy)
        await loop.registry.training.SetTrainingPolicy(request)


async def swept(loop: Trainings, user_id: UUID) -> list[training_pb2.TrainingRun]:
    """Sweep, and return the runs that are queued then."""
    return [await loop.run(user_id, run_id) for run_id in await sweep_runs(loop.registry)]


async def test_a_hand_is_trained_once_from_a_new_base_and_keeps_its_model_if_the_gate_refuses(
    loop: Trainings, tmp_path: Path
) -> None:
    """The verdict says so; a base that changes nothing is not tried again before the lines have doubled.

    It is not tried before there are lines that have trained neither model.
    """
    user_id = await loop.registry.new_user()
    project_id = await write(loop, user_id, MOTHER, 1, 2, lines=10)
    first = await train(loop, user_id, "Mother")
    assert await swept(loop, user_id) == []
    base = await new_base(loop, tmp_path, tiny.save(epoch=1))
    assert await swept(loop, user_id) == []  # for the first run is younger than the minimum gap
    await set_gap(loop, user_id)
    assert await swept(loop, user_id) == []  # for its model has learnt all lines
    writing = Writing("Mother", project_id)
    await write(loop, user_id, writing, 3, lines=8)
    [run] = await swept(loop, user_id)
    assert (run.hand, run.new_base) == ("Mother", base)
    await loop.train(run.run_id)
    run = await loop.run(user_id, run.run_id)
    assert run.state == REJECTED
    assert run.verdict.startswith(f"Trained from the new base model {base}. Rejected: ")
    assert run.verdict.endswith("Your earlier model keeps serving.")
    assert (await loop.model(user_id, "Mother")).version == first.model_version
    assert await swept(loop, user_id) == []
    await write(loop, user_id, writing, 4, 5, 6)
    await train(loop, user_id, "Mother")
    await write(loop, user_id, writing, 7, lines=8)
    assert [run.new_base for run in await swept(loop, user_id)] == [base]


async def test_a_model_from_a_new_base_serves_if_it_is_better(loop: Trainings, tmp_path: Path) -> None:
    """The hand had learned two letters and now writes five; its version descends from the new base."""
    user_id = await loop.registry.new_user()
    await set_gap(loop, user_id)
    few = Writing("Mother", letters=("גדה", "אבא"))
    project_id = await write(loop, user_id, few, 1, 2, lines=8)
    await train(loop, user_id, "Mother")
    await write(loop, user_id, Writing("Mother", project_id), 3, 4, 5, lines=5)
    base = await new_base(loop, tmp_path, tiny.save(epoch=1))
    [run] = await swept(loop, user_id)
    await loop.train(run.run_id)
    run = await loop.run(user_id, run.run_id)
    assert (run.state, run.new_base) == (SUCCEEDED, base), run.verdict
    assert run.verdict.startswith(f"Trained from the new base model {base}. Promoted: ")
    assert (await loop.model(user_id, "Mother")).version == run.model_version
    assert (await card(loop, user_id, run.model_version)).base_version == base
    assert await swept(loop, user_id) == []


async def test_a_run_that_the_user_starts_goes_before_the_one_from_a_new_base(
    loop: Trainings, tmp_path: Path
) -> None:
    """The queued one is cancelled and returns; there is one at a time over all users."""
    one, two = await loop.registry.new_user(), await loop.registry.new_user()
    for user_id in (one, two):
        await set_gap(loop, user_id)
        await write(loop, user_id, MOTHER, 1, 2, lines=10)
        await train(loop, user_id, "Mother")
        await write(loop, user_id, MOTHER, 4, lines=8)
    base = await new_base(loop, tmp_path, tiny.save(epoch=1))
    queued = await sweep_runs(loop.registry)
    assert len(queued) == len(await sweep_runs(loop.registry)) == 1
    [run_id] = queued
    async with loop.registry.stores.database.system() as transaction:
        run = await training.find_run(transaction, UUID(run_id))
    assert run is not None
    assert run.new_base == base
    await write(loop, run.user_id, MOTHER, 3)
    own = await train(loop, run.user_id, "Mother")
    assert own.new_base == ""
    replaced = await loop.run(run.user_id, run_id)
    assert replaced.state == training_pb2.TRAINING_RUN_STATE_CANCELLED
    assert "goes first" in replaced.verdict
    remaining = set()
    for _ in range(2):
        [run_id] = await sweep_runs(loop.registry)
        async with loop.registry.stores.database.system() as transaction:
            run = await training.find_run(transaction, UUID(run_id))
        assert run is not None
        await loop.train(run_id)
        remaining.add(run.user_id)
    assert remaining == {one, two}
    assert await sweep_runs(loop.registry) == set()
