"""Hands: each has its own lines, runs and models; what a request says about a hand is checked."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from ketav.page.v1 import page_pb2
from ketav.registry.v1 import models_pb2, next_lines_pb2, pages_pb2, projects_pb2, training_pb2
from ketav_common import rpc
from ketav_common.errors import Conflict, InvalidInput, NotFound, Precondition
from ketav_registry.domain.training import RunState
from ketav_registry.repository import training
from tests.parts.postgres import PostgresServer
from tests.parts.registry import (
    Registry,
    acting,
    claim,
    correct,
    create,
    list_projects,
    publish,
    record,
    registry_server,
    sweep_runs,
)

AUNT, UNCLE = "דודה רחל", "Uncle"
CURSIVE, RASHI = page_pb2.SCRIPT_MODERN_CURSIVE, page_pb2.SCRIPT_RASHI


@pytest.fixture(scope="module")
def database(postgres: PostgresServer) -> str:
    """Return a migrated database for this module."""
    return postgres.migrated_database()


@pytest.fixture
async def registry(postgres: PostgresServer, database: str, tmp_path: Path) -> AsyncIterator[Registry]:
    """Run a registry."""
    async with registry_server(postgres, tmp_path, database) as running:
        yield running


async def write(registry: Registry, user_id: UUID, hand: str, lines: int = 8, **header: Any) -> str:
    """Correct two pages with this many lines each, by a hand; return the id of their project."""
    with acting(user_id):
        first = (await create(registry, hand=hand, **header)).page
        await correct(registry, lines, project_id=first.project_id)
    return first.project_id


async def start(registry: Registry, user_id: UUID, **fields: Any) -> training_pb2.TrainingRun:
    """Queue a run as its user."""
    with acting(user_id), rpc.raise_ketav_errors():
        request = training_pb2.CreateTrainingRunRequest(**fields)
        return (await registry.training.CreateTrainingRun(request)).run


async def train(
    registry: Registry, user_id: UUID, hand: str | None = None, **header: Any
) -> models_pb2.ModelVersion:
    """Queue, claim and publish a run of a hand."""
    run = await start(registry, user_id, hand=hand)
    claimed = await claim(registry, run.run_id)
    return await publish(registry, run.run_id, claimed.fence, **header)


async def serving(registry: Registry, user_id: UUID, hand: str = "") -> str:
    """Return the version that serves a hand."""
    with acting(user_id), rpc.raise_ketav_errors():
        request = models_pb2.GetUserModelRequest(script=CURSIVE, hand=hand)
        return (await registry.models.GetUserModel(request)).model.version


async def delete(registry: Registry, user_id: UUID, project_id: str) -> list[str]:
    """Delete a project; return the versions that it tainted."""
    with acting(user_id), rpc.raise_ketav_errors():
        request = projects_pb2.DeleteProjectRequest(project_id=project_id)
        return list((await registry.projects.DeleteProject(request)).erasure.tainted_versions)


async def versions(registry: Registry, user_id: UUID) -> dict[str, models_pb2.ModelVersion]:
    """Return the versions that a user can see, by name."""
    with acting(user_id), rpc.raise_ketav_errors():
        listed = await registry.models.ListModels(models_pb2.ListModelsRequest(limit=100))
    return {version.model.version: version for version in listed.versions}


async def test_each_hand_is_trained_on_its_lines_and_served_by_its_model(registry: Registry) -> None:
    """Deleting the project of one hand retires its model and no other."""
    user_id = await registry.new_user()
    own_project = await write(registry, user_id, "")
    aunts_project = await write(registry, user_id, AUNT)
    uncles_project = await write(registry, user_id, UNCLE)
    own = (await train(registry, user_id, "")).model.version
    aunts = (await train(registry, user_id, AUNT)).model.version
    uncles = (await train(registry, user_id, UNCLE)).model.version
    for hand, version, project_id in (
        ("", own, own_project),
        (AUNT, aunts, aunts_project),
        (UNCLE, uncles, uncles_project),
    ):
        assert await serving(registry, user_id, hand) == version
        with acting(user_id):
            assert (await create(registry, project_id=project_id)).model.version == version
    listed = await versions(registry, user_id)
    assert {listed[version].hand for version in (own, aunts, uncles)} == {"", AUNT, UNCLE}
    assert {listed[version].state for version in (own, aunts, uncles)} == {models_pb2.MODEL_STATE_ACTIVE}
    assert {listed[version].base_version for version in (own, aunts, uncles)} == {"hebrew_base-1"}
    assert await delete(registry, user_id, aunts_project) == [aunts]
    assert await serving(registry, user_id) == own
    assert await serving(registry, user_id, UNCLE) == uncles
    assert await delete(registry, user_id, own_project) == [own]
    assert await serving(registry, user_id) == "hebrew_base-1"
    assert await serving(registry, user_id, UNCLE) == uncles


async def test_a_run_has_only_the_lines_of_its_hand(registry: Registry) -> None:
    """Also the one that a sweep queues; a user still has one active run."""
    user_id = await registry.new_user()
    await write(registry, user_id, "", 8)
    await write(registry, user_id, AUNT, 10)
    first = await start(registry, user_id)
    assert (first.hand, first.training_lines + first.holdout_lines) == (AUNT, 20)
    with pytest.raises(Conflict, match="has not ended"):
        await start(registry, user_id, hand="")
    await publish(registry, first.run_id, (await claim(registry, first.run_id)).fence)
    with acting(user_id):
        policy = training_pb2.TrainingPolicy(automatic=True, minimum_gap_seconds=0)
        await registry.training.SetTrainingPolicy(training_pb2.SetTrainingPolicyRequest(policy=policy))
    queued = await sweep_runs(registry)
    async with registry.stores.database.system() as transaction:
        runs = await training.list_runs(transaction, user_id, RunState.QUEUED, 10)
    assert [(run.hand.name, run.training_lines + run.holdout_lines) for run in runs] == [("", 16)]
    assert {str(run.run_id) for run in runs} <= queued


async def test_readiness_progress_and_next_lines_know_hands(registry: Registry) -> None:
    """A hand that is named alone is shown alone; the lines of others do not count for it."""
    user_id = await registry.new_user()
    await write(registry, user_id, "", 8)
    project_id = await write(registry, user_id, AUNT, 3)
    with acting(user_id), rpc.raise_ketav_errors():
        ready = await registry.training.GetReadiness(training_pb2.GetReadinessRequest())
        assert [(item.hand, item.verified_lines) for item in ready.scripts] == [("", 16), (AUNT, 6)]
        assert "the hand 'דודה רחל' has 6" in ready.scripts[1].reason
        alone = await registry.training.GetReadiness(training_pb2.GetReadinessRequest(hand=AUNT))
        assert [item.hand for item in alone.scripts] == [AUNT]
        progress = await registry.models.ListModelProgress(models_pb2.ListModelProgressRequest(hand=AUNT))
        assert {page.hand for page in progress.pages} == {AUNT}
        assert [(total.hand, total.errors.lines) for total in progress.versions] == [(AUNT, 6)]
        own = await registry.models.ListModelProgress(models_pb2.ListModelProgressRequest(hand=""))
        assert [(total.hand, total.errors.lines) for total in own.versions] == [("", 16)]
        other = (await create(registry, hand="Nobody yet")).page
        await record(registry, other, "שורה 0")
        for own_texts_known, project in ((True, project_id), (False, other.project_id)):
            page = (await create(registry, project_id=project)).page
            await record(registry, page, "שורה 0")
            request = next_lines_pb2.ListNextLinesRequest(project_id=project, limit=100)
            lines = (await registry.next_lines.ListNextLines(request)).lines
            assert (lines[0].novelty < 1) is own_texts_known
    with acting(user_id), pytest.raises(InvalidInput, match="no hand named"), rpc.raise_ketav_errors():
        await registry.training.GetReadiness(training_pb2.GetReadinessRequest(hand="Nobody"))
    with acting(user_id), pytest.raises(InvalidInput), rpc.raise_ketav_errors():
        await registry.models.ListModelProgress(models_pb2.ListModelProgressRequest(hand="Nobody"))


async def test_a_hand_has_one_script(registry: Registry) -> None:
    """A project of another script is refused; without a script it has that of its hand."""
    user_id = await registry.new_user()
    with acting(user_id):
        first = (await create(registry, hand=UNCLE, script=RASHI)).page
        await create(registry, hand=UNCLE)
        listed = (await list_projects(registry)).projects
        assert [(project.hand, project.script) for project in listed] == [(UNCLE, RASHI)] * 2
        with pytest.raises(InvalidInput, match="A hand has one script") as refused:
            await create(registry, hand=UNCLE, script=CURSIVE)
        assert refused.value.code == "hand-script"
        with pytest.raises(InvalidInput, match="not to 'Another'") as refused:
            await create(registry, hand="Another", project_id=first.project_id)
        assert refused.value.code == "hand-mismatch"
        await create(registry, hand=UNCLE, project_id=first.project_id)
        assert len((await list_projects(registry)).projects) == 2
    with pytest.raises(InvalidInput) as refused:
        await start(registry, user_id, hand="Another")
    assert refused.value.code == "unknown-hand"


async def test_the_own_model_serves_another_hand_where_it_was_better_than_the_base(
    registry: Registry,
) -> None:
    """Until that hand has a model of its own; the deletion of its lines returns the hand to the base."""
    user_id = await registry.new_user()
    own_project = await write(registry, user_id, "")
    await write(registry, user_id, AUNT)
    own = (await train(registry, user_id, "")).model.version
    assert await serving(registry, user_id, AUNT) == "hebrew_base-1"
    run = await start(registry, user_id, hand=AUNT)
    claimed = await claim(registry, run.run_id)
    assert (claimed.parent.version, claimed.serving.version, claimed.own.version) == (
        "hebrew_base-1",
        "hebrew_base-1",
        own,
    )
    await publish(registry, run.run_id, claimed.fence, promote=False, serving_version=own)
    assert await serving(registry, user_id, AUNT) == own
    promoted = await train(registry, user_id, AUNT)
    assert promoted.parent_version == "hebrew_base-1"
    assert await serving(registry, user_id, AUNT) == promoted.model.version
    assert (await claim(registry, (await start(registry, user_id, hand=AUNT)).run_id)).own.version == ""
    await write(registry, user_id, UNCLE)
    assert await delete(registry, user_id, own_project) == [own]
    assert await serving(registry, user_id, AUNT) == promoted.model.version


async def test_a_lent_model_that_is_tainted_returns_the_hand_to_the_base(registry: Registry) -> None:
    """Not to an older version of the user's own hand, which was not measured on these lines."""
    user_id = await registry.new_user()
    first_project = await write(registry, user_id, "")
    await train(registry, user_id, "")
    await delete(registry, user_id, first_project)
    own_project = await write(registry, user_id, "")
    await write(registry, user_id, AUNT)
    older = (await train(registry, user_id, "")).model.version
    await write(registry, user_id, "", 4)
    own = (await train(registry, user_id, "")).model.version
    assert own != older
    await train(registry, user_id, AUNT, promote=False, serving_version=own)
    assert await serving(registry, user_id, AUNT) == own
    assert own in await delete(registry, user_id, own_project)
    assert await serving(registry, user_id, AUNT) == "hebrew_base-1"


