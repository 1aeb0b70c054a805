"""Forced failures of R6: a worse, corrupt or half-written model never serves, whichever way it comes."""

import asyncio
import hashlib
import json
import pickle
import random
import struct
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ketav.registry.v1 import models_pb2
from ketav_common import rpc
from ketav_common.errors import InvalidInput, KetavError
from ketav_engine import models as kraken_models
from ketav_engine.domain import UnusableModelError
from ketav_testing import tiny
from tests.faults.conftest import Tally, count
from tests.parts import history
from tests.parts.injector import resume
from tests.parts.postgres import PostgresServer
from tests.parts.registry import (
    Registry,
    acting,
    claim,
    claiming,
    publish,
    queued_run,
    registry_server,
    safetensors,
)
from tests.parts.system_users import BASE, CURSIVE, SystemUser
from tests.parts.world import World

TOTAL = 20
"""Forced failures in an ordinary run of the tests; `make faults` asks for 200."""
Spoil = Callable[[bytes, random.Random], bytes]
SPEC = "[1,48,0,1 Cr3,3,8 Mp2,2 Cr3,3,8 Mp2,2 S1(1x0)1,3 Lbx8 Do0.1,2]"
HOSTILE = (
    "[1,48,0,1 Lbx99999 O1c5]",
    "[1,4800,0,1 Cr3,3,8 O1c5]",
    "[1,48,0,1 CTr3,3,8,2,2 O1c5]",
    "[1,48,0,1 (Cr3,3,8 Cr3,3,8) O1c5]",
    "[1,48,0,1 Cr3,3,9999 O1c5]",
)


def share(part: float) -> int:
    """Return how many failures one way in gets."""
    return max(1, round(count("BAD_MODELS", TOTAL) * part))


def flipped(content: bytes, chance: random.Random) -> bytes:
    """Flip one bit."""
    offset = chance.randrange(len(content))
    return content[:offset] + bytes([content[offset] ^ (1 << chance.randrange(8))]) + content[offset + 1 :]


def truncated(content: bytes, chance: random.Random) -> bytes:
    """Cut the end off."""
    return content[: chance.randrange(1, len(content))]


def empty(content: bytes, chance: random.Random) -> bytes:
    """Leave nothing."""
    return b""


def pickled(content: bytes, chance: random.Random) -> bytes:
    """Put a pickle in its offset."""
    return pickle.dumps({"weights": chance.random()}) * 20


def headed(content: bytes, chance: random.Random) -> bytes:
    """Claim a header of gigabytes."""
    return struct.pack("<Q", chance.randrange(1 << 31, 1 << 60)) + content[8:]


def worse(content: bytes, chance: random.Random) -> bytes:
    """Write a sound table that reads every letter as another one."""
    letters = [ord(letter) for letter in tiny.LETTERS]
    return tiny.save(np.array([chance.choice(letters) for _ in range(tiny.CODES)], dtype=np.int32))


def foreign(content: bytes, chance: random.Random) -> bytes:
    """Write a sound table of another alphabet."""
    return tiny.save(np.array([chance.randrange(65, 91) for _ in range(tiny.CODES)], dtype=np.int32))


BROKEN: tuple[Spoil, ...] = (flipped, truncated, empty, pickled, headed)
"""Damage that makes another file than the one that was announced or measured."""


def called(prefix: str, spoil: Spoil) -> str:
    """Name a figure."""
    return f"bad models, {prefix}: {spoil.__name__}"


