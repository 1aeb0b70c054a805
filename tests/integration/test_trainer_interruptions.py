"""Changes while a run of a hand is trained: of its lines, of its project, and of the base model."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest

from ketav.registry.v1 import projects_pb2, training_pb2
from ketav_common import rpc
from ketav_common.errors import InvalidInput
from ketav_testing import tiny
from ketav_trainer.domain import Candidate, Claim
from ketav_trainer.registry import RegistryClient
from tests.integration.test_trainer_hands import MOTHER, UNCLE, new_base, set_gap, swept, train, write
from tests.parts.postgres import PostgresServer
from tests.parts.registry import acting, registry_server
from tests.parts.training import training_config
from tests.parts.trainings import Trainings

SUCCEEDED = training_pb2.TRAINING_RUN_STATE_SUCCEEDED
CANCELLED = training_pb2.TRAINING_RUN_STATE_CANCELLED
Change = Callable[[], Awaitable[object]]


class InterruptedRegistry(RegistryClient):
    """Calls a function once between the end of a training and its publication."""

    change: Change | None = None

    async def publish(self, claim: Claim, candidate: Candidate) -> None:
        """Change what the run is about, then publish."""
        if self.change is not None:
            change, self.change = self.change, None
            await change()
        await super().publish(claim, candidate)


@dataclass(frozen=True)
class Interrupted:
    """A registry, a worker, and the client through which a run is interrupted."""

    loop: Trainings
    registry: InterruptedRegistry


@pytest.fixture
async def interrupted(postgres: PostgresServer, tmp_path: Path) -> AsyncIterator[Interrupted]:
    """Run a registry whose base model is an empty table of the tiny engine, and a worker."""
    async with (
        registry_server(postgres, tmp_path, postgres.migrated_database(), base=tiny.save()) as registry,
        rpc.channel(f"unix:{tmp_path}/registry.sock", registry.signer) as channel,
    ):
        client = InterruptedRegistry(channel)
        yield Interrupted(Trainings(registry, client, training_config(tmp_path, heartbeat_s=1)), client)


async def delete_project(loop: Trainings, user_id: UUID, project_id: str) -> None:
    """Delete a project."""
    with acting(user_id), rpc.raise_ketav_errors():
        await loop.registry.projects.DeleteProject(projects_pb2.DeleteProjectRequest(project_id=project_id))


async def move_project(loop: Trainings, user_id: UUID, project_id: str, hand: str) -> None:
    """Set the hand of a project."""
    with acting(user_id), rpc.raise_ketav_errors():
        request = projects_pb2.UpdateProjectRequest(project_id=project_id, hand=hand)
        await loop.registry.projects.UpdateProject(request)


async def test_a_run_whose_only_project_is_deleted_leaves_no_model(interrupted: Interrupted) -> None:
    """The run is cancelled, the candidate is refused, the base serves, and nothing remains on the disk."""
    loop = interrupted.loop
    user_id = await loop.registry.new_user()
    project_id = await write(loop, user_id, MOTHER, 1, 2)
    base = await loop.model(user_id, "Mother")

    async def delete() -> None:
        """Delete the project."""
        await delete_project(loop, user_id, project_id)

    interrupted.registry.change = delete
    run = await train(loop, user_id, "Mother")
    assert run.state == CANCELLED
    assert not run.model_version
    await write(loop, user_id, MOTHER, 3)  # another hand with the same name
    assert await loop.model(user_id, "Mother") == base
    assert not [path for path in loop.config.directory.rglob("*") if path.is_file()]


async def test_a_run_during_which_a_base_model_arrives_is_published_and_followed_by_one_from_it(
    interrupted: Interrupted, tmp_path: Path
) -> None:
    """The candidate descends from the old base and serves until the run from the new base is judged."""
    loop = interrupted.loop
    user_id = await loop.registry.new_user()
    await set_gap(loop, user_id)
    await write(loop, user_id, MOTHER, 1, 2, lines=10)
    bases: list[str] = []

    async def arrive() -> None:
        """Import a new base model."""
        bases.append(await new_base(loop, tmp_path, tiny.save(epoch=1)))

    interrupted.registry.change = arrive
    run = await train(loop, user_id, "Mother")
    assert (run.state, run.new_base) == (SUCCEEDED, ""), run.verdict
    assert (await loop.model(user_id, "Mother")).version == run.model_version
    await write(loop, user_id, MOTHER, 3, lines=8)
    assert [(queued.hand, queued.new_base) for queued in await swept(loop, user_id)] == [("Mother", bases[0])]


async def test_a_run_during_which_its_project_gets_another_hand_gives_that_hand_no_model(
    interrupted: Interrupted,
) -> None:
    """The lines belong to the other hand, which the base still reads and which trains them in its own run."""
    loop = interrupted.loop
    user_id = await loop.registry.new_user()
    remaining = await write(loop, user_id, MOTHER, 1)
    moved = await write(loop, user_id, MOTHER, 2)
    assert remaining != moved
    base = await loop.model(user_id, "Mother")

    async def move() -> None:
        """Set the hand of one of the two projects."""
        await move_project(loop, user_id, moved, "Uncle")

    interrupted.registry.change = move
    run = await train(loop, user_id, "Mother")
    assert run.hand == "Mother"
    assert await loop.model(user_id, "Uncle") == base
    await write(loop, user_id, UNCLE, 3)
    own = await train(loop, user_id, "Uncle")
    assert own.training_lines + own.holdout_lines == 24, own


@pytest.mark.parametrize(
    "name", ["א\u200fב", 'Müller, née "O\'Neill"', "../../etc", "a/b%2Fc", "🖋️ 2", "-1", "null"]
)
async def test_a_hand_may_have_any_name_that_people_write(interrupted: Interrupted, name: str) -> None:
    """It is found by the name as it was sent, and by no other one."""
    loop = interrupted.loop
    user_id = await loop.registry.new_user()
    await write(loop, user_id, type(MOTHER)(name), 1, 2)
    run = await train(loop, user_id, name)
    assert run.hand == name
    assert (await loop.model(user_id, name)).version == run.model_version
    with pytest.raises(InvalidInput, match="no hand named"):
        await loop.model(user_id, f"{name}x")
