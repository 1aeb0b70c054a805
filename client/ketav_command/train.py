"""`ketav train`: start a training run and follow it to its verdict."""

from typing import Annotated

import typer

from ketav_client import Ketav
from ketav_client.client import FINAL_STATES
from ketav_client.generated.models import StartTrainingRequest, TrainingRun
from ketav_client.generated.types import UNSET
from ketav_command.connect import connected
from ketav_command.output import ExitStatus, lines, progress_bar, say


def train(
    hand: Annotated[str | None, typer.Option(help="Name of the hand to train.")] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Show the progress to the verdict.")] = False,
    run: Annotated[str | None, typer.Option(help="Follow this run instead of starting one.")] = None,
) -> None:
    """Train your model on your corrections; it also trains by itself when there are enough."""
    with connected() as client:
        run_id = run or client.start_training(body=StartTrainingRequest(hand) if hand else UNSET).run_id
        lines([run_id])
        if follow or run:
            try:
                raise typer.Exit(_follow(client, run_id))
            except KeyboardInterrupt:
                say(f"The run continues on the server. Follow it again with `ketav train --run {run_id}`.")
                raise typer.Exit(ExitStatus.INTERRUPTED) from None


def _follow(client: Ketav, run_id: str) -> ExitStatus:
    """Show a run at each change until its end; a rejected candidate is a result, a failed run is not."""
    with progress_bar() as progress:
        task = progress.add_task("queued", total=None)
        for changed in client.follow(run_id):
            progress.update(
                task, description=_described(changed), completed=changed.epoch, total=changed.epochs
            )
            final = changed
    say(final.verdict or final.state)
    if final.cer_base is not None and final.cer_candidate is not None:
        say(f"CER before {final.cer_base:.1%}, after {final.cer_candidate:.1%}.")
    return ExitStatus.DONE if final.state in {"succeeded", "rejected"} else ExitStatus.REFUSED


def _described(run: TrainingRun) -> str:
    """Return the state of a run in words, with the time that it still takes while it is known."""
    if run.state in FINAL_STATES or run.remaining_seconds is None:
        return run.state
    return f"{run.state}, {run.remaining_seconds} s left"