async def half(registry: Registry, run_id: str, fence: int, content: bytes) -> None:
    """Announce a model, send half of it, and hang up."""
    header = models_pb2.PublishModelHeader(
        run_id=run_id,
        fence=fence,
        size_bytes=len(content),
        sha256=hashlib.sha256(content).digest(),
        promote=True,
        verdict="promoted",
        cer_after=0.1,
    )

    async def messages() -> AsyncIterator[models_pb2.PublishModelRequest]:
        """Send the header and half of the file, then nothing."""
        yield models_pb2.PublishModelRequest(header=header)
        yield models_pb2.PublishModelRequest(chunk=content[: len(content) // 2])
        await asyncio.sleep(60)

    with claiming(header), rpc.raise_ketav_errors():
        call = registry.models.PublishModel(messages(), timeout=30)
        await asyncio.sleep(0.02)
        call.cancel()


async def test_the_registry_refuses_what_is_not_the_announced_model(
    postgres: PostgresServer, tmp_path: Path, tally: Tally
) -> None:
    """Damaged on the way, half-written, or no safetensors at all: nothing is stored, the base serves on."""
    chance = random.Random(count("SEED", 0))
    async with registry_server(postgres, tmp_path, postgres.migrated_database()) as registry:
        user_id, run_id = await queued_run(registry)
        fence = (await claim(registry, run_id)).fence
        for number in range(share(0.45)):
            content = safetensors(chance.randbytes(chance.randrange(100, 3000)))
            spoil = BROKEN[number % len(BROKEN)]
            sent = spoil(content, chance) or b"\0"
            announced = content if number % 2 or spoil is flipped else sent
            facts: dict[str, Any] = {"sha256": hashlib.sha256(announced).digest()}
            if number % 6 == 5:
                await half(registry, run_id, fence, content)
                tally.add("bad models, sent to the registry: half-written")
            else:
                with pytest.raises(InvalidInput):
                    await publish(registry, run_id, fence, file=sent, **facts)
                tally.add(called("sent to the registry", spoil))
            with acting(user_id), rpc.raise_ketav_errors():
                model = (
                    await registry.models.GetUserModel(models_pb2.GetUserModelRequest(script=CURSIVE))
                ).model
            assert model.version == "hebrew_base-1"
        assert list(registry.blobs.glob("models/[0-9a-f]*-*/*")) == []
        promoted = await publish(registry, run_id, fence)
        assert promoted.state == models_pb2.MODEL_STATE_ACTIVE


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize(
    ("point", "kinds"),
    [
        # One flipped bit may change nothing that is read: such a file is measured and may be as good.
        ("in-evaluation", (*BROKEN[1:], worse, foreign)),
        ("before-upload", (*BROKEN, worse, foreign)),
    ],
)
async def test_what_lies_on_the_trainer_s_disk_is_measured_and_nothing_else_is_published(
    system: World, users: list[SystemUser], tally: Tally, point: str, kinds: tuple[Spoil, ...]
) -> None:
    """Exchanged before it is measured: rejected or failed; exchanged afterwards: failed. It never serves."""
    chance = random.Random(count("SEED", 0))
    for number in range(share(0.15)):
        spoil, user = kinds[number % len(kinds)], users[number % len(users)]
        if spoil in {worse, foreign}:
            await good(user)
        else:
            await user.activate_base()
        before = await user.model()
        stop = system.request_stop(point)
        run_id = await user.train()
        pid = await system.stopped(stop)
        candidate = next(system.folder.glob("training/run-*/candidate.safetensors"))
        bad = spoil(candidate.read_bytes(), chance)
        candidate.write_bytes(bad)
        resume(pid)
        row = await system.ended(run_id)
        tally.add(called(f"on the trainer's disk {point}, {row['state']}", spoil))
        serving = await user.model()
        assert serving.sha256 != hashlib.sha256(bad).digest()
        # Stopped longer than its lease, an attempt has been followed by another one, which may succeed.
        if row["attempts"] == 1:
            assert row["state"] in {"rejected", "failed"}
            assert row["verdict"]
            assert serving == before
    assert history.violations(await system.changes()) == []


async def good(user: SystemUser) -> None:
    """See that a user has a model of their own, than which others can be worse."""
    if (await user.model()).version == BASE:
        row = await user.world.ended(await user.train())
        assert row["state"] == "succeeded"


def digest(file: Path) -> bytes:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(file.read_bytes()).digest()


@pytest.mark.asyncio(loop_scope="session")
async def test_a_stored_model_that_was_damaged_reads_nothing(
    system: World, users: list[SystemUser], reader: SystemUser, tally: Tally
) -> None:
    """Its digest is checked on every way out of the store: a page is refused, never read by it."""
    chance = random.Random(count("SEED", 0))
    user = users[0]
    for number in range(share(0.1)):
        spoil = BROKEN[number % len(BROKEN)]
        await user.activate_base()
        assert (await system.ended(await user.train()))["state"] == "succeeded"
        model = await user.model()
        # Equal corrections make equal models, and any version with the digest would do.
        folder = system.blobs / "models" / str(user.user_id)
        stored = [file for file in folder.iterdir() if digest(file) == model.sha256]
        whole = stored[0].read_bytes()
        (system.folder / "model_cache" / f"{model.sha256.hex()}.safetensors").unlink(missing_ok=True)
        for file in stored:
            file.write_bytes(spoil(whole, chance))
        with pytest.raises(KetavError):
            await user.read(number)
        tally.add(called("in the store", spoil))
        for file in stored:
            file.write_bytes(whole)
        assert (await user.read(number))[0] == model.version


@pytest.fixture(scope="module")
def network() -> bytes:
    """Write a small network in Kraken's form."""
    return kraken_models.save(kraken_models.build(SPEC, "אבג "), {})


def described(content: bytes, change: dict[str, Any]) -> bytes:
    """Rewrite what a file says of its network."""
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    meta = json.loads(header["__metadata__"]["kraken_meta"])
    next(iter(meta.values())).update(change)
    header["__metadata__"]["kraken_meta"] = json.dumps(meta)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + content[8 + length :]


def hostile(content: bytes, chance: random.Random) -> bytes:
    """Ask for a network that is too large, unknown or upsampling."""
    return described(content, {"vgsl": chance.choice(HOSTILE)})


def other_alphabet(content: bytes, chance: random.Random) -> bytes:
    """Name more letters than the network has outputs."""
    return described(content, {"codec": {chr(65 + n): [n + 1] for n in range(chance.randrange(5, 60))}})


def not_numbers(content: bytes, chance: random.Random) -> bytes:
    """Put a NaN or an infinity among the weights."""
    length = 8 + int.from_bytes(content[:8], "little")
    offset = length + 4 * chance.randrange((len(content) - length) // 4)
    return content[:offset] + struct.pack("<f", chance.choice((np.nan, np.inf))) + content[offset + 4 :]


@pytest.mark.kraken
def test_kraken_s_loader_refuses_every_bad_file(network: bytes, tally: Tally) -> None:
    """With the digest of the file itself, as if it had been published: it is refused before it reads."""
    chance = random.Random(count("SEED", 0))
    spoils = (hostile, other_alphabet, not_numbers, truncated, empty, pickled, headed)
    for number in range(share(0.3)):
        spoil = spoils[number % len(spoils)]
        content = spoil(network, chance)
        with pytest.raises(UnusableModelError):
            kraken_models.load(content, hashlib.sha256(content).hexdigest())
        tally.add(called("given to Kraken's loader", spoil))
    with pytest.raises(UnusableModelError):
        kraken_models.load(flipped(network, chance), hashlib.sha256(network).hexdigest())
    tally.add(called("given to Kraken's loader", flipped))
