"""The recognizer as a process behind its contract: what callers get, whatever happens inside."""

import asyncio
import hashlib
import io
import itertools
import os
import signal
import sys
import unicodedata
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import grpc
import psutil
import pytest
import pytest_asyncio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from PIL import Image

from ketav.page.v1 import page_pb2
from ketav.recognizer.v1 import recognizer_pb2, recognizer_pb2_grpc
from ketav_common import context, rpc
from ketav_common import identity as identities
from ketav_common.errors import (
    DataLoss,
    Forbidden,
    InvalidInput,
    KetavError,
    NotFound,
    RateLimited,
    TimedOut,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from ketav_common.identity import Identity
from ketav_testing import tiny
from tests.parts.identities import SIGNER, STRANGER, identity_keys
from tests.parts.pages import draw_page, random_lines
from tests.parts.processes import live_children
from tests.parts.registry_double import RegistryDouble, served

pytestmark = pytest.mark.asyncio(loop_scope="module")
NUMBERS = itertools.count(1)
PAGE = draw_page(random_lines(4))


@dataclass
class Service:
    """A running recognizer, its client, and the registry that it asks."""

    process: asyncio.subprocess.Process
    channel: grpc.aio.Channel
    registry: RegistryDouble
    data: Path
    model: bytes = b""

    async def read(
        self, image: bytes = PAGE, seconds: float = 30, user: UUID | None = None, **header: Any
    ) -> Any:
        """Send an image in chunks and return the answer; errors come as Ketav's own.

        A model that carries no grant gets the registry's for the user.
        """
        stub: Any = recognizer_pb2_grpc.RecognizerServiceStub(self.channel)
        user = user or uuid4()
        fields: dict[str, Any] = {
            "model": model_of(self.model),
            "layout": page_pb2.LAYOUT_PAGE,
            "size_bytes": len(image),
        } | header
        if fields["model"] is not None and not fields["model"].grant:
            fields["model"] = granted(fields["model"], user)
        with rpc.raise_ketav_errors(), context.bind(identity=Identity("user", user)):
            return await stub.RecognizePage(messages(image, fields), timeout=seconds)

    def readers(self) -> list[psutil.Process]:
        """Return the service's reader processes."""
        return live_children(self.process.pid)

    async def health(self) -> int:
        """Return the service's health status."""
        stub: Any = health_pb2_grpc.HealthStub(self.channel)
        answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=5)
        return int(answer.status)


def model_of(content: bytes) -> page_pb2.Model:
    """Name a model file."""
    return page_pb2.Model(
        version="base-1",
        kind=page_pb2.MODEL_KIND_BASE,
        sha256=hashlib.sha256(content).digest(),
        size_bytes=len(content),
    )


def granted(model: page_pb2.Model, user: UUID) -> page_pb2.Model:
    """Return a model with the registry's authorization for a user."""
    named = page_pb2.Model()
    named.CopyFrom(model)
    named.grant = SIGNER.grant(user, model.sha256)
    return named


def cached(service: Service) -> list[Path]:
    """Return where the service keeps the present model, if it does."""
    return list(service.data.glob(f"model_cache/{hashlib.sha256(service.model).hexdigest()}*"))


def messages(image: bytes, fields: dict[str, Any]) -> Iterator[recognizer_pb2.RecognizePageRequest]:
    """Yield the header, then the image in chunks."""
    header = recognizer_pb2.RecognizePageHeader(**fields)
    yield recognizer_pb2.RecognizePageRequest(header=header)
    for chunk in rpc.chunks(image):
        yield recognizer_pb2.RecognizePageRequest(chunk=chunk)


@asynccontextmanager
async def recognizer(directory: Path) -> AsyncIterator[Service]:
    """Run a recognizer with the tiny engine, one reader and one place to wait."""
    registry = RegistryDouble(tiny.save())
    registry_address, address = f"unix:{directory}/registry.sock", f"unix:{directory}/recognizer.sock"
    environment = os.environ | {
        **identity_keys("recognizer"),
        "KETAV_REGISTRY_ADDRESS": registry_address,
        "KETAV_BIND": address,
        "KETAV_DATA_DIR": str(directory / "data"),
        "KETAV_ENGINE": "tiny",
        "KETAV_RECOGNIZER_QUEUE": "1",
        "KETAV_MODEL_CHECK_SECONDS": "0.5",
    }
    async with served(registry, registry_address, SIGNER), rpc.channel(address, SIGNER) as channel:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "ketav_recognizer.main", env=environment, stderr=asyncio.subprocess.DEVNULL
        )
        try:
            running = Service(process, channel, registry, directory / "data")
            await serving(running)
            yield running
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """Run one recognizer for the tests that leave it alive."""
    async with recognizer(tmp_path_factory.mktemp("recognizer")) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def service(shared: Service) -> Service:
    """Return the shared recognizer with a model that no test has used yet and a running reader."""
    shared.model = renew(shared.registry)
    await until_alive(shared)
    return shared


