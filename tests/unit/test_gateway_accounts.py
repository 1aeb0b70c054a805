"""A user sees the account, the key of the request and the limits; runs are listed."""

from pathlib import Path

from tests.parts.gateway import KEY, Gateway, in_process_gateway, upload
from tests.parts.in_memory.training import add_run


async def test_me_shows_the_account_the_key_and_the_limits(tmp_path: Path) -> None:
    """The limits are those of the settings; the key itself is nowhere in the response."""
    changes = {"rate_limit": "500/minute", "max_uploads_per_user": 3, "max_json_bytes": 1000}
    async with in_process_gateway(tmp_path, **changes) as gateway:
        response = await gateway.client.get("/me")
        account = response.json()
        assert (response.status_code, account["user_id"]) == (200, gateway.user.user_id)
        assert set(account) == {"user_id", "name", "created_at", "key", "roles", "limits"}
        assert account["key"]["prefix"] == "ktv_0a1b2c3d"
        assert account["roles"] == ["user"]
        limits = account["limits"]
        assert (limits["requests"], limits["uploads_at_once"], limits["max_json_bytes"]) == (
            "500/minute",
            3,
            1000,
        )
        assert KEY not in response.text
        other = (await gateway.other.get("/me/")).json()
        assert other["user_id"] != account["user_id"]


async def test_a_key_that_was_revoked_a_moment_ago_shows_nothing(gateway: Gateway) -> None:
    """The gateway remembers its user for some seconds, the registry does not."""
    assert (await gateway.client.get("/me")).status_code == 200
    gateway.state.keys.clear()
    assert (await gateway.client.get("/me")).status_code == 404


async def test_exports_of_a_page_and_of_a_project_are_in_the_audit_log(gateway: Gateway) -> None:
    """Newest first, in parts; that of another user has none, and a refused export writes none."""
    read = (await upload(gateway.client)).json()
    project, image = f"/projects/{read['project_id']}", read["image_id"]
    for address in (f"{project}/export?format=tei", f"{project}/images/{image}/export?format=alto"):
        assert (await gateway.client.get(address)).status_code == 200
        assert (await gateway.other.get(address)).status_code == 404
    first = (await gateway.client.get("/me/audit", params={"limit": 1})).json()
    rest = (await gateway.client.get("/me/audit", params={"cursor": first["next_cursor"]})).json()
    entries = [*first["entries"], *rest["entries"]]
    assert [(entry["actor"], entry["action"], entry["subject"]) for entry in entries] == [
        ("user", "project.exported", f"{read['project_id']} alto"),
        ("user", "project.exported", f"{read['project_id']} tei"),
    ]
    assert rest["next_cursor"] is None
    assert (await gateway.other.get("/me/audit")).json() == {"entries": [], "next_cursor": None}


async def test_runs_are_listed_newest_first_in_parts(gateway: Gateway) -> None:
    """As each run is shown; null after the last one; a foreign cursor is refused."""
    runs = [add_run(gateway.user).run_id for _ in range(3)]
    add_run(gateway.state.user("another"))
    first = (await gateway.client.get("/train/", params={"limit": 2})).json()
    rest = (await gateway.client.get("/train", params={"cursor": first["next_cursor"]})).json()
    assert [run["run_id"] for run in [*first["runs"], *rest["runs"]]] == runs[::-1]
    assert rest["next_cursor"] is None
    assert first["runs"][0] == (await gateway.client.get(f"/train/{runs[2]}")).json()
    forged = await gateway.client.get("/train/", params={"cursor": "forged"})
    assert (forged.status_code, forged.json()["code"]) == (422, "invalid-cursor")
    assert (await gateway.client.get("/train/", params={"limit": 0})).status_code == 422
