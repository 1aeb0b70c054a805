"""Projects are listed and shown with their images."""

from tests.parts.gateway import Gateway, png, upload


async def test_a_project_shows_its_images_and_continues_at_its_cursor(gateway: Gateway) -> None:
    """The same image as its own route returns; null after the last one."""
    first = (await upload(gateway.client, name="יומן")).json()
    second = (await upload(gateway.client, png(64), project_id=first["project_id"])).json()
    path = f"/projects/{first['project_id']}"
    project = (await gateway.client.get(path, params={"limit": 1})).json()
    assert set(project) == {"project_id", "name", "script", "hand", "created_at", "images", "next_cursor"}
    assert (project["name"], project["script"]) == ("יומן", "modern_cursive")
    assert project["images"] == [(await gateway.client.get(f"{path}/images/{first['image_id']}")).json()]
    rest = (await gateway.client.get(path, params={"cursor": project["next_cursor"]})).json()
    assert [image["image_id"] for image in rest["images"]] == [second["image_id"]]
    assert rest["next_cursor"] is None


async def test_the_list_of_projects_continues_at_its_cursor(gateway: Gateway) -> None:
    """Newest first; only the caller's own."""
    projects = [(await upload(gateway.client)).json()["project_id"] for _ in range(2)]
    await upload(gateway.other)
    first = (await gateway.client.get("/projects/", params={"limit": 1})).json()
    assert set(first["projects"][0]) == {"project_id", "name", "script", "hand", "created_at"}
    rest = (await gateway.client.get("/projects/", params={"cursor": first["next_cursor"]})).json()
    listed = [project["project_id"] for project in [*first["projects"], *rest["projects"]]]
    assert (listed, rest["next_cursor"]) == (projects[::-1], None)


async def test_a_project_belongs_to_the_hand_that_its_first_page_names(gateway: Gateway) -> None:
    """Null for the user's own; a hand has one script, and a project one hand."""
    own = (await upload(gateway.client)).json()["project_id"]
    aunts = (await upload(gateway.client, hand="דודה", script="rashi")).json()["project_id"]
    again = (await upload(gateway.client, hand="דודה")).json()["project_id"]
    listed = (await gateway.client.get("/projects/")).json()["projects"]
    assert {project["project_id"]: (project["hand"], project["script"]) for project in listed} == {
        own: (None, "modern_cursive"),
        aunts: ("דודה", "rashi"),
        again: ("דודה", "rashi"),
    }
    for fields, code in (
        ({"hand": "דודה", "script": "square"}, "hand-script"),
        ({"hand": "דודה", "project_id": own}, "hand-mismatch"),
        ({"hand": "Another", "project_id": aunts}, "hand-mismatch"),
        ({"hand": ""}, "invalid-input"),
        ({"hand": "a\x07"}, "control-character"),
    ):
        refused = await upload(gateway.client, **fields)
        assert (refused.status_code, refused.json()["code"]) == (422, code)
        assert [error["field"] for error in refused.json()["errors"]] == ["/hand"], fields
