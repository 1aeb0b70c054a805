"""Messages, results, progress and exit status of the commands."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from enum import IntEnum

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeRemainingColumn,
)


class ExitStatus(IntEnum):
    """Exit status of `ketav`."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    UNAVAILABLE = 3
    INTERRUPTED = 130


console = Console(stderr=True, highlight=False, soft_wrap=True)
"""Progress and messages go to stderr, results to stdout."""


def fail(message: object, status: ExitStatus) -> ExitStatus:
    """Print the sentences of an error and return the exit status."""
    console.print(f"ketav: {message}", markup=False)
    return status


def say(message: str) -> None:
    """Print a line about what was done."""
    console.print(message, markup=False)


def lines(texts: Iterable[str]) -> None:
    """Print results on stdout, in logical order."""
    for text in texts:
        sys.stdout.write(f"{text}\n")


def progress_bar() -> AbstractContextManager[Progress]:
    """Draw a progress bar while a block runs; nothing is drawn where stderr is no terminal."""
    return drawn(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )


@contextmanager
def drawn(*columns: ProgressColumn) -> Iterator[Progress]:
    """Draw progress in columns while a block runs; nothing is drawn where stderr is no terminal."""
    progress = Progress(*columns, console=console)
    with progress if console.is_terminal else nullcontext():
        yield progress