@pytest_asyncio.fixture(loop_scope="module")
async def own(tmp_path: Path) -> AsyncIterator[Service]:
    """Run a recognizer that the test may end."""
    async with recognizer(tmp_path) as running:
        running.model = renew(running.registry)
        yield running


def renew(registry: RegistryDouble) -> bytes:
    """Reset the registry to one new model."""
    content = tiny.save(epoch=next(NUMBERS))
    registry.files = {hashlib.sha256(content).digest(): content}
    registry.unavailable, registry.downloads = False, 0
    return content


async def until_alive(service: Service) -> None:
    """Wait until there is a reader, whatever the test before did to it."""
    for _ in range(500):
        if service.readers():
            return
        await asyncio.sleep(0.02)
    pytest.fail("no reader came back")


async def serving(service: Service) -> None:
    """Wait until the service says that it serves."""
    stub: Any = health_pb2_grpc.HealthStub(service.channel)
    for _ in range(200):
        try:
            answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=5)
        except grpc.aio.AioRpcError:
            await asyncio.sleep(0.1)
            continue
        if answer.status == health_pb2.HealthCheckResponse.SERVING:
            return
        await asyncio.sleep(0.1)
    pytest.fail("the recognizer never served")


async def test_an_answer_keeps_what_the_contract_promises(service: Service) -> None:
    """Text is NFC, confidences are 0 to 1, points are on the image, words are within their line."""
    answer = await service.read()
    assert answer.model_version == "base-1"
    assert [line.order for line in answer.lines] == [0, 1, 2, 3]
    size = Image.open(io.BytesIO(PAGE)).size
    for line in answer.lines:
        assert unicodedata.is_normalized("NFC", line.text)
        assert len(line.character_confidences) == len(line.text)
        assert all(0 <= value <= 1 for value in (*line.character_confidences, line.confidence))
        assert all(0 <= p.x < size[0] and 0 <= p.y < size[1] for p in (*line.baseline, *line.boundary))
        assert all(line.text[word.start : word.end] == word.text for word in line.words)
        assert len(line.character_extents) in {0, len(line.text)}
        assert line.line_id == ""


async def test_a_line_image_is_one_line_and_a_blank_page_has_none(service: Service) -> None:
    """Layout line takes the whole image; a page without ink is an empty answer, not an error."""
    line = await service.read(layout=page_pb2.LAYOUT_LINE)
    assert len(line.lines) == 1
    blank = io.BytesIO()
    Image.new("L", (300, 200), 255).save(blank, "PNG")
    assert not (await service.read(blank.getvalue())).lines


async def test_a_model_is_fetched_once_and_survives_damage_on_disk(service: Service) -> None:
    """Two readings, one download; a damaged cache file is fetched again once the reader has let go of it."""
    await service.read()
    await service.read()
    assert service.registry.downloads == 1
    (file,) = cached(service)
    file.write_bytes(b"rotten")
    service.readers()[0].kill()
    await asyncio.sleep(0.2)
    await service.read()
    assert service.registry.downloads == 2


async def test_a_model_that_does_not_match_its_digest_is_refused(service: Service) -> None:
    """The registry sends other bytes than were asked for: DataLoss, nothing kept, nothing read."""
    service.registry.files[hashlib.sha256(service.model).digest()] = service.model[:-1] + b"\1"
    with pytest.raises(DataLoss):
        await service.read()
    assert not cached(service)


async def test_a_model_unknown_to_the_registry_is_not_found(service: Service) -> None:
    """The registry's error is passed on."""
    with pytest.raises(NotFound):
        await service.read(model=model_of(b"unknown"))


async def test_an_unavailable_registry_matters_only_while_a_model_is_missing(service: Service) -> None:
    """Pages are read with a cached model without the registry."""
    service.registry.unavailable = True
    with pytest.raises(Unavailable):
        await service.read()
    service.registry.unavailable = False
    await service.read()
    service.registry.unavailable = True
    assert (await service.read()).lines


MISUSES: list[tuple[bytes, dict[str, Any], type[KetavError]]] = [
    (b"not an image", {}, InvalidInput),
    (PAGE, {"size_bytes": len(PAGE) - 1}, InvalidInput),
    (PAGE, {"size_bytes": len(PAGE) + 1}, InvalidInput),
    (PAGE, {"size_bytes": 0}, InvalidInput),
    (PAGE, {"size_bytes": -1}, InvalidInput),
    (PAGE, {"size_bytes": 26 * 1024 * 1024}, TooLarge),
    (PAGE, {"layout": 77}, InvalidInput),
    (PAGE, {"model": None}, InvalidInput),
    (PAGE, {"model": page_pb2.Model(version="v", sha256=b"short", size_bytes=1)}, InvalidInput),
]


async def test_requests_that_break_the_contract_are_refused_and_kill_no_reader(service: Service) -> None:
    """Every misuse is the caller's error; the same reader reads the next page."""
    readers = {reader.pid for reader in service.readers()}
    for image, header, error in MISUSES:
        with pytest.raises(error):
            await service.read(image, **header)
    assert (await service.read()).lines
    assert {reader.pid for reader in service.readers()} == readers


