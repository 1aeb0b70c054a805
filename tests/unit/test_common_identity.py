"""Forged identities: a verifier accepts what the key of the signing service may claim, and nothing else."""

import base64
import json
import runpy
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, get_args
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ketav_common.errors import Forbidden, Unauthenticated
from ketav_common.identity import Identity, Role, Signer, Work, audience_of
from ketav_common.identity_keys import Service, key_id, private_key, private_text, public_text
from tests.parts.identities import KEYS, PUBLIC_KEYS, SIGNER, STRANGER
from tools.budget import ROOT

USER = Identity("user", UUID(int=7))
AUDIENCES = ("registry", "recognizer", "trainer", "gateway", "model", "")
ALLOWED: set[tuple[str, Role, str]] = {
    *(("gateway", role, audience) for role in ("user", "gateway") for audience in AUDIENCES[:3]),
    ("recognizer", "recognizer", "registry"),
    ("recognizer", "recognizer", "recognizer"),
    ("trainer", "trainer", "registry"),
}
"""Key, role and audience of the identities that are accepted."""


def token(service: str = "gateway", header: dict[str, Any] | None = None, **changes: Any) -> str:
    """Return a token signed by a service with these claims; a claim None is left out."""
    now = datetime.now(UTC)
    claims = {"role": "user", "sub": str(USER.user_id), "aud": "registry", "iat": now}
    claims |= {"exp": now + timedelta(seconds=60)} | changes
    present = {name: value for name, value in claims.items() if value is not None}
    key = private_key(KEYS[service])
    return jwt.encode(present, key, algorithm="EdDSA", headers={"kid": key_id(key)} | (header or {}))


def forged() -> Iterator[Any]:
    """Yield tokens that are refused, each with its name."""
    public = private_key(KEYS["gateway"]).public_key()
    kid = {"kid": key_id(public)}
    now = int(time.time())
    claims = {"role": "user", "sub": str(USER.user_id), "aud": "registry", "iat": now, "exp": now + 60}
    raw = public.public_bytes_raw()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    body = ".".join(_part(part) for part in ({"alg": "HS256", "typ": "JWT", **kid}, claims))
    hmac = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    mac = base64.urlsafe_b64encode(hmac.sign(body.encode(), pem)).rstrip(b"=").decode()
    valid = token().split(".")
    yield pytest.param(STRANGER.sign(USER, "registry"), id="wrong key")
    yield pytest.param(jwt.encode(claims, Ed25519PrivateKey.generate(), "EdDSA", kid), id="another's key id")
    yield pytest.param(jwt.encode(claims, private_key(KEYS["gateway"]), "EdDSA"), id="no key id")
    yield pytest.param(token(header={"kid": key_id(private_key(KEYS["trainer"]))}), id="trainer's key id")
    yield pytest.param(jwt.encode(claims, "", "none", kid), id="alg none")
    yield pytest.param(jwt.encode(claims, raw, "HS256", kid), id="HS256 with the public key")
    yield pytest.param(f"{body}.{mac}", id="HS256 with the public key in PEM")
    yield pytest.param(
        ".".join((valid[0], _part(claims | {"sub": str(UUID(int=8))}), valid[2])), id="changed"
    )
    yield pytest.param(token(exp=datetime.now(UTC) + timedelta(seconds=61)), id="too long")
    yield pytest.param(token(exp=datetime.now(UTC) - timedelta(seconds=6)), id="expired")
    yield pytest.param(token(iat=now + 3600, exp=now + 3660), id="from the future")
    for name in ("exp", "iat", "aud", "role"):
        yield pytest.param(token("gateway", None, **{name: None}), id=f"without {name}")
    yield pytest.param(token(aud=["registry", "trainer"]), id="two audiences")
    for name, value in (
        ("role", "admin"),
        ("sub", "nobody"),
        ("exp", "soon"),
        ("exp", float("inf")),
        ("work", "x"),
        ("work", {"id": 1}),
    ):
        yield pytest.param(_unchecked({**claims, name: value}), id=f"malformed {name}")
    yield pytest.param(f"{base64.urlsafe_b64encode(b'[' * 60_000).decode()}.e30.", id="nested header")
    yield pytest.param("", id="empty")
    yield pytest.param("a.b.c", id="no token")


def _part(part: dict[str, Any]) -> str:
    """Return a part of a token: JSON in base64url."""
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def _unchecked(claims: dict[str, Any]) -> str:
    """Return a token of claims that PyJWT would not sign, correctly signed by the gateway."""
    key = private_key(KEYS["gateway"])
    signed = f"{_part({'alg': 'EdDSA', 'typ': 'JWT', 'kid': key_id(key)})}.{_part(claims)}"
    return f"{signed}.{base64.urlsafe_b64encode(key.sign(signed.encode())).rstrip(b'=').decode()}"


