"""The processes of the local system, with their environments and the processes that they need."""

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

from ketav_common.identity_keys import Service, private_key, public_text
from ketav_common.readiness import LIVENESS
from ketav_local.data_directory import DataDirectory
from ketav_local.ports import free_ports
from ketav_local.postgres import OWNER, SERVICE, Postgres
from ketav_local.probes import BeatProbe, GrpcProbe, HttpProbe
from ketav_local.process import Spec
from ketav_local.settings import LocalSettings
from ketav_local.valkey import Valkey

CREDENTIALS = (
    *("KETAV_DATABASE_URL", "KETAV_USER_DATABASE_URL", "KETAV_MIGRATION_DATABASE_URL"),
    *("KETAV_REDIS_URL", "KETAV_BLOB_URL"),
)
"""Variables that only the processes that need them get."""
BASE_MODEL = "hebrew_base.safetensors"
SHIPPED_FILES = {
    "KETAV_LANGUAGE_MODEL": "hebrew_lm.npz",
    "KETAV_REPLAY_LINES": "replay_lines.npz",
    "KETAV_GENERAL_LINES": "general_lines.npz",
}


MEASURED = ("gateway", "registry", "recognizer", "trainer", "worker", "recognizer-worker")
"""Processes with metrics, in the order of their ports."""


def python(*arguments: str) -> tuple[str, ...]:
    """Return a command of this interpreter."""
    return (sys.executable, *arguments)


