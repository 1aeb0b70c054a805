"""A browser signs in with an API key and gets a cookie; changes also need the session's token."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import jwt
import pytest

from ketav_common.errors import NotFound, Unauthenticated, Unavailable
from ketav_gateway.http.authentication import key_digest
from ketav_gateway.http.sessions import COOKIE, CSRF_HEADER, Sessions
from tests.parts.gateway import KEY, OTHER_KEY, Gateway, in_process_gateway, upload
from tests.parts.identities import SESSION_SECRET

UNSAFE = {"post", "put", "patch", "delete"}


async def sign_in(gateway: Gateway, key: str = KEY) -> tuple[dict[str, str], str]:
    """Return the header of a new session's cookie, and its CSRF token."""
    response = await gateway.anonymous.post("/session", headers={"Authorization": f"Bearer {key}"})
    assert response.status_code == 201
    gateway.anonymous.cookies.clear()
    return {"Cookie": f"{COOKIE}={response.cookies[COOKIE]}"}, response.json()["csrf_token"]


async def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(gateway: Gateway) -> None:
    """HttpOnly, SameSite=Strict, with an end; it does not contain the key."""
    response = await gateway.client.post("/session")
    header = response.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(header.split("; "))
    assert "expires=" in header
    assert KEY not in header
    assert "Secure" not in header
    assert response.headers["cache-control"] == "no-store"


async def test_over_https_the_cookie_is_never_sent_in_the_clear(gateway: Gateway) -> None:
    """The attribute Secure."""
    response = await gateway.client.post("https://gateway/session")
    assert "Secure" in response.headers["set-cookie"].split("; ")


async def test_a_session_reads_and_changes_the_data_of_its_user_alone(gateway: Gateway) -> None:
    """Another user's session gets 404, like another user's key."""
    read = (await upload(gateway.client)).json()
    path = f"/projects/{read['project_id']}"
    cookie, token = await sign_in(gateway)
    assert (await gateway.anonymous.get(path, headers=cookie)).status_code == 200
    changed = await gateway.anonymous.patch(
        path, json={"name": "Renamed"}, headers={**cookie, CSRF_HEADER: token}
    )
    assert changed.json()["name"] == "Renamed"
    foreign, _ = await sign_in(gateway, OTHER_KEY)
    assert (await gateway.anonymous.get(path, headers=foreign)).status_code == 404


@pytest.mark.parametrize("token", [{}, {CSRF_HEADER: "0" * 64}, {CSRF_HEADER: ""}, {CSRF_HEADER: "é"}])
async def test_no_route_changes_anything_for_a_session_without_its_token(
    gateway: Gateway, token: dict[str, str]
) -> None:
    """Every route of the description that is no GET, so also one that is added later: 403, and no call."""
    cookie, _ = await sign_in(gateway)
    gateway.state.calls.clear()
    paths = (await gateway.anonymous.get("/openapi.json")).json()["paths"]
    checked = 0
    for path, methods in paths.items():
        for method in methods.keys() & UNSAFE:
            address = re.sub(r"\{\w+\}", str(uuid4()), path)
            headers = httpx.Headers({**cookie, **token}, encoding="utf-8")
            response = await gateway.anonymous.request(method, address, headers=headers)
            assert (response.status_code, response.json()["code"]) == (403, "csrf-token"), address
            checked += 1
    assert checked >= 15
    assert gateway.state.calls == []


async def test_the_token_of_another_session_is_refused(gateway: Gateway) -> None:
    """Also that of the same user."""
    cookie, _ = await sign_in(gateway)
    _, token = await sign_in(gateway)
    response = await gateway.anonymous.delete("/session", headers={**cookie, CSRF_HEADER: token})
    assert response.status_code == 403


async def test_a_page_that_is_loaded_again_gets_the_token_of_its_session(gateway: Gateway) -> None:
    """GET /session with the cookie; 401 with a key alone, which needs no session."""
    cookie, token = await sign_in(gateway)
    assert (await gateway.anonymous.get("/session", headers=cookie)).json()["csrf_token"] == token
    assert (await gateway.client.get("/session")).status_code == 401


async def test_a_key_in_a_header_has_precedence_and_needs_no_token(gateway: Gateway) -> None:
    """A program that has a cookie by chance is served by its key."""
    cookie, _ = await sign_in(gateway, OTHER_KEY)
    response = await gateway.client.post("/projects/", json={"name": "By key"}, headers=cookie)
    assert response.status_code == 201
    assert [project.name for project in gateway.user.projects.values()] == ["By key"]


