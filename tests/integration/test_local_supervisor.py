"""The local supervisor on PostgreSQL and Valkey: starts, restarts, stops, and leaves no process."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest
from sqlalchemy.engine import URL

from ketav_common.readiness import LIVENESS
from ketav_local import pid_file as pid_files
from ketav_local import probes
from ketav_local import supervisor as supervising
from ketav_local.command import point_at_local_stores
from ketav_local.data_directory import DataDirectory, DataDirectoryInUseError, read_env
from ketav_local.errors import StartError
from ketav_local.pid_file import PidFile
from ketav_local.ports import free_ports, is_free
from ketav_local.postgres import OWNER, SERVICE, Postgres, binary
from ketav_local.process import Spec
from ketav_local.settings import LocalSettings
from ketav_local.supervisor import Supervisor
from ketav_local.system import System
from ketav_registry.database import Database, connect
from ketav_registry.database_logins import Logins, database_url, user_database_url
from ketav_registry.migrate import upgrade
from tests.parts.identities import KEYS, PUBLIC_KEYS


def has_ended(pid: int, within_s: float = 15.0) -> bool:
    """Wait for a process to end."""
    deadline = time.monotonic() + within_s
    while psutil.pid_exists(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not psutil.pid_exists(pid)


@contextlib.asynccontextmanager
async def stores(root: Path) -> AsyncIterator[tuple[System, Supervisor]]:
    """Run the two stores of a system on a data directory."""
    data = DataDirectory(root)
    system = System.plan(LocalSettings(data_dir=root), data)
    system.postgres.create()
    specs = [spec for spec in system.specs() if spec.name in {"postgres", "database", "valkey"}]
    with PidFile(root / "processes.json") as pid_file:
        async with Supervisor(specs, data.logs, pid_file, lambda _: None, 60) as supervisor:
            yield system, supervisor


def ask(postgres: Postgres, question: str) -> str:
    """Run one statement as owner of the database and give its answer."""
    command = [
        binary("psql"),
        "-XAtq",
        "-h",
        "127.0.0.1",
        "-p",
        str(postgres.port),
        "-U",
        OWNER,
        "-d",
        "ketav",
    ]
    env = {"PGPASSWORD": postgres.data.secret(OWNER)}
    return subprocess.run(
        [*command, "-c", question], env=env, check=True, capture_output=True, text=True
    ).stdout


async def test_the_stores_start_keep_their_data_over_a_restart_and_leave_no_process(tmp_path: Path) -> None:
    """Data written in the first start is found by the second; every process has ended between them."""
    async with stores(tmp_path) as (system, supervisor):
        assert await system.valkey.ready()
        ask(system.postgres, "create table kept (word text); insert into kept values ('שלום')")
        pids = [process.pid for process in supervisor.processes.values()]
    assert all(has_ended(pid) for pid in pids)
    async with stores(tmp_path) as (system, _):
        assert ask(system.postgres, "select word from kept").strip() == "שלום"


async def test_a_wrong_password_of_postgresql_is_named(tmp_path: Path) -> None:
    """PostgreSQL of `make run` checks passwords; the sentence has none."""
    async with stores(tmp_path) as (system, _):
        for url, wrong in ((system.postgres.url(OWNER), False), (wrong_password(system.postgres), True)):
            engine = connect(url, pool_size=1, statement_timeout_s=5)
            problem = await Database(Logins(engine, engine)).problem()
            await engine.dispose()
            assert ("rejects the role or the password of KETAV_DATABASE_URL" in problem) is wrong
            assert "canary" not in problem


async def test_a_migration_gives_the_login_for_users_a_password_of_its_own(tmp_path: Path) -> None:
    """A system from before this login needs no new secret; neither accepts the password of the other."""
    async with stores(tmp_path) as (system, _):
        service = system.postgres.url(SERVICE)
        urls = user_database_url(service, None), database_url(service)
        await asyncio.to_thread(upgrade, system.postgres.url(OWNER), database_url(service))
        assert "Run `ketav migrate`" in await problem_of(*urls)
        await asyncio.to_thread(upgrade, system.postgres.url(OWNER), *reversed(urls))
        assert await problem_of(*urls) == ""
        exchanged = [url.set(password=other.password) for url, other in (urls, urls[::-1])]
        assert "rejects the role or the password" in await problem_of(urls[0], exchanged[1])
        assert "rejects the role ketav_user" in await problem_of(exchanged[0], urls[1])
        assert "sees the rows of all users" in await problem_of(urls[1], urls[1])


async def problem_of(user: URL, system: URL) -> str:
    """Return what a registry with these logins says to the operator."""
    logins = Logins(*(connect(url, pool_size=1, statement_timeout_s=5) for url in (user, system)))
    database = Database(logins)
    try:
        return await database.problem()
    finally:
        await database.close()


def wrong_password(postgres: Postgres) -> str:
    """Return the owner's URL with another password."""
    return postgres.url(OWNER).replace(postgres.data.secret(OWNER), "canary")