@pytest.mark.parametrize("wrong", list(forged()))
def test_a_forged_identity_is_refused(wrong: str) -> None:
    """With one sentence, which does not say why."""
    with pytest.raises(Unauthenticated, match="forged, expired or malformed"):
        SIGNER.verify(wrong, "registry")


def test_each_key_signs_its_roles_for_its_services_alone() -> None:
    """Of all keys, roles and audiences: only the gateway's key claims a user."""
    roles: tuple[Role, ...] = ("user", "gateway", "recognizer", "trainer")
    accepted = set()
    for service in get_args(Service):
        for role in roles:
            for audience in AUDIENCES:
                try:
                    identity = SIGNER.verify(token(service, role=role, aud=audience), audience)
                except Unauthenticated:
                    continue
                assert identity == Identity(role, USER.user_id)
                accepted.add((service, role, audience))
    assert accepted == ALLOWED


def test_an_identity_is_for_one_service() -> None:
    """A service cannot send the token of a caller on to another one."""
    for_recognizer = Signer(KEYS["gateway"]).sign(USER, "recognizer")
    assert SIGNER.verify(for_recognizer, "recognizer") == USER
    with pytest.raises(Unauthenticated):
        SIGNER.verify(for_recognizer, "registry")
    assert audience_of("/ketav.trainer.v1.TrainerService/StartTraining") == "trainer"
    assert audience_of("/grpc.health.v1.Health/Check") == ""


@pytest.mark.parametrize("position", [None, 3])
def test_the_claimed_work_is_part_of_an_identity(position: int | None) -> None:
    """A run, or the page of a job, with its fence."""
    worker = Identity("trainer", USER.user_id, Work(UUID(int=9), 4, position))
    assert SIGNER.verify(SIGNER.sign(worker, "registry"), "registry") == worker


def test_a_key_is_changed_without_an_outage() -> None:
    """While the list has both keys, identities of both are accepted; afterwards the old one's are refused."""
    old, new = KEYS["gateway"], private_text(Ed25519PrivateKey.generate())
    both = f"{PUBLIC_KEYS},gateway:{public_text(private_key(new))}"
    for key in (old, new):
        assert Signer(KEYS["registry"], both).verify(Signer(key).sign(USER, "registry"), "registry") == USER
    after = both.replace(f"gateway:{public_text(private_key(old))},", "")
    assert Signer(new, after).verify(Signer(new).sign(USER, "registry"), "registry") == USER
    with pytest.raises(Unauthenticated):
        Signer(new, after).verify(Signer(old).sign(USER, "registry"), "registry")


def test_grants_are_signed_by_the_registry_alone() -> None:
    """A grant of another service's key is none, and an identity is none."""
    user, digest = UUID(int=7), bytes(32)
    SIGNER.check_grant(Signer(KEYS["registry"]).grant(user, digest), user, digest)
    for service in ("gateway", "recognizer", "trainer"):
        with pytest.raises(Forbidden):
            SIGNER.check_grant(Signer(KEYS[service]).grant(user, digest), user, digest)


def test_signing_and_checking_an_identity_take_less_than_a_millisecond_more_than_without_keys() -> None:
    """The added time of a call: the fastest of ten rounds in turn with tokens of a shared secret."""
    claims = {"role": "user", "sub": str(USER.user_id), "aud": "registry", "iat": 1, "exp": 2_000_000_000}

    def shared() -> None:
        """Sign and check with HS256."""
        jwt.decode(jwt.encode(claims, "s" * 32, "HS256"), "s" * 32, ["HS256"], audience="registry")

    def own() -> None:
        """Sign and check with the keys of services."""
        SIGNER.verify(SIGNER.sign(USER, "registry"), "registry")

    fastest = {shared: 1.0, own: 1.0}
    for _ in range(10):
        for work, known in list(fastest.items()):
            began = time.perf_counter()
            for _ in range(20):
                work()
            fastest[work] = min(known, (time.perf_counter() - began) / 20)
    assert fastest[own] - fastest[shared] < 0.001


def test_the_keys_that_the_scripts_make_are_those_of_the_library() -> None:
    """Their public keys are computed without it."""
    script = runpy.run_path(str(ROOT / "deploy" / "identity_keys.py"))
    for _ in range(20):
        generated = script["private_key"]()
        assert script["public_key"](generated) == public_text(private_key(generated))
    assert script["public_keys"](KEYS) == PUBLIC_KEYS
