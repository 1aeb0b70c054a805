"""The system on stores that are not its own, by `docker-compose.managed.yml` (`make containers`)."""

from collections.abc import Callable, Iterator

import pytest

from ketav_local.demo.page import LINES, render
from tests.containers.compose import ComposeSystem, read_page
from tests.containers.images import ROOT, Built, image
from tests.containers.podman import Podman
from tests.parts.processes import free_port

NETWORK = "ketav-test-managed"
KEY, PASSWORD = "ketav", "only-for-this-test"
REDIS = ("redis-server", "--requirepass", PASSWORD, "--save", "", "--maxmemory-policy", "noeviction")


def start_store(podman: Podman, name: str, options: list[str], *command: str) -> str:
    """Start a store in the network of the managed stores; return its address."""
    container = f"{NETWORK}-{name}"
    podman.run(
        "run", "--detach", f"--network={NETWORK}", f"--name={container}", *options, image(name), *command
    )
    address: str = podman.inspect(container)["NetworkSettings"]["Networks"][NETWORK]["IPAddress"]
    return address


@pytest.fixture(scope="module")
def urls(podman: Podman, images: dict[str, Built]) -> Iterator[dict[str, str]]:
    """Run the three stores outside the system; yield the settings that name them."""
    owner = ["--env=POSTGRES_USER=owner", f"--env=POSTGRES_PASSWORD={PASSWORD}", "--env=POSTGRES_DB=ketav"]
    roles = ["--env=POSTGRES_INITDB_ARGS=--auth-host=scram-sha-256", "--tmpfs=/var/lib/postgresql"]
    key = [f"--env=MINIO_ROOT_USER={KEY}", f"--env=MINIO_ROOT_PASSWORD={PASSWORD}", "--tmpfs=/data"]
    podman.create_network(NETWORK, "ketav-managed")
    try:
        database = start_store(podman, "postgres", [*owner, *roles])
        queue = start_store(podman, "redis", ["--tmpfs=/data"], *REDIS)
        objects = start_store(podman, "objects", key)
        yield {
            "KETAV_MIGRATION_DATABASE_URL": f"postgresql+asyncpg://owner:{PASSWORD}@{database}:5432/ketav",
            "KETAV_DATABASE_URL": f"postgresql+asyncpg://ketav_service:{PASSWORD}@{database}:5432/ketav",
            "KETAV_REDIS_URL": f"redis://:{PASSWORD}@{queue}:6379/0",
            "KETAV_BLOB_URL": f"s3://{KEY}:{PASSWORD}@{objects}:9000/pages?secure=0",
        }
    finally:
        for name in ("postgres", "redis", "objects"):
            podman.run("rm", "--force", "--volumes", "--time=5", f"{NETWORK}-{name}", check=False)
        podman.run("network", "rm", "--force", NETWORK)


@pytest.fixture(scope="module")
def system(podman: Podman, urls: dict[str, str], report: Callable[[object], None]) -> Iterator[ComposeSystem]:
    """Bring the system up without stores of its own."""
    files = (ROOT / "docker-compose.yml", ROOT / "docker-compose.managed.yml")
    with podman.serving() as host:
        running = ComposeSystem(podman, host, free_port(), files, urls)
        try:
            report(f"up on managed stores: healthy after {running.up():.0f} s")
            running.wait_until_ready()
            yield running
        finally:
            running.down()


def test_a_page_is_read_and_stored_in_managed_stores(system: ComposeSystem, podman: Podman) -> None:
    """No bundled store runs; a page is read, and its image comes back from the managed object store."""
    names = podman.run("ps", "--format={{.Names}}").split()
    assert not [name for name in names if name.startswith("ketav-test-postgres")]
    with system.client(system.add_user("reader")) as client:
        answer = read_page(client, render())
        assert len(answer["lines"]) == len(LINES)
        where = f"/projects/{answer['project_id']}/images/{answer['image_id']}"
        assert client.get(f"{where}/file").content.startswith(b"\x89PNG")
