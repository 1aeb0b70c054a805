"""A hand is renamed in all its projects."""

from tests.parts.gateway import Gateway, upload


async def test_a_hand_is_renamed_in_all_its_projects(gateway: Gateway) -> None:
    """Another user's hand of that name stays, and is unknown to the caller."""
    ids = [(await upload(gateway.client, hand="סבתא")).json()["project_id"] for _ in range(2)]
    foreign = (await upload(gateway.other, hand="דודה")).json()["project_id"]
    own = (await upload(gateway.client)).json()["project_id"]
    renamed = await gateway.client.patch("/hands/סבתא", json={"name": "סבתא רחל"})
    assert (renamed.status_code, renamed.json()) == (200, {"name": "סבתא רחל"})
    listed = (await gateway.client.get("/projects/")).json()["projects"]
    hands = {project["project_id"]: project["hand"] for project in listed}
    assert hands == {**dict.fromkeys(ids, "סבתא רחל"), own: None}
    for unknown in ("סבתא", "דודה"):
        answer = await gateway.client.patch(f"/hands/{unknown}", json={"name": "x"})
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    [project] = (await gateway.other.get("/projects/")).json()["projects"]
    assert (project["project_id"], project["hand"]) == (foreign, "דודה")


async def test_a_name_of_another_hand_or_an_empty_one_is_refused(gateway: Gateway) -> None:
    """Two hands are not merged by a name; the field is named."""
    for name in ("סבתא", "דודה"):
        await upload(gateway.client, hand=name)
    refused = await gateway.client.patch("/hands/סבתא", json={"name": "דודה"})
    assert (refused.status_code, refused.json()["code"]) == (409, "hand-name-taken")
    empty = await gateway.client.patch("/hands/סבתא", json={"name": ""})
    assert (empty.status_code, empty.json()["errors"][0]["field"]) == (422, "/name")
