"""The folders of the base-model tool: none is outside the repository unless a variable names it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ketav_basemodel.paths import BENCH_VARIABLE, MATERIAL, WORK, NoBenchDataError, bench_data


def test_the_folders_of_the_tool_are_within_the_repository_by_default() -> None:
    """Material and work are below var/, which git ignores."""
    if {"KETAV_BASEMODEL_DATA", "KETAV_BASEMODEL_WORK"} & os.environ.keys():
        pytest.skip("the environment sets the folders")
    assert (Path("var/data"), Path("var/basemodel")) == (MATERIAL, WORK)


def test_the_bench_data_is_the_folder_that_the_variable_names(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A folder is returned; an unset variable and a missing folder are errors that name the variable."""
    monkeypatch.setenv(BENCH_VARIABLE, str(tmp_path))
    assert bench_data() == tmp_path
    monkeypatch.setenv(BENCH_VARIABLE, str(tmp_path / "none"))
    with pytest.raises(NoBenchDataError, match="KETAV_BENCH_DATA names no folder"):
        bench_data()
    monkeypatch.delenv(BENCH_VARIABLE)
    with pytest.raises(NoBenchDataError, match="KETAV_BENCH_DATA is not set"):
        bench_data()


@pytest.mark.kraken
@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("ketav_basemodel.bench.decoding",), 0),
        (("bench.next_lines",), 0),
        (("ketav_basemodel", "evaluate"), 1),
    ],
)
def test_without_bench_data_a_benchmark_is_skipped_and_a_command_fails(
    arguments: tuple[str, ...], status: int
) -> None:
    """Both print what to set."""
    environment = {name: value for name, value in os.environ.items() if name != BENCH_VARIABLE}
    ran = subprocess.run(
        [sys.executable, "-m", *arguments], env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == status
    assert "Skipped: KETAV_BENCH_DATA is not set." in ran.stdout + ran.stderr