async def test_signing_out_deletes_the_cookie(gateway: Gateway) -> None:
    """The browser gets an empty one that has expired."""
    cookie, token = await sign_in(gateway)
    response = await gateway.anonymous.delete("/session", headers={**cookie, CSRF_HEADER: token})
    assert response.status_code == 204
    assert response.headers["set-cookie"].startswith(f'{COOKIE}=""; ')
    assert "Max-Age=0" in response.headers["set-cookie"]


async def test_a_copy_of_a_cookie_is_refused_after_signing_out(gateway: Gateway) -> None:
    """At once, and without hindrance for the key and its other sessions."""
    (cookie, token), (other, _) = await sign_in(gateway), await sign_in(gateway)
    assert (await gateway.anonymous.get("/projects/", headers=cookie)).status_code == 200
    assert (await gateway.anonymous.delete("/session", headers={**cookie, CSRF_HEADER: token})).is_success
    response = await gateway.anonymous.get("/projects/", headers=cookie)
    assert (response.status_code, response.json()["detail"][:22]) == (401, "The session has ended.")
    assert (await gateway.anonymous.get("/projects/", headers=other)).status_code == 200
    assert (await gateway.client.get("/projects/")).status_code == 200


async def test_signing_out_fails_while_the_registry_cannot_store_it(gateway: Gateway) -> None:
    """The page says so instead of leaving a session that still works."""
    cookie, token = await sign_in(gateway)
    gateway.state.failures["EndSession"] = Unavailable("The registry is unavailable. Try again later.")
    response = await gateway.anonymous.delete("/session", headers={**cookie, CSRF_HEADER: token})
    assert response.status_code == 503
    assert (await gateway.anonymous.get("/projects/", headers=cookie)).status_code == 200


@pytest.fixture
async def uncached(tmp_path: Path) -> AsyncIterator[Gateway]:
    """Run a gateway that resolves the key of every request."""
    async with in_process_gateway(tmp_path, key_cache_s=0) as running:
        yield running


async def test_a_session_ends_when_its_key_is_revoked(uncached: Gateway) -> None:
    """And does not begin with an unknown key."""
    cookie, _ = await sign_in(uncached)
    uncached.state.failures["ResolveApiKey"] = NotFound("There is no such key. Ask the operator for one.")
    assert (await uncached.anonymous.get("/projects/", headers=cookie)).status_code == 401
    assert (await uncached.client.post("/session")).status_code == 401


def forged(**changes: object) -> list[str]:
    """Return cookies that no gateway with this secret has signed, or whose end is over."""
    now = datetime.now(UTC)
    claims = {
        "aud": "ketav-session",
        "exp": now + timedelta(hours=1),
        "jti": "a",
        "key": "00" * 32,
        **changes,
    }
    other = Sessions("another secret of the services, long enough", 3600).sign(b"\0" * 32)[0]
    return ["", "x", "a.b.c", "x" * 5000, other, jwt.encode(claims, SESSION_SECRET, algorithm="HS256")]


@pytest.mark.parametrize("cookie", forged())
async def test_a_forged_session_is_401(gateway: Gateway, cookie: str) -> None:
    """Also one that is signed with the services' own secret, which signs identities."""
    response = await gateway.anonymous.get("/projects/", headers={"Cookie": f"{COOKIE}={cookie}"})
    assert (response.status_code, response.json()["code"]) == (401, "unauthenticated")
    assert gateway.state.calls == []


def test_a_session_ends_after_its_lifetime() -> None:
    """KETAV_SESSION_LIFETIME_S seconds."""
    cookie, session = Sessions(SESSION_SECRET, 60).sign(key_digest(KEY))
    assert 55 < (session.expires_at - datetime.now(UTC)).total_seconds() <= 60
    assert Sessions(SESSION_SECRET, 60).verify(cookie) == session
    ended, _ = Sessions(SESSION_SECRET, -1).sign(key_digest(KEY))
    with pytest.raises(Unauthenticated, match="Sign in again"):
        Sessions(SESSION_SECRET, 60).verify(ended)


async def test_cookies_are_not_shared_with_pages_of_allowed_origins(tmp_path: Path) -> None:
    """CORS allows them to send a key; it does not allow credentials."""
    async with in_process_gateway(tmp_path, cors_origins="https://app.example.org") as gateway:
        response = await gateway.client.get("/projects/", headers={"Origin": "https://app.example.org"})
        assert response.headers["access-control-allow-origin"] == "https://app.example.org"
        assert "access-control-allow-credentials" not in response.headers


async def test_an_account_is_shown_to_a_session(gateway: Gateway) -> None:
    """GET /me names the key by which the session began."""
    cookie, _ = await sign_in(gateway)
    by_session: httpx.Response = await gateway.anonymous.get("/me", headers=cookie)
    assert by_session.json() == (await gateway.client.get("/me")).json()
