"""Training runs: list, cancel, retry."""

from typing import Annotated
from uuid import UUID

import typer

from ketav_registry.admin.session import Json, run, show
from ketav_registry.domain.training import RunState, TrainingRun
from ketav_registry.stores import Stores
from ketav_registry.usecases import accounts, training_operations

app = typer.Typer(no_args_is_help=True, help="Manage training runs.")
_DEFAULT_LIMIT = 50
_MAX_LIMIT = 1_000


@app.command("list")
def list_runs(
    user: Annotated[str | None, typer.Option(help="Name or id of a user; without it, all users.")] = None,
    state: Annotated[RunState | None, typer.Option(help="Only runs in this state.")] = None,
    limit: Annotated[
        int, typer.Option(min=1, max=_MAX_LIMIT, help="Maximum number of runs.")
    ] = _DEFAULT_LIMIT,
    as_json: Json = False,
) -> None:
    """List training runs, newest first."""

    async def work(stores: Stores) -> list[TrainingRun]:
        """Find the user and list the runs."""
        owner = None if user is None else await accounts.find_user(user, stores=stores)
        return await training_operations.list_runs(
            owner.user_id if owner else None, state, limit, stores=stores
        )

    show([_row(training_run) for training_run in run(work)], as_json=as_json)


def _row(training_run: TrainingRun) -> dict[str, object]:
    """Return a run as a row of the table."""
    return {
        "run_id": training_run.run_id,
        "user_id": training_run.user_id,
        "script": training_run.script,
        "hand": training_run.hand.name,
        "new_base": training_run.new_base,
        "state": training_run.state,
        "epoch": f"{training_run.epoch}/{training_run.epochs}",
        "attempts": training_run.attempts,
        "cer_before": training_run.cer_base,
        "cer_after": training_run.cer_candidate,
        "created": training_run.create_time,
        "updated": training_run.update_time,
        "verdict": training_run.verdict,
    }


@app.command("cancel")
def cancel_run(run_id: UUID) -> None:
    """Cancel a run: a queued one ends at once, a running one at its worker's next report."""
    cancelled = run(lambda stores: training_operations.cancel_run(run_id, stores=stores))
    if cancelled.state is RunState.CANCELLED:
        typer.echo(f"The training run {run_id} is cancelled.")
    else:
        typer.echo(f"The training run {run_id} ends at the next report of its worker.")


@app.command("retry")
def retry_run(run_id: UUID) -> None:
    """Queue a new run for the user and hand of a run that has ended; print its id."""
    queued = run(lambda stores: training_operations.retry_run(run_id, stores=stores))
    typer.echo(queued.run_id)
