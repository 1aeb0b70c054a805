"""A process that gives way lets everything else on the machine go first."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

AUTOGROUP = Path("/proc/self/autogroup")
CHILD = f"""
import os
from ketav_common.processes import give_way
give_way(7)
print(os.nice(0), os.getsid(0) == os.getpid())
print(open({str(AUTOGROUP)!r}).read().split()[-1] if os.path.exists({str(AUTOGROUP)!r}) else "none")
"""


def child(*, leader: bool = False) -> list[str]:
    """Give way in a process; return its niceness, whether it leads a session, the session's niceness."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD], capture_output=True, text=True, check=True, start_new_session=leader
    )
    return done.stdout.split()


@pytest.mark.skipif(not AUTOGROUP.exists(), reason="this kernel does not share the processor by session")
def test_a_process_that_gives_way_takes_a_session_of_its_own_and_makes_that_nice() -> None:
    """Niceness alone means nothing between sessions; never does giving way raise a session's rank."""
    mine = int(AUTOGROUP.read_text("ascii").rpartition(" ")[2] or 0)
    assert child()[1:] == ["True", str(max(7, mine))]


def test_a_process_below_an_init_without_a_session_gives_way_too(tmp_path: Path) -> None:
    """The kernel names no session then: what is read of it is empty."""
    nameless = tmp_path / "autogroup"
    nameless.touch()
    code = f"""
from pathlib import Path
from ketav_common import processes
processes._SESSION_NICENESS = Path({str(nameless)!r})
processes.give_way(7)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    assert nameless.read_text("ascii") == "7"


def test_a_process_that_leads_its_group_becomes_nice_where_it_is() -> None:
    """It cannot leave its session, and does not fail for that."""
    assert child(leader=True)[:2] == [str(min(19, os.nice(0) + 7)), "True"]
