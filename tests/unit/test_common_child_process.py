"""Child processes: frames go both ways, limits hold, and every end of a child is reported."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from ketav_common import child_channel
from ketav_common.child_channel import BadFrameError, Frame
from ketav_common.child_process import ChildDiedError, ChildLimits, ChildProcess

AUTOGROUP = Path("/proc/self/autogroup")
PRIORITY = f"""
import os
from ketav_common.child_main import lower_priority
lower_priority(7)
print(os.nice(0), os.getsid(0) == os.getpid())
print(open({str(AUTOGROUP)!r}).read().split()[-1] if os.path.exists({str(AUTOGROUP)!r}) else "none")
"""
ECHO = """
    while True:
        frame = channel.receive()
        print("a library prints this")
        channel.send({"message": frame.message, "setup": channel.setup, "pid": os.getpid()}, frame.payload)
"""
Module = Callable[[str], str]


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Module:
    """Return a function that writes a child's module and returns its name."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def write(body: str) -> str:
        """Write a module whose `serve` has this body."""
        source = "import os, sys, time, resource\nfrom ketav_common.child_main import run\n"
        source += "def serve(channel):\n" + textwrap.indent(textwrap.dedent(body), "    ")
        (tmp_path / "child_of_a_test.py").write_text(source + "\nrun(serve)\n", "utf-8")
        return "child_of_a_test"

    return write


async def test_frames_travel_both_ways_whatever_the_child_prints(module: Module) -> None:
    """A JSON object and bytes; also more bytes than a socket's buffer takes."""
    child = await ChildProcess.start(module(ECHO), ChildLimits(), setup={"name": "כתב"})
    try:
        for payload in (b"", b"\x00\xff" * 10, bytes(8 * 1024 * 1024)):
            answer = await child.ask({"n": 1.5}, payload, seconds=20)
            assert answer.payload == payload
            assert answer.message == {"message": {"n": 1.5}, "setup": {"name": "כתב"}, "pid": child.pid}
    finally:
        await child.end()
    assert not child.alive


@pytest.mark.parametrize(
    ("body", "status", "out_of_memory"),
    [
        ("os._exit(3)", 3, False),
        ("os.kill(os.getpid(), 9)", -9, False),
        ("raise MemoryError", child_channel.OUT_OF_MEMORY, True),
        ("raise ValueError('whatever')", 1, False),
        ("return", 0, False),
    ],
)
async def test_the_end_of_a_child_is_reported_with_its_status(
    module: Module, body: str, status: int, out_of_memory: bool
) -> None:
    """An exit, a signal, memory that ran out, a defect, a return without an answer."""
    child = await ChildProcess.start(module(body), ChildLimits(), quiet=True)
    with pytest.raises(ChildDiedError) as caught:
        await child.ask({}, seconds=20)
    assert (caught.value.status, caught.value.out_of_memory) == (status, out_of_memory)
    assert caught.value.killed == (status < 0)
    assert not child.alive


async def test_a_child_that_takes_too_long_is_ended(module: Module) -> None:
    """The deadline is the parent's; the process is gone when the error arrives."""
    child = await ChildProcess.start(module("time.sleep(60)"), ChildLimits())
    with pytest.raises(ChildDiedError, match="no answer within"):
        await child.ask({}, seconds=0.5)
    assert not psutil.pid_exists(child.pid)


@pytest.mark.parametrize(
    "content", [b"\xff" * 8, b"\x00\x00\x00\x02\x00\x00\x00\x00[]", b"\x00\x00\x00\x01\x00\x00\x00\x00{"]
)
async def test_a_child_that_sends_no_frame_is_ended(module: Module, content: bytes) -> None:
    """Lengths of gigabytes are not allocated, and other JSON than an object is no message."""
    child = await ChildProcess.start(
        module(f"channel._connection.sendall({content!r}); time.sleep(60)"), ChildLimits()
    )
    with pytest.raises(ChildDiedError):
        await child.receive()
    assert not child.alive


async def test_the_limits_hold_in_the_child_and_not_here(module: Module) -> None:
    """Address space, data, file size, processor time and core files."""
    names = ("RLIMIT_AS", "RLIMIT_DATA", "RLIMIT_FSIZE", "RLIMIT_CPU", "RLIMIT_CORE")
    limits = ChildLimits(
        memory_bytes=900 << 20, data_bytes=800 << 20, file_bytes=1 << 20, request_cpu_seconds=7
    )
    body = f"channel.send({{n: resource.getrlimit(getattr(resource, n))[0] for n in {names!r}}})"
    child = await ChildProcess.start(module(body), limits)
    seen = (await child.receive()).message
    await child.end()
    assert seen["RLIMIT_AS"] == 900 << 20
    assert (seen["RLIMIT_DATA"], seen["RLIMIT_FSIZE"]) == (800 << 20, 1 << 20)
    assert 7 <= seen["RLIMIT_CPU"] <= 9
    assert seen["RLIMIT_CORE"] == 0