async def test_a_killed_store_comes_back_on_its_port_with_its_data(tmp_path: Path) -> None:
    """SIGKILL of PostgreSQL and of Valkey: both answer again within seconds."""
    async with stores(tmp_path) as (system, supervisor):
        ask(system.postgres, "create table kept (n int); insert into kept values (7)")
        for name, probe in (("postgres", system.postgres.ready), ("valkey", system.valkey.ready)):
            killed = supervisor.processes[name].pid
            psutil.Process(killed).kill()
            assert has_ended(killed)
            async with asyncio.timeout(20):
                while supervisor.processes[name].pid == killed or not await probe():  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
            assert supervisor.restarts[name] >= 1
        assert ask(system.postgres, "select n from kept").strip() == "7"


async def test_a_process_that_cannot_start_ends_the_start_and_what_ran_is_stopped(tmp_path: Path) -> None:
    """The error names the process; its sibling does not stay behind."""
    data = DataDirectory(tmp_path)
    marker = tmp_path / "good.pid"
    write = f"import os, pathlib, time; pathlib.Path({str(marker)!r}).write_text(str(os.getpid()))"
    specs = [
        Spec("good", (sys.executable, "-c", f"{write}; time.sleep(60)"), {}),
        Spec("bad", (sys.executable, "-c", "raise SystemExit(3)"), {}, once=True),
    ]
    with PidFile(tmp_path / "processes.json") as pid_file:
        supervisor = Supervisor(specs, data.logs, pid_file, lambda _: None, 60)
        with pytest.raises(StartError, match="Process bad does not start"):
            await supervisor.__aenter__()
    assert has_ended(int(marker.read_text()), within_s=0)


def test_two_systems_cannot_share_a_data_folder(tmp_path: Path) -> None:
    """The second one is refused with the first one's process id, and may start when the first is gone."""
    data = DataDirectory(tmp_path)
    with data.lock(), pytest.raises(DataDirectoryInUseError, match=r"in use by process \d+"):
        data.lock()
    data.lock().close()


def test_secrets_are_made_once_and_no_other_user_can_read_them(tmp_path: Path) -> None:
    """A second reader finds the same secret; files are 0600 in folders that are 0700."""
    secret = DataDirectory(tmp_path).secret("session")
    DataDirectory(tmp_path).write_env({"KETAV_DATABASE_URL": "postgresql+asyncpg://a:b=c@127.0.0.1:1/x"})
    assert DataDirectory(tmp_path).secret("session") == secret
    assert len(secret) >= 32
    assert (tmp_path / "secrets" / "session").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "env").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    assert read_env(tmp_path) == {"KETAV_DATABASE_URL": "postgresql+asyncpg://a:b=c@127.0.0.1:1/x"}


def test_commands_find_the_local_stores_unless_another_database_is_named(tmp_path: Path) -> None:
    """The environment wins as a whole: a command never mixes two systems."""
    DataDirectory(tmp_path).write_env({"KETAV_DATABASE_URL": "local", "KETAV_BLOB_URL": "file:///local"})
    nothing_named = {"KETAV_DATA_DIR": str(tmp_path)}
    point_at_local_stores(nothing_named)
    assert nothing_named["KETAV_DATABASE_URL"] == "local"
    another = {"KETAV_DATA_DIR": str(tmp_path), "KETAV_DATABASE_URL": "elsewhere"}
    point_at_local_stores(another)
    assert "KETAV_BLOB_URL" not in another


def test_free_ports_are_distinct_and_below_the_range_of_outgoing_connections() -> None:
    """A restarted service finds its port free again."""
    ports = free_ports(8)
    assert len(set(ports)) == 8
    assert all(is_free(port) and port < 32768 for port in ports)


SUPERVISED = """
    import asyncio, os, sys
    from pathlib import Path
    from ketav_local.pid_file import PidFile
    from ketav_local.process import Spec
    from ketav_local.supervisor import Supervisor

    PARENT = (
        "import subprocess, sys, time; "
        "print(subprocess.Popen([sys.executable, '-c', CHILD]).pid, flush=True); time.sleep(90)"
    )
    CHILD = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(90)"
    root = Path(sys.argv[1])

    async def run():
        spec = Spec("parent", (sys.executable, "-c", f"CHILD = {CHILD!r}\\n{PARENT}"), dict(os.environ))
        with PidFile(root / "processes.json") as pid_file:
            async with Supervisor([spec], root, pid_file, lambda _: None, 30) as supervisor:
                print(supervisor.processes["parent"].pid, pid_file.watchdog.pid, flush=True)
                await asyncio.sleep(90)

    asyncio.run(run())
"""