async def test_a_version_is_activated_for_its_hand_alone(registry: Registry) -> None:
    """A base for the hand that is named; a version of another hand is refused."""
    user_id = await registry.new_user()
    await write(registry, user_id, "")
    await write(registry, user_id, AUNT)
    own_version = (await train(registry, user_id, "")).model.version
    aunts = (await train(registry, user_id, AUNT)).model.version

    async def activate(version: str, **fields: Any) -> models_pb2.ModelVersion:
        """Activate a version as the user."""
        with acting(user_id), rpc.raise_ketav_errors():
            request = models_pb2.ActivateModelRequest(version=version, **fields)
            return (await registry.models.ActivateModel(request)).version

    await activate("hebrew_base-1", hand=AUNT)
    assert await serving(registry, user_id, AUNT) == "hebrew_base-1"
    assert await serving(registry, user_id) == own_version
    await activate(aunts)
    assert await serving(registry, user_id, AUNT) == aunts
    for fields in ({"version": own_version, "hand": AUNT}, {"version": aunts, "hand": ""}):
        with pytest.raises(Precondition) as refused:
            await activate(**fields)
        assert refused.value.code == "hand-mismatch"
    await activate("hebrew_base-1")
    assert await serving(registry, user_id) == "hebrew_base-1"
    assert await serving(registry, user_id, AUNT) == aunts