async def test_a_request_that_uses_too_much_processor_time_ends_the_child(module: Module) -> None:
    """The limit counts from the request's arrival: many short requests are answered."""
    body = """
    while True:
        frame = channel.receive()
        end = time.process_time() + frame.message["seconds"]
        while time.process_time() < end:
            pass
        channel.send({})
    """
    child = await ChildProcess.start(module(body), ChildLimits(request_cpu_seconds=1))
    for _ in range(6):
        await child.ask({"seconds": 0.5}, seconds=20)
    with pytest.raises(ChildDiedError) as caught:
        await child.ask({"seconds": 30}, seconds=20)
    assert caught.value.status == -signal.SIGXCPU


async def test_a_child_inherits_no_secret_and_ignores_the_signals_of_a_stop(
    module: Module, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its parent decides when it ends."""
    monkeypatch.setenv("KETAV_IDENTITY_KEY", "s" * 40)
    child = await ChildProcess.start(module(ECHO), ChildLimits(), environment={"EXTRA": "1"})
    await child.ask({}, seconds=20)
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(child.pid, number)
    await child.ask({}, seconds=20)
    environment = psutil.Process(child.pid).environ()
    await child.end()
    assert not [name for name in environment if name.startswith("KETAV_")]
    assert (environment["OMP_NUM_THREADS"], environment["EXTRA"]) == ("1", "1")


async def test_a_child_ends_when_its_parent_is_killed(module: Module, tmp_path: Path) -> None:
    """Within about a second, although it works and reads nothing."""
    name, file = (
        module("open(channel.setup['file'], 'w').write(str(os.getpid())); time.sleep(60)"),
        tmp_path / "pid",
    )
    program = f"""
import asyncio
from ketav_common.child_process import ChildLimits, ChildProcess
async def main():
    await ChildProcess.start({name!r}, ChildLimits(), setup={{"file": {str(file)!r}}})
    await asyncio.sleep(60)
asyncio.run(main())
"""
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
    async with asyncio.timeout(20):
        while not (file.exists() and file.read_text("ascii")):  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.05)
    parent.kill()
    await parent.wait()
    child = psutil.Process(int(file.read_text("ascii")))
    assert psutil.wait_procs([child], timeout=10)[1] == []


async def test_a_cancelled_start_leaves_no_process(module: Module) -> None:
    """Whenever the caller is cancelled while the child is being started."""
    name = module(ECHO)
    for pause in (0, 0.001, 0.01, 0.05):
        starting = asyncio.create_task(ChildProcess.start(name, ChildLimits()))
        await asyncio.sleep(pause)
        starting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await (await starting).end()
    async with asyncio.timeout(10):
        while children_of_this_process():  # noqa: ASYNC110 - processes end by themselves
            await asyncio.sleep(0.05)


def children_of_this_process() -> list[psutil.Process]:
    """Return the tests' children that run."""
    return [
        child
        for child in psutil.Process().children()
        if child.status() != psutil.STATUS_ZOMBIE and "child_of_a_test" in child.cmdline()
    ]


def test_a_frame_survives_its_encoding() -> None:
    """Lengths, JSON, and what is refused before anything is allocated."""
    frame = Frame({"a": [1, "ש"]}, b"payload")
    encoded = child_channel.encode(frame)
    head, message = encoded[: child_channel.LENGTHS.size], encoded[child_channel.LENGTHS.size :]
    assert child_channel.decode_lengths(head) == (len(message), 7)
    assert child_channel.decode(message, b"payload") == frame
    with pytest.raises(BadFrameError):
        child_channel.decode_lengths(child_channel.LENGTHS.pack(child_channel.MAX_PART_BYTES + 1, 0))


def lower_priority(*, leader: bool = False) -> list[str]:
    """Lower a process's priority; return its niceness, whether it leads a session, the session's niceness."""
    done = subprocess.run(
        [sys.executable, "-c", PRIORITY], capture_output=True, text=True, check=True, start_new_session=leader
    )
    return done.stdout.split()


@pytest.mark.skipif(not AUTOGROUP.exists(), reason="this kernel does not share the processor by session")
def test_a_process_of_lower_priority_begins_a_session_of_its_own_and_makes_it_nice() -> None:
    """Niceness alone means nothing between sessions; a session's niceness is never lowered."""
    own_niceness = int(AUTOGROUP.read_text("ascii").rpartition(" ")[2] or 0)
    assert lower_priority()[1:] == ["True", str(max(7, own_niceness))]


def test_a_process_below_an_init_without_a_session_lowers_its_priority_too(tmp_path: Path) -> None:
    """The kernel names no session then: the file is empty."""
    nameless = tmp_path / "autogroup"
    nameless.touch()
    code = f"""
from pathlib import Path
from ketav_common import child_main
child_main._SESSION_NICENESS = Path({str(nameless)!r})
child_main.lower_priority(7)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    assert nameless.read_text("ascii") == "7"


def test_a_process_that_leads_its_group_becomes_nice_in_its_session() -> None:
    """It cannot leave its session, and does not fail for that."""
    assert lower_priority(leader=True)[:2] == [str(min(19, os.nice(0) + 7)), "True"]