@dataclass(frozen=True)
class System:
    """One local system: its settings, its data directory, and the ports it listens on."""

    settings: LocalSettings
    data: DataDirectory
    postgres: Postgres
    valkey: Valkey
    addresses: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def plan(cls, settings: LocalSettings, data: DataDirectory) -> "System":
        """Choose free ports for everything but the gateway."""
        ports = free_ports(5)
        services = ("registry", "recognizer", "trainer")
        addresses = {name: f"127.0.0.1:{port}" for name, port in zip(services, ports[2:], strict=True)}
        return cls(settings, data, Postgres(data, ports[0]), Valkey(data, ports[1]), addresses)

    @property
    def url(self) -> str:
        """Return the gateway's URL."""
        return f"http://127.0.0.1:{self.settings.port}"

    def base_env(self) -> dict[str, str]:
        """Return the environment that all processes share: the caller's without the credentials."""
        inherited = {name: value for name, value in os.environ.items() if name not in CREDENTIALS}
        threads = {name: inherited.get(name, "1") for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
        return {**inherited, **threads, "PYTHONUNBUFFERED": "1", "PYTHONFAULTHANDLER": "1"}

    def store_env(self) -> dict[str, str]:
        """Return the stores' URLs: those of the settings, or those of the stores started here."""
        settings = self.settings
        urls = {
            "KETAV_DATABASE_URL": settings.database_url or self.postgres.url(SERVICE),
            "KETAV_MIGRATION_DATABASE_URL": settings.migration_database_url or self.postgres.url(OWNER),
            "KETAV_REDIS_URL": settings.redis_url or self.valkey.url,
            "KETAV_BLOB_URL": settings.blob_url or f"file://{self.data.subdirectory('blobs')}",
        }
        if settings.user_database_url is not None:
            urls["KETAV_USER_DATABASE_URL"] = settings.user_database_url
        return {name: url if isinstance(url, str) else url.get_secret_value() for name, url in urls.items()}

    def command_env(self) -> dict[str, str]:
        """Return the variables of `ketav` commands: the stores' URLs and the services' addresses."""
        return {**self.store_env(), **self._address_env()}

    def _address_env(self) -> dict[str, str]:
        """Return the addresses of the services."""
        return {f"KETAV_{service.upper()}_ADDRESS": address for service, address in self.addresses.items()}

    def service_env(self, name: str, *stores: str) -> dict[str, str]:
        """Return a service's environment: the shared one, the addresses, and only the stores that it uses."""
        urls = self.store_env()
        return {
            **self.base_env(),
            "KETAV_METRICS_PORT": str(self.metrics_port(name)),
            **{store: urls[store] for store in stores if store in urls},
            **self._address_env(),
            "KETAV_BIND": self.addresses.get(name, ""),
            "KETAV_PORT": str(self.settings.port),
            "KETAV_DATA_DIR": str(self.data.subdirectory(name)),
            "KETAV_ENGINE": self.settings.engine,
            "KETAV_LOG_LEVEL": self.settings.log_level,
            **self._identity_env(name),
        }

    def _identity_env(self, process: str) -> dict[str, str]:
        """Return all public keys and the private key of a process; the gateway signs sessions, too."""
        service = "trainer" if process == "worker" else process.removesuffix("-worker")
        keys = {name: self.data.secret(f"identity-{name}") for name in get_args(Service)}
        public = ",".join(f"{name}:{public_text(private_key(key))}" for name, key in keys.items())
        env = {"KETAV_IDENTITY_KEY": keys[service], "KETAV_IDENTITY_PUBLIC_KEYS": public}
        return env | ({"KETAV_SESSION_SECRET": self.data.secret("session")} if service == "gateway" else {})

    def metrics_port(self, name: str) -> int:
        """Return the port of a process's metrics; 0 where metrics are not served."""
        first = self.settings.metrics_port
        return first + MEASURED.index(name) if first and name in MEASURED else 0

    def specs(self) -> list[Spec]:
        """Return every process of the system, stores first."""
        return [*self._stores(), *self._registry(), *self._services(), self._gateway()]

    def _stores(self) -> Iterator[Spec]:
        """Yield the stores whose URLs are not set."""
        if self.settings.database_url is None:
            yield from self.postgres.specs(self.base_env())
        if self.settings.redis_url is None:
            yield self.valkey.spec(self.base_env())

    def _registry(self) -> Iterator[Spec]:
        """Yield the step that prepares the stores, and the registry."""
        needs = ("database",) if self.settings.database_url is None else ()
        yield Spec(
            "prepare",
            python("-m", "ketav_local.prepare", str(self.data.root), str(self.base_model())),
            self.service_env("registry", *CREDENTIALS),
            needs=needs,
            once=True,
        )
        yield Spec(
            "registry",
            python("-m", "ketav_registry.main"),
            self.service_env("registry", "KETAV_DATABASE_URL", "KETAV_USER_DATABASE_URL", "KETAV_BLOB_URL"),
            needs=("prepare",),
            start_at_once=True,
            ready=GrpcProbe(self.addresses["registry"]),
            alive=GrpcProbe(self.addresses["registry"], LIVENESS),
        )

    def base_model(self) -> Path:
        """Return the path of the shipped base model."""
        return self.settings.models_dir.resolve() / BASE_MODEL

    def model_env(self) -> dict[str, str]:
        """Return the settings of Kraken's engine for the files that are shipped with the base model."""
        files = {name: self.settings.models_dir.resolve() / file for name, file in SHIPPED_FILES.items()}
        kraken = self.settings.engine == "kraken"
        return {name: str(path) for name, path in files.items() if kraken and path.is_file()}

    def _services(self) -> Iterator[Spec]:
        """Yield the recognizer, the trainer, and their workers: one reads jobs, one trains and has beat."""
        yield self._grpc_service(
            "recognizer",
            python("-m", "ketav_recognizer.main"),
            {**self.model_env(), **self._queue_env("recognizer")},
        )
        reading = self._queue_env("recognizer-worker")
        yield self._worker("recognizer-worker", python("-m", "ketav_recognizer.worker"), reading)
        queue = {**self.model_env(), **self._queue_env("trainer")}
        yield self._grpc_service("trainer", python("-m", "ketav_trainer.main"), queue, needs=self._broker)
        own_port = {"KETAV_METRICS_PORT": str(self.metrics_port("worker"))}
        yield self._worker("worker", python("-m", "ketav_trainer.worker", "--beat"), queue | own_port)

    @property
    def _broker(self) -> tuple[str, ...]:
        """Return the name of the broker's process where it is started here."""
        return ("valkey",) if self.settings.redis_url is None else ()

    def _queue_env(self, name: str) -> dict[str, str]:
        """Return the environment of a service that uses the broker."""
        return self.service_env(name, "KETAV_REDIS_URL")

    def _grpc_service(
        self, name: str, command: tuple[str, ...], env: Mapping[str, str], needs: tuple[str, ...] = ()
    ) -> Spec:
        """Return a gRPC service without a store of its own."""
        address = self.addresses[name]
        return Spec(
            name,
            command,
            env,
            needs=needs,
            ready=GrpcProbe(address),
            alive=GrpcProbe(address, LIVENESS),
        )

    def _worker(self, name: str, command: tuple[str, ...], env: Mapping[str, str]) -> Spec:
        """Return a worker, which touches a file while it runs."""
        beat_file = self.data.logs / f"{name}.beat"
        return Spec(
            name,
            command,
            {**env, "KETAV_BEAT_FILE": str(beat_file)},
            needs=(*self._broker, "registry"),
            alive=BeatProbe(beat_file),
            beat_file=beat_file,
            stop_s=30.0,
        )

    def _gateway(self) -> Spec:
        """Return the gateway; it is ready when the services behind it answer."""
        return Spec(
            "gateway",
            python("-m", "ketav_gateway.main"),
            self.service_env("gateway", "KETAV_REDIS_URL"),
            needs=("registry", "recognizer", "trainer"),
            start_at_once=True,
            ready=HttpProbe(f"{self.url}/readyz"),
            alive=HttpProbe(f"{self.url}/livez"),
        )
