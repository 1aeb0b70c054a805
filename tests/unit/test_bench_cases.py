"""The runner of cases from practice counts what a case prints, and passes no case that failed to run."""

import os
from pathlib import Path

import pytest

from bench.cases import Result, run_case


def case(folder: Path, program: str) -> Path:
    """Write a case; return its script."""
    script = folder / "07-light-on-dark" / "case.py"
    script.parent.mkdir()
    script.write_text(program)
    return script


def test_a_case_passes_when_each_of_its_results_does(tmp_path: Path) -> None:
    """Other lines that it prints do not count; it gets the address and the key by its environment."""
    script = case(
        tmp_path, "import os; print('import: 0'); print('PASS', os.environ['KETAV_URL']); print('PASS 2')"
    )
    result = run_case(script, {**os.environ, "KETAV_URL": "http://here"})
    assert result == Result("07-light-on-dark", ("PASS http://here", "PASS 2"))
    assert result.report() == "PASS  07-light-on-dark: 2 of 2"


@pytest.mark.parametrize(
    ("program", "error"),
    [
        ("print('PASS'); print('FAIL 8 lines')", ""),
        ("print('PASS'); raise ValueError('no key')", "It ended with status 1: ValueError: no key"),
        ("print('nothing')", "It printed no result."),
        ("import time; time.sleep(30)", "It took more than 1 s."),
    ],
)
def test_a_case_that_fails_or_does_not_run_to_its_end_does_not_pass(
    tmp_path: Path, program: str, error: str
) -> None:
    """The report has the failed result or the error."""
    result = run_case(case(tmp_path, program), dict(os.environ), limit_s=1)
    assert not result.passed
    assert result.error == error
    assert result.report().startswith("FAIL  07-light-on-dark:")
    assert result.report().splitlines()[-1].strip() == (error or "FAIL 8 lines")