async def test_a_stream_without_a_header_is_refused(service: Service) -> None:
    """An empty stream and one that begins with a chunk."""
    stub: Any = recognizer_pb2_grpc.RecognizerServiceStub(service.channel)
    for requests in ([], [recognizer_pb2.RecognizePageRequest(chunk=b"x")]):
        with (
            pytest.raises(InvalidInput),
            rpc.raise_ketav_errors(),
            context.bind(identity=Identity("user", uuid4())),
        ):
            await stub.RecognizePage(iter(requests), timeout=5)


async def test_a_caller_without_identity_is_refused(service: Service) -> None:
    """The token is checked before a byte is read."""
    stub: Any = recognizer_pb2_grpc.RecognizerServiceStub(service.channel)
    with pytest.raises(Unauthenticated), rpc.raise_ketav_errors():
        await stub.RecognizePage(messages(PAGE, {"size_bytes": len(PAGE)}), timeout=5)


async def test_a_reader_killed_mid_page_fails_that_request_and_no_other(service: Service) -> None:
    """Unavailable for the one, an answer for the next, and the server is the same process."""
    await service.read()
    (reader,) = service.readers()
    reader.suspend()
    reading = asyncio.create_task(service.read())
    await asyncio.sleep(0.3)
    reader.kill()
    with pytest.raises(Unavailable):
        await reading
    assert (await service.read()).lines
    assert service.process.returncode is None


async def test_a_full_queue_is_reported_at_once(service: Service) -> None:
    """One is read, one waits, the third is refused with RESOURCE_EXHAUSTED while the others are answered."""
    await service.read()
    (reader,) = service.readers()
    reader.suspend()
    readings = [asyncio.create_task(service.read()) for _ in range(2)]
    await asyncio.sleep(0.3)
    with pytest.raises(RateLimited):
        await service.read()
    reader.resume()
    assert all(answer.lines for answer in await asyncio.gather(*readings))


async def test_a_deadline_is_kept_and_its_place_is_free_again(service: Service) -> None:
    """Waiting callers leave at their deadline; afterwards both places can be taken."""
    await service.read()
    (reader,) = service.readers()
    reader.suspend()
    began = asyncio.get_running_loop().time()
    late = await asyncio.gather(*(service.read(seconds=0.5) for _ in range(2)), return_exceptions=True)
    assert [type(error) for error in late] == [TimedOut, TimedOut]
    assert asyncio.get_running_loop().time() - began < 1
    reader.resume()
    answers = await asyncio.gather(service.read(), service.read())
    assert all(answer.lines for answer in answers)


async def test_sigterm_lets_the_page_at_hand_finish_and_leaves_no_process(own: Service) -> None:
    """The call in flight is answered, health reports NOT_SERVING, and the readers end with the server."""
    await own.read()
    (reader,) = own.readers()
    reader.suspend()
    reading = asyncio.create_task(own.read())
    await asyncio.sleep(0.3)
    own.process.send_signal(signal.SIGTERM)
    await asyncio.sleep(0.3)
    reader.resume()
    assert (await reading).lines
    assert await asyncio.wait_for(own.process.wait(), 10) == 0
    assert not psutil.pid_exists(reader.pid)


async def test_a_killed_server_leaves_no_reader(own: Service) -> None:
    """SIGKILL of the server: its readers notice and end."""
    (reader,) = own.readers()
    own.process.kill()
    await own.process.wait()
    assert psutil.wait_procs([reader], timeout=5)[1] == []


async def test_a_model_without_the_registry_s_grant_for_this_user_is_refused_though_it_is_cached(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No grant, another user's, one for another file, a forged one and one that has ended."""
    user, model = uuid4(), model_of(service.model)
    await service.read(user=user)
    assert cached(service)
    token = SIGNER.sign(Identity("user", user), "recognizer")
    forged = STRANGER.grant(user, model.sha256)
    wrong = ["none", SIGNER.grant(uuid4(), model.sha256), SIGNER.grant(user, bytes(32)), forged, token]
    for grant in wrong:
        named = granted(model, user)
        named.grant = grant
        with pytest.raises(Forbidden):
            await service.read(user=user, model=named)
    with monkeypatch.context() as past:
        past.setattr(identities, "GRANT_LIFETIME", timedelta(seconds=-1))
        named.grant = SIGNER.grant(user, model.sha256)
    with pytest.raises(Unavailable) as caught:
        await service.read(user=user, model=named)
    assert caught.value.code == "grant-expired"
    assert (await service.read(user=user)).lines


async def test_a_cached_model_that_the_registry_has_retired_is_dropped(service: Service) -> None:
    """Within the pause between two checks; while the registry is unavailable nothing is dropped."""
    await service.read()
    service.registry.unavailable = True
    service.registry.files.clear()
    await asyncio.sleep(1.2)
    assert cached(service)
    service.registry.unavailable = False
    for _ in range(200):
        if not cached(service):
            break
        await asyncio.sleep(0.05)
    assert not cached(service)
    with pytest.raises(NotFound):
        await service.read(model=model_of(service.model + b"x"))
