"""Links for IIIF viewers: read one project without a key, for a limited time, until they are revoked."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from ketav_gateway.http.links import Links, new_link
from tests.parts.gateway import OTHER_KEY, Gateway, upload, without_trace
from tests.parts.identities import gateway_keys

ORIGIN = {"Origin": "https://viewer.example.org"}


async def new_project(gateway: Gateway, client: httpx.AsyncClient | None = None) -> tuple[str, str]:
    """Read a page; return its project and its id."""
    page = (await upload(client or gateway.client)).json()
    return page["project_id"], page["image_id"]


async def link(client: httpx.AsyncClient, project_id: str, **body: int) -> str:
    """Make a link; return the path of its manifest."""
    response = await client.post(f"/projects/{project_id}/iiif-link", json=body)
    assert response.status_code == 201, response.text
    return httpx.URL(response.json()["url"]).path


def images_of(manifest: dict[str, object]) -> list[str]:
    """Return the addresses of the images that a viewer loads."""
    canvases = manifest["items"]
    assert isinstance(canvases, list)
    return [canvas["items"][0]["items"][0]["body"]["id"] for canvas in canvases]


async def test_a_viewer_without_a_key_shows_the_pages_of_the_project_and_no_others(gateway: Gateway) -> None:
    """The manifest has the texts, its images are addresses of the link, and any origin may read both."""
    project_id, image_id = await new_project(gateway)
    other_project, other_image = await new_project(gateway)
    path = await link(gateway.client, project_id)
    manifest = await gateway.anonymous.get(path, headers=ORIGIN)
    assert manifest.status_code == 200
    assert manifest.headers["access-control-allow-origin"] == "*"
    assert manifest.headers["content-type"].startswith("application/ld+json")
    document = manifest.json()
    assert httpx.URL(document["id"]).path == path
    [address] = images_of(document)
    assert address.startswith("http://gateway/iiif/")
    image = await gateway.anonymous.get(address, headers=ORIGIN)
    own = await gateway.client.get(f"/projects/{project_id}/images/{image_id}/file")
    assert (image.status_code, image.content) == (200, own.content)
    assert image.headers["access-control-allow-origin"] == "*"
    part = await gateway.anonymous.get(address, headers={"Range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, own.content[:4])
    texts = [item["body"]["value"] for item in document["items"][0]["annotations"][0]["items"]]
    assert texts
    foreign = address.replace(image_id, other_image)
    assert (await gateway.anonymous.get(foreign)).status_code == 404
    assert other_project not in manifest.text


async def test_a_preflight_request_is_answered(gateway: Gateway) -> None:
    """For parts of images; other methods are refused, and other addresses have no such headers."""
    project_id, _ = await new_project(gateway)
    path = await link(gateway.client, project_id)
    preflight = {**ORIGIN, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "range"}
    answer = await gateway.anonymous.options(path, headers=preflight)
    assert answer.status_code == 204
    assert "Range" in answer.headers["access-control-allow-headers"]
    assert (await gateway.anonymous.post(path)).status_code == 405
    private = await gateway.client.get(f"/projects/{project_id}", headers=ORIGIN)
    assert "access-control-allow-origin" not in private.headers


async def test_a_link_ends_with_its_time_and_a_changed_one_is_unknown(gateway: Gateway) -> None:
    """One answer for an expired, a tampered, a foreign and a made-up token: that of an unknown address."""
    project_id, image_id = await new_project(gateway)
    path = await link(gateway.client, project_id)
    token = path.split("/")[2]
    links = Links(gateway.settings.session_secret.get_secret_value())
    known = links.verify(token)
    expired = links.sign(replace(known, expires_at=datetime.now(UTC) - timedelta(seconds=1)))
    foreign = Links("another secret of the gateway, " + "x" * 32).sign(known)
    middle = len(token) // 2
    tampered = token[:middle] + ("A" if token[middle] != "A" else "B") + token[middle + 1 :]
    tokens = [expired, foreign, tampered, token[:-9], "x", "א", "A" * 2000]
    bodies = set()
    for wrong in tokens:
        for address in (f"/iiif/{wrong}/manifest", f"/iiif/{wrong}/images/{image_id}"):
            answer = await gateway.anonymous.get(address, headers=ORIGIN)
            assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
            assert answer.headers["access-control-allow-origin"] == "*"
            bodies.add(without_trace(answer))
    assert len(bodies) == 1
    assert project_id not in token
    assert 23 < (known.expires_at - datetime.now(UTC)) / timedelta(hours=1) <= 24


@pytest.mark.parametrize("lifetime_s", [59, 7 * 24 * 3600 + 1])
async def test_a_link_lasts_a_minute_to_a_week(gateway: Gateway, lifetime_s: int) -> None:
    """422 names the field."""
    project_id, _ = await new_project(gateway)
    answer = await gateway.client.post(f"/projects/{project_id}/iiif-link", json={"lifetime_s": lifetime_s})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "/lifetime_s")


async def test_the_owner_revokes_all_links(gateway: Gateway) -> None:
    """Also those of members; a new one works."""
    project_id, _ = await new_project(gateway)
    name = gateway.state.user_of(OTHER_KEY).name
    await gateway.client.put(f"/projects/{project_id}/members/{name}", json={"role": "viewer"})
    paths = [await link(client, project_id) for client in (gateway.client, gateway.other)]
    refused = await gateway.other.delete(f"/projects/{project_id}/iiif-link")
    assert (refused.status_code, refused.json()["code"]) == (403, "insufficient-role")
    for path in paths:
        assert (await gateway.anonymous.get(path)).status_code == 200
    assert (await gateway.client.delete(f"/projects/{project_id}/iiif-link")).status_code == 204
    for path in paths:
        assert (await gateway.anonymous.get(path)).status_code == 404
    assert (await gateway.anonymous.get(await link(gateway.client, project_id))).status_code == 200


async def test_a_link_ends_with_the_membership_of_who_made_it(gateway: Gateway) -> None:
    """A new membership does not revive it."""
    project_id, _ = await new_project(gateway)
    name = gateway.state.user_of(OTHER_KEY).name
    member = f"/projects/{project_id}/members/{name}"
    await gateway.client.put(member, json={"role": "editor"})
    path = await link(gateway.other, project_id)
    assert (await gateway.anonymous.get(path)).status_code == 200
    await gateway.client.delete(member)
    assert (await gateway.anonymous.get(path)).status_code == 404
    await gateway.client.put(member, json={"role": "editor"})
    assert (await gateway.anonymous.get(path)).status_code == 404


async def test_a_link_ends_with_the_key_and_with_the_project(gateway: Gateway) -> None:
    """The key is preflight for at the registry; it is cached as long as for other requests."""
    project_id, _ = await new_project(gateway)
    other_project, _ = await new_project(gateway, gateway.other)
    first, second = await link(gateway.client, project_id), await link(gateway.other, other_project)
    assert (await gateway.client.delete(f"/projects/{project_id}")).is_success
    assert (await gateway.anonymous.get(first)).status_code == 404
    assert (await gateway.other.delete("/me", headers={"X-Confirm": "delete-everything"})).is_success
    assert (await gateway.anonymous.get(second)).status_code == 404


def test_a_token_reveals_nothing_and_differs_each_time() -> None:
    """It is encrypted; two links to the same project have different tokens."""
    links = Links(gateway_keys()["session_secret"])
    original = new_link("8a7c1f0e-3a3b-4a55-9d56-0f6c7b0c9b11", b"k" * 32, "0", timedelta(hours=1))
    tokens = {links.sign(original) for _ in range(3)}
    assert len(tokens) == 3
    for token in tokens:
        assert links.verify(token) == original
        assert "8a7c1f0e" not in token