async def test_the_name_of_a_hand_is_deleted_with_its_last_project(registry: Registry) -> None:
    """The same name makes another hand afterwards, in any script."""
    user_id = await registry.new_user()
    one, two = [await write(registry, user_id, AUNT) for _ in range(2)]
    version = (await train(registry, user_id, AUNT)).model.version
    await delete(registry, user_id, one)
    assert (await versions(registry, user_id))[version].hand == AUNT
    await delete(registry, user_id, two)
    assert (await versions(registry, user_id))[version].hand.startswith("deleted-")
    with acting(user_id):
        page: pages_pb2.Page = (await create(registry, hand=AUNT, script=RASHI)).page
        assert (await list_projects(registry)).projects[0].project_id == page.project_id


async def test_the_name_of_a_hand_is_deleted_when_its_last_project_gets_another_hand(
    registry: Registry,
) -> None:
    """PATCH moves the project; the version that the hand had keeps no name."""
    user_id = await registry.new_user()
    project_id = await write(registry, user_id, AUNT)
    version = (await train(registry, user_id, AUNT)).model.version
    with acting(user_id):
        await registry.projects.UpdateProject(
            projects_pb2.UpdateProjectRequest(project_id=project_id, hand="")
        )
    assert (await versions(registry, user_id))[version].hand.startswith("deleted-")