def start_supervised(root: Path) -> tuple[subprocess.Popen[str], list[int]]:
    """Start a supervisor whose one process has a stubborn child; give it and the ids of all below it."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(SUPERVISED), str(root)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    pids = [int(pid) for pid in process.stdout.readline().split()]
    log = root / "parent.log"
    deadline = time.monotonic() + 10
    while not (log.exists() and log.read_text().endswith("\n")) and time.monotonic() < deadline:
        time.sleep(0.05)
    return process, [*pids, int(log.read_text())]


def test_killing_the_supervisor_ends_even_a_stubborn_grandchild(tmp_path: Path) -> None:
    """After kill -9 of the supervisor no process is left, not even one that ignores SIGTERM."""
    process, pids = start_supervised(tmp_path)
    process.kill()
    process.communicate()
    assert [pid for pid in pids if not has_ended(pid)] == []


def test_after_supervisor_and_watchdog_are_killed_the_next_start_ends_the_processes(tmp_path: Path) -> None:
    """The list on disk names what was left; the next start ends it, and a reused id is left alone."""
    process, (parent, watchdog, child) = start_supervised(tmp_path)
    listed = tmp_path / "processes.json"
    psutil.Process(watchdog).send_signal(signal.SIGKILL)
    psutil.Process(parent).send_signal(signal.SIGSTOP)
    process.kill()
    process.communicate()
    listed.write_text(listed.read_text().replace("}", f', "another": [{psutil.Process().pid}, 1.0]}}'))
    assert pid_files.end_left_processes(listed) == ["parent"]
    assert has_ended(parent)
    psutil.Process(child).kill()


async def test_a_process_that_hangs_is_killed_and_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stopped process answers no liveness probe; a worker without a server does not touch its file."""
    monkeypatch.setattr(supervising, "LIVENESS_S", 0.2)
    monkeypatch.setattr(probes, "BEAT_AGE_S", 5.0)
    beat_file = tmp_path / "worker.beat"
    code = f"""
        import time
        from pathlib import Path
        from ketav_common.beats import beating
        with beating(Path({str(beat_file)!r})):
            time.sleep(600)
    """
    command = (sys.executable, "-c", textwrap.dedent(code))
    worker = Spec("worker", command, dict(os.environ), alive=probes.BeatProbe(beat_file), beat_file=beat_file)
    messages: list[str] = []
    with PidFile(tmp_path / "processes.json") as pid_file:
        async with Supervisor([worker], tmp_path, pid_file, messages.append, 30) as supervisor:
            await _until(beat_file.exists)
            await asyncio.sleep(1.5)
            stopped = supervisor.processes["worker"].pid
            os.kill(stopped, signal.SIGSTOP)
            await _until(lambda: supervisor.processes["worker"].pid != stopped)
            assert "worker does not answer; it is killed" in messages
            assert has_ended(stopped)
    assert supervisor.restarts["worker"] == 1


async def test_a_service_whose_event_loop_is_stopped_is_killed_and_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The liveness probe of a gRPC server is answered by its event loop."""
    monkeypatch.setattr(supervising, "LIVENESS_S", 0.2)
    monkeypatch.setattr(probes, "PROBE_TIMEOUT_S", 1.0)
    (port,) = free_ports(1)
    code = f"""
        import asyncio
        from ketav_common import rpc
        from ketav_common.identity import Signer
        signer = Signer({KEYS["registry"]!r}, {PUBLIC_KEYS!r})
        asyncio.run(rpc.serve(lambda _: None, bind="127.0.0.1:{port}", signer=signer, service="a"))
    """
    address = f"127.0.0.1:{port}"
    spec = Spec(
        "server",
        (sys.executable, "-c", textwrap.dedent(code)),
        dict(os.environ),
        ready=probes.GrpcProbe(address),
        alive=probes.GrpcProbe(address, LIVENESS),
    )
    with PidFile(tmp_path / "processes.json") as pid_file:
        async with Supervisor([spec], tmp_path, pid_file, lambda _: None, 60) as supervisor:
            stopped = supervisor.processes["server"].pid
            os.kill(stopped, signal.SIGSTOP)
            await _until(lambda: supervisor.processes["server"].pid != stopped)
            await _until_answered(probes.GrpcProbe(address))


async def _until(condition: Callable[[], bool], polls: int = 600) -> None:
    """Wait until a condition holds; fail after so many polls, 20 of them a second."""
    for _ in range(polls):
        if condition():
            return
        await asyncio.sleep(0.05)
    pytest.fail("the condition never held")


async def _until_answered(probe: probes.GrpcProbe, polls: int = 100) -> None:
    """Wait until a server is ready; fail after so many polls."""
    for _ in range(polls):
        if await probe():
            return
        await asyncio.sleep(0.1)
    pytest.fail("the server never answered")
