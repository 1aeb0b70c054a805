"""Projects are created, listed, shown with their images, and changed."""

import json

import pytest

from tests.parts.gateway import Gateway, png, upload


async def test_a_project_shows_its_images_and_continues_at_its_cursor(gateway: Gateway) -> None:
    """The same image as its own route returns; null after the last one."""
    first = (await upload(gateway.client, name="יומן")).json()
    second = (await upload(gateway.client, png(64), project_id=first["project_id"])).json()
    path = f"/projects/{first['project_id']}"
    project = (await gateway.client.get(path, params={"limit": 1})).json()
    assert set(project) == {
        "project_id", "name", "script", "hand", "created_at", "owner", "role", "images", "next_cursor",
    }  # fmt: skip
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
    assert set(first["projects"][0]) == {
        "project_id", "name", "script", "hand", "created_at", "owner", "role",
    }  # fmt: skip
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


async def test_a_project_is_created_without_images(gateway: Gateway) -> None:
    """201 with its address; an upload with its id adds an image; the key makes a repeated request one."""
    headers = {"Idempotency-Key": "first"}
    body = {"name": "יומן", "script": "square"}
    created = await gateway.client.post("/projects/", json=body, headers=headers)
    project = created.json()
    assert (created.status_code, project["name"], project["script"]) == (201, "יומן", "square")
    assert created.headers["location"] == f"/projects/{project['project_id']}"
    spelled = json.dumps(body, indent=4)
    again = await gateway.client.post(
        "/projects/", content=spelled, headers=headers | {"Content-Type": "application/json"}
    )
    assert (again.status_code, again.json()) == (201, project)
    project_with_images = (await gateway.client.get(created.headers["location"])).json()
    assert project_with_images == {**project, "images": [], "next_cursor": None}
    assert (await upload(gateway.client, project_id=project["project_id"])).status_code == 201
    other = await gateway.client.post("/projects/", json={"name": "אחר"}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency-key-reused")
    default = (await gateway.client.post("/projects/", json={"name": "אחר"})).json()
    assert default["script"] == "modern_cursive"


async def test_the_name_of_another_project_is_refused(gateway: Gateway) -> None:
    """409 with the field and the id of that project, when a project is created and when one is renamed."""
    first, second = [
        (await gateway.client.post("/projects/", json={"name": name})).json()["project_id"] for name in "אב"
    ]
    for response in (
        await gateway.client.post("/projects/", json={"name": "א"}),
        await gateway.client.patch(f"/projects/{second}", json={"name": "א"}),
    ):
        problem = response.json()
        assert (response.status_code, problem["code"]) == (409, "name-taken")
        assert problem["project_id"] == first
        assert problem["errors"] == [{"field": "/name", "message": problem["detail"]}]
    assert (await gateway.other.post("/projects/", json={"name": "א"})).status_code == 201


async def test_a_project_is_changed_in_the_fields_that_are_sent(gateway: Gateway) -> None:
    """An absent field and null stay; another user's project is not found."""
    project = (await gateway.client.post("/projects/", json={"name": "א", "script": "rashi"})).json()
    path = f"/projects/{project['project_id']}"
    for change, expected in (
        ({"name": "ב"}, {"name": "ב"}),
        ({"script": "square", "name": None}, {"script": "square"}),
        ({}, {}),
    ):
        response = await gateway.client.patch(path, json=change)
        project |= expected
        assert (response.status_code, response.json()) == (200, project)
    assert (await gateway.other.patch(path, json={"name": "ג"})).status_code == 404


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, "/name", "invalid-input"),
        ({"name": ""}, "/name", "invalid-input"),
        ({"name": None}, "/name", "invalid-input"),
        ({"name": 7}, "/name", "invalid-input"),
        ({"name": "א" * 201}, "/name", "text-too-long"),
        ({"name": "א", "script": "klingon"}, "/script", "invalid-input"),
    ],
)
async def test_a_project_with_an_invalid_field_is_refused(
    gateway: Gateway, body: dict[str, object], field: str, code: str
) -> None:
    """422 with the field; the registry is not called."""
    response = await gateway.client.post("/projects/", json=body)
    assert (response.status_code, response.json()["code"]) == (422, code)
    assert response.json()["errors"][0]["field"] == field
    assert "CreateProject" not in gateway.state.calls


async def test_a_light_view_of_a_project_leaves_out_polygons_or_transcriptions(gateway: Gateway) -> None:
    """`text`: lines without geometry and words; `images`: no transcriptions, which are not read either."""
    read = (await upload(gateway.client)).json()
    await upload(gateway.client, png(64), project_id=read["project_id"])
    path = f"/projects/{read['project_id']}"
    whole, text, images = [
        (await gateway.client.get(path, params={"fields": fields})).json()
        for fields in ("all", "text", "images")
    ]
    assert whole == (await gateway.client.get(path)).json()
    for image in whole["images"]:
        for line in image["transcription"]["lines"]:
            for name in ("baseline", "boundary", "words"):
                del line[name]
    assert text == whole
    assert text["images"][0]["transcription"]["lines"][0]["text"]
    for image in whole["images"]:
        del image["transcription"]
    assert images == whole
    refused = await gateway.client.get(path, params={"fields": "polygons"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "fields")
    part = (await gateway.client.get(path, params={"fields": "images", "limit": 1})).json()
    rest = (await gateway.client.get(path, params={"fields": "images", "cursor": part["next_cursor"]})).json()
    assert [*part["images"], *rest["images"]] == images["images"]