async def test_rows_of_older_code_get_hand_and_base_and_never_serve_the_own_hand(
    registry: Registry, postgres: PostgresServer, database: str
) -> None:
    """The triggers of the migration, for processes that run together with newer ones during an upgrade."""
    user_id = await registry.new_user()
    await write(registry, user_id, AUNT)
    run = await start(registry, user_id, hand=AUNT)
    await claim(registry, run.run_id)
    with acting(user_id):
        model = (await create(registry)).model
    assert model.version == "hebrew_base-1"
    insert = (
        "INSERT INTO model_version (version, user_id, script, name, sha256, size_bytes, state, "
        "parent_version, run_id) "
        "VALUES ('old', $1, 'modern_cursive', 'user', '\\x00', 1, 'available', 'hebrew_base-1', $2)"
    )
    activate = (
        "INSERT INTO active_model (user_id, script, version, generation) "
        "VALUES ($1, 'modern_cursive', 'old', 1)"
    )
    postgres.execute(insert, database, user_id, UUID(run.run_id))
    postgres.execute(activate, database, user_id)
    assert (await versions(registry, user_id))["old"].hand == AUNT
    assert (await versions(registry, user_id))["old"].base_version == "hebrew_base-1"
    assert await serving(registry, user_id) == "hebrew_base-1"


async def test_a_renamed_hand_keeps_its_projects_runs_and_models(registry: Registry) -> None:
    """All have the new name; a name in use, an unknown one and one without projects are refused."""
    user_id = await registry.new_user()
    project_id = await write(registry, user_id, AUNT)
    await write(registry, user_id, UNCLE)
    version = (await train(registry, user_id, AUNT)).model.version
    stranger = await registry.new_user()

    async def rename(user: UUID, name: str, new_name: str) -> str:
        """Rename a hand as a user."""
        request = projects_pb2.RenameHandRequest(name=name, new_name=new_name)
        with acting(user), rpc.raise_ketav_errors():
            return (await registry.projects.RenameHand(request)).name

    assert await rename(user_id, AUNT, "  דודה מרים ") == "דודה מרים"
    assert await serving(registry, user_id, "דודה מרים") == version
    with acting(user_id):
        projects = {item.project_id: item.hand for item in (await list_projects(registry)).projects}
    assert projects[project_id] == "דודה מרים"
    assert await rename(user_id, "דודה מרים", "דודה מרים") == "דודה מרים"
    for user, name in ((user_id, AUNT), (user_id, ""), (user_id, "a\0"), (stranger, UNCLE)):
        with pytest.raises(NotFound):
            await rename(user, name, "new")
    with pytest.raises(Conflict) as error:
        await rename(user_id, UNCLE, "דודה מרים")
    assert error.value.code == "hand-name-taken"
    with pytest.raises(InvalidInput):
        await rename(user_id, UNCLE, " ")
