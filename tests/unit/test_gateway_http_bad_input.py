"""Bad input gets a 4xx problem with a stable code; nothing is stored, and no foreign id is confirmed."""

import json
import re
from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest

from ketav_common.errors import InvalidInput
from tests.parts.gateway import KEY, Gateway, png, upload, without_trace

UNKNOWN = "0f7f6a44-6d0c-4c1e-9a53-b2a1c3d4e5f6"
"""Id of no page; a constant, for tests are named by it."""


def refused(response: httpx.Response, status: int, code: str) -> None:
    """Check that a response is a complete problem."""
    problem = response.json()
    assert (response.status_code, problem["code"]) == (status, code), problem
    assert response.headers["content-type"] == "application/problem+json"
    assert problem["type"] == f"urn:ketav:problem:{code}"
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    assert response.headers["x-request-id"]


def feedback(**changes: object) -> bytes:
    """Return a feedback body with changed members."""
    body = {"project_id": UNKNOWN, "image_id": UNKNOWN, "corrected_text": "שלום"}
    return json.dumps({name: value for name, value in (body | changes).items() if value is not None}).encode()


LINE = {"line_id": UNKNOWN, "text": "שלום"}
JSON = {
    "nothing": (b"", "malformed-json"),
    "no JSON": (b"{", "malformed-json"),
    "NaN": (b'{"project_id": NaN}', "malformed-json"),
    "Infinity": (b'{"project_id": -Infinity}', "malformed-json"),
    "1e999": (b'{"project_id": 1e999}', "malformed-json"),
    "5,000 digits": (b'{"project_id": ' + b"9" * 5000 + b"}", "malformed-json"),
    "not UTF-8": (b'{"project_id": "\xff"}', "malformed-json"),
    "a byte order mark": (b"\xef\xbb\xbf{}", "malformed-json"),
    "UTF-16": ("{}".encode("utf-16"), "malformed-json"),
    "depth 100,000": (b"[" * 100_000 + b"]" * 100_000, "json-too-deep"),
    "depth 50": (b'{"a":' + b"[" * 50 + b"]" * 50 + b"}", "json-too-deep"),
    "a member twice": (b'{"project_id": "a", "project_id": "b"}', "duplicate-member"),
    "a lone surrogate": (b'{"project_id": "\\ud800"}', "malformed-text"),
    "a surrogate as a name": (b'{"\\udc00": 1}', "malformed-text"),
    "NUL": (b'{"project_id": "\\u0000"}', "malformed-text"),
    "a list": (b"[]", "invalid-input"),
    "a number": (b"7", "invalid-input"),
    "an unknown field": (feedback(author="me"), "unknown-field"),
    "a wrong type": (feedback(corrected_text=7), "invalid-input"),
    "true for text": (feedback(corrected_text=True), "invalid-input"),
    "an empty text": (feedback(corrected_text=""), "invalid-input"),
    "neither text nor lines": (feedback(corrected_text=None), "invalid-input"),
    "both text and lines": (feedback(lines=[LINE]), "invalid-input"),
    "no lines": (feedback(corrected_text=None, lines=[]), "invalid-input"),
    "a text of 200,001 characters": (feedback(corrected_text="א\n" * 100_000 + "א"), "text-too-long"),
    "1,001 lines": (feedback(corrected_text=None, lines=[LINE] * 1001), "line-count"),
    "1,001 lines, one of them too long": (
        feedback(corrected_text=None, lines=[{**LINE, "text": "א" * 4001}, *[LINE] * 1000]),
        "line-count",
    ),
    "a line too long and another without a text": (
        feedback(corrected_text=None, lines=[{**LINE, "text": "א" * 4001}, {"line_id": UNKNOWN}]),
        "invalid-input",
    ),
    "a string for confirm": (
        feedback(corrected_text=None, lines=[{**LINE, "confirm": "yes"}]),
        "invalid-input",
    ),
    "an upper-case UUID": (feedback(project_id=UNKNOWN.upper() + "A"), "invalid-input"),
    "a UUID in braces": (feedback(image_id="{" + UNKNOWN + "}"), "invalid-input"),
    "a UUID with a line feed": (feedback(image_id=UNKNOWN + "\n"), "invalid-input"),
    "a UUID in other digits": (feedback(image_id="٠" * 8 + UNKNOWN[8:]), "invalid-input"),
}


@pytest.mark.parametrize(("body", "code"), JSON.values(), ids=JSON)
async def test_invalid_json_is_refused(gateway: Gateway, body: bytes, code: str) -> None:
    """422 with a stable code; the registry is not called."""
    response = await gateway.client.post(
        "/feedback/", content=body, headers={"Content-Type": "application/json"}
    )
    refused(response, 422, code)
    assert "SubmitCorrections" not in gateway.state.calls


async def test_a_json_body_is_counted_while_it_arrives(gateway: Gateway) -> None:
    """More than 2 MiB is 413, whatever its headers say."""

    async def endless() -> AsyncIterator[bytes]:
        """Yield a body of 8 MiB without a length."""
        yield b'{"corrected_text": "'
        for _ in range(128):
            yield b"a" * 65536

    response = await gateway.client.post(
        "/feedback/", content=endless(), headers={"Content-Type": "application/json"}
    )
    refused(response, 413, "too-large")


@pytest.mark.parametrize("media_type", ["text/plain", "", "application/x-www-form-urlencoded", "a/b; c=json"])
async def test_other_content_than_json_is_415(gateway: Gateway, media_type: str) -> None:
    """The Content-Type decides, not the body."""
    response = await gateway.client.post(
        "/feedback/", content=feedback(), headers={"Content-Type": media_type}
    )
    refused(response, 415, "unsupported-content-type")


@pytest.mark.parametrize("path", ["/feedback/", "/ocr/"])
async def test_a_compressed_body_is_415(gateway: Gateway, path: str) -> None:
    """Its size is unknown until it is decompressed."""
    types = {"/feedback/": "application/json", "/ocr/": "multipart/form-data; boundary=b"}
    headers = {"Content-Type": types[path], "Content-Encoding": "gzip"}
    refused(
        await gateway.client.post(path, content=b"\x1f\x8b", headers=headers), 415, "unsupported-content-type"
    )


@pytest.mark.parametrize("name", ["../../x", "a\\b", "שלום.png", "x" * 5000, "\u202egnp.exe", "x.svg"])
async def test_the_name_of_a_file_is_ignored(gateway: Gateway, name: str) -> None:
    """It is not stored, returned or used as a type."""
    response = await gateway.client.post("/ocr/", files={"file": (name, png(), "text/html")})
    assert response.status_code == 201
    assert name not in response.text


FIELDS = {
    "another script": ({"script": "klingon"}, "invalid-input"),
    "another layout": ({"layout": "LAYOUT_PAGE"}, "invalid-input"),
    "no UUID": ({"project_id": "7"}, "invalid-input"),
    "a name too long": ({"name": "א" * 201}, "text-too-long"),
    "a bidi override in a name": ({"name": "a\u202eb"}, "bidi-override"),
    "NUL in a name": ({"name": "a\x00b"}, "control-character"),
    "an unknown field": ({"user_id": UNKNOWN}, "unknown-field"),
}


@pytest.mark.parametrize(("fields", "code"), FIELDS.values(), ids=FIELDS)
async def test_invalid_form_fields_are_refused(gateway: Gateway, fields: dict[str, str], code: str) -> None:
    """422 with a stable code, and nothing is stored."""
    refused(await upload(gateway.client, None, **fields), 422, code)
    assert "CreatePage" not in gateway.state.calls


def part(name: str, data: bytes, *headers: bytes) -> bytes:
    """Return a part of a form."""
    lines = [b"--b", b'Content-Disposition: form-data; name="' + name.encode() + b'"', *headers, b"", data]
    return b"\r\n".join(lines) + b"\r\n"


END = b"--b--\r\n"
FILE = part("file", png())
FORMS = {
    "no file": (part("name", b"a") + END, 422, "missing-file"),
    "nothing": (b"", 422, "malformed-multipart"),
    "only the end": (END, 422, "missing-file"),
    "two files": (FILE + FILE + END, 422, "duplicate-field"),
    "a field twice": (part("name", b"a") * 2 + FILE + END, 422, "duplicate-field"),
    "1,001 parts": (b"".join(part("name", b"") for _ in range(1001)) + END, 422, "duplicate-field"),
    "a field of 2 MB": (part("name", bytes(2_000_000)) + FILE + END, 413, "field-too-large"),
    "a field that is not UTF-8": (part("name", b"\xff") + FILE + END, 422, "malformed-text"),
    "no closing boundary": (FILE, 422, "malformed-multipart"),
    "cut in the file": (FILE[:60], 422, "malformed-multipart"),
    "a preamble of 10 MB": (b"x" * 10_000_000 + FILE + END, 422, "malformed-multipart"),
    "10,000 headers": (part("file", b"", *[b"X-A: b"] * 10_000) + END, 422, "malformed-multipart"),
    "a header of 1 MB": (part("file", b"", b"X-A: " + b"b" * 1_000_000) + END, 422, "malformed-multipart"),
    "headers of 200 KB": (part("file", b"", *[b"X-A: " + b"b" * 9000] * 20) + END, 413, "headers-too-large"),
    "no name": (b"--b\r\nContent-Disposition: form-data\r\n\r\na\r\n" + END, 422, "malformed-multipart"),
    "no disposition": (b"--b\r\nContent-Type: image/png\r\n\r\na\r\n" + END, 422, "malformed-multipart"),
    "an empty file": (part("file", b"") + END, 422, "empty-file"),
}


@pytest.mark.parametrize(("body", "status", "code"), FORMS.values(), ids=FORMS)
async def test_broken_forms_are_refused(gateway: Gateway, body: bytes, status: int, code: str) -> None:
    """4xx with a stable code; no spooled file remains."""
    response = await gateway.client.post(
        "/ocr/", content=body, headers={"Content-Type": "multipart/form-data; boundary=b"}
    )
    refused(response, status, code)
    assert gateway.settings.spool_dir is not None
    assert list(gateway.settings.spool_dir.iterdir()) == []


@pytest.mark.parametrize("boundary", ["", "; boundary=", "; boundary=" + "b" * 71])
async def test_a_form_needs_a_usable_boundary(gateway: Gateway, boundary: str) -> None:
    """1 to 70 characters (RFC 2046)."""
    headers = {"Content-Type": f"multipart/form-data{boundary}"}
    refused(
        await gateway.client.post("/ocr/", content=FILE + END, headers=headers), 422, "malformed-multipart"
    )


async def test_a_file_over_25_mib_is_refused_while_it_arrives(gateway: Gateway) -> None:
    """413; the file is not decoded."""
    response = await upload(gateway.client, b"\x89PNG\r\n\x1a\n" + bytes(25 * 1024 * 1024))
    refused(response, 413, "file-too-large")


IDS = [
    "7",
    UNKNOWN.upper(),
    UNKNOWN.replace("-", ""),
    "{" + UNKNOWN + "}",
    "urn:uuid:" + UNKNOWN,
    UNKNOWN + "%0A",
]


@pytest.mark.parametrize("image_id", [UNKNOWN, *IDS])
async def test_a_foreign_page_is_404_byte_for_byte_like_an_unknown_one(
    gateway: Gateway, image_id: str
) -> None:
    """Unknown, malformed and foreign ids cannot be distinguished."""
    page = (await upload(gateway.client)).json()
    for end in ("", "/file", "/export?format=txt"):
        foreign = await gateway.other.get(f"/projects/{page['project_id']}/images/{page['image_id']}{end}")
        unknown = await gateway.other.get(f"/projects/{UNKNOWN}/images/{image_id}{end}")
        assert foreign.status_code == unknown.status_code == 404
        assert without_trace(foreign) == without_trace(unknown)
        compared = [
            {name: value for name, value in response.headers.items() if name != "x-request-id"}
            for response in (foreign, unknown)
        ]
        assert compared[0] == compared[1]


async def test_foreign_and_unknown_projects_are_the_same_404_everywhere(gateway: Gateway) -> None:
    """Showing, correcting, adding to and reading again another user's project."""
    page = (await upload(gateway.client)).json()
    responses = []
    for project, image in ((page["project_id"], page["image_id"]), (UNKNOWN, UNKNOWN)):
        body = {"project_id": project, "image_id": image, "corrected_text": "א"}
        responses.append(
            [
                without_trace(await gateway.other.get(f"/projects/{project}")),
                without_trace(await gateway.other.post(f"/projects/{project}/images/{image}/ocr")),
                without_trace(await gateway.other.post("/feedback/", json=body)),
                without_trace(await upload(gateway.other, project_id=project)),
            ]
        )
    assert responses[0] == responses[1]
    assert {json.loads(content)["code"] for content in responses[0]} == {"not-found"}


async def test_forged_cursors_and_limits_are_422(gateway: Gateway) -> None:
    """The registry checks the cursor, the gateway its form."""
    refused(await gateway.client.get("/projects/?cursor=forged"), 422, "invalid-cursor")
    for query in (
        "cursor=" + "a" * 513,
        "cursor=%00",
        "limit=0",
        "limit=101",
        "limit=1e9",
        "limit=" + "9" * 5000,
    ):
        refused(await gateway.client.get(f"/projects/?{query}"), 422, "invalid-input")


@pytest.mark.parametrize("key", ["", "é", "a" * 256, "a b", "\t"])
async def test_an_idempotency_key_is_1_to_255_visible_ascii(gateway: Gateway, key: str) -> None:
    """Anything else is 422 before a service is called."""
    headers = {"Idempotency-Key": key.encode()}
    response = await gateway.client.post("/train/", headers=headers)  # type: ignore[arg-type]
    refused(response, 422, "malformed-idempotency-key")
    assert "StartTraining" not in gateway.state.calls


async def test_a_training_run_has_no_settings_but_the_hand(gateway: Gateway) -> None:
    """An empty object is accepted, one with other members is not."""
    assert (await gateway.client.post("/train/", json={})).status_code == 202
    refused(await gateway.client.post("/train/", json={"epochs": 7}), 422, "unknown-field")
    refused(await gateway.client.post("/train/", content=b"a" * 5000), 413, "too-large")


@pytest.mark.parametrize("event_id", ["x", "-1", "1" * 19])
async def test_a_last_event_id_is_a_revision(gateway: Gateway, event_id: str) -> None:
    """422 for anything else."""
    path = f"/train/{UNKNOWN}/events"
    refused(await gateway.client.get(path, headers={"Last-Event-ID": event_id}), 422, "malformed-event-id")


async def test_unknown_addresses_and_methods_are_problems(gateway: Gateway) -> None:
    """404 and 405 have the form of every other error."""
    refused(await gateway.client.get("/nothing"), 404, "not-found")
    response = await gateway.client.delete("/projects/")
    refused(response, 405, "method-not-allowed")
    assert response.headers["allow"] == "GET, HEAD, POST"


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/webhook", "DELETE, GET, HEAD, PUT"),
        (f"/projects/{UNKNOWN}", "DELETE, GET, HEAD, PATCH"),
        ("/models/policy/", "GET, HEAD, PUT"),
        ("/ocr", "POST"),
    ],
)
async def test_a_wrong_method_names_all_methods_of_the_address(
    gateway: Gateway, path: str, allowed: str
) -> None:
    """In the detail and in the header Allow (RFC 9110, section 10.2.1), also where routes share a path."""
    response = await gateway.client.request("TRACE", path)
    refused(response, 405, "method-not-allowed")
    assert response.headers["allow"] == allowed
    assert response.json()["detail"].endswith(f"Use {allowed}.")


@pytest.mark.parametrize("path", ["/upload/", "/projects//", "/" + "a" * 3000, "/docs/absent.js"])
async def test_an_address_without_a_route_refers_to_the_list_of_addresses(
    gateway: Gateway, path: str
) -> None:
    """Also with another last slash; there is no id to check."""
    for address in (path, f"{path}/"):
        response = await gateway.client.get(address)
        refused(response, 404, "not-found")
        assert (
            response.json()["detail"] == "This address does not exist. The addresses are listed under /docs."
        )


@pytest.mark.parametrize(
    ("path", "name", "advice"),
    [
        ("/projects/?cursr=a", "cursr", "the parameters are cursor, limit"),
        ("/projects?Limit=3", "Limit", "the parameters are cursor, limit"),
        (f"/projects/{UNKNOWN}/images/{UNKNOWN}/export?fmt=alto", "fmt", "the parameters are"),
        ("/models/policy?limit", "limit", "it has no parameters"),
        ("/models/policy?%D7%A9=", "ש", "it has no parameters"),
        ("/models/policy?a%07b=1", "a\ufffdb", "it has no parameters"),
        ("/models/policy?" + "a" * 3000, "a" * 64, "it has no parameters"),
    ],
)
async def test_an_unknown_query_parameter_is_refused_by_its_name(
    gateway: Gateway, path: str, name: str, advice: str
) -> None:
    """A misspelt one would be ignored, and the client would get another answer than it asked for."""
    response = await gateway.client.get(path)
    refused(response, 422, "unknown-field")
    assert f"has no parameter {name!r}. Remove it; {advice}" in response.json()["detail"]
    assert response.json()["errors"] == [{"field": name, "message": response.json()["detail"]}]
    assert set(gateway.state.calls) <= {"ResolveApiKey"}


async def test_unknown_parameters_are_no_reason_before_the_key(gateway: Gateway) -> None:
    """401 without a key; the addresses without a key ignore parameters, as probes send some."""
    refused(await gateway.anonymous.get("/projects/?x=1"), 401, "unauthenticated")
    assert (await gateway.anonymous.get("/livez?x=1")).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer ktv_unknown"},
        {"Authorization": f"Basic {KEY}"},
        {"Authorization": f"Bearer {KEY} "[:-5]},
        {"X-API-Key": "secret"},
        {"X-API-Key": "ktv_" + "a" * 500},
        {"X-API-Key": b"ktv_\xe9"},
    ],
)
async def test_without_a_known_key_everything_is_401(gateway: Gateway, headers: dict[str, str]) -> None:
    """The same problem for no key, a malformed and an unknown one; the body is not even read."""
    for path in ("/ocr/", "/feedback/", "/train/", "/models/hebrew_base-1/activate"):
        response = await gateway.anonymous.post(path, headers=headers)
        refused(response, 401, "unauthenticated")
        assert response.headers["www-authenticate"].startswith("Bearer")


OPEN = {"/livez", "/readyz"}


async def test_every_route_but_the_open_ones_asks_for_a_key(gateway: Gateway) -> None:
    """Every route of the description, so also one that is added later."""
    paths = (await gateway.anonymous.get("/openapi.json")).json()["paths"]
    assert paths.keys() > OPEN
    for path, methods in paths.items():
        address = re.sub(r"\{\w+\}", UNKNOWN, path)
        for method in methods:
            response = await gateway.anonymous.request(method, address)
            if path in OPEN:
                assert response.status_code == 200
            else:
                refused(response, 401, "unauthenticated")
    assert gateway.state.calls == []


async def test_an_invalid_field_is_named_by_its_pointer_and_its_line(gateway: Gateway) -> None:
    """RFC 6901 pointers into the body, the line's id, what is wrong and what to send."""
    other = str(uuid4())
    lines = [LINE, {"line_id": other, "text": 7}, {"line_id": UNKNOWN, "te/xt": "א"}]
    response = await gateway.client.post(
        "/feedback/",
        content=feedback(corrected_text=None, lines=lines),
        headers={"Content-Type": "application/json"},
    )
    refused(response, 422, "invalid-input")
    assert response.json()["errors"] == [
        {
            "field": "/lines/1/text",
            "line_id": other,
            "message": "The value is not a string. Send a JSON string.",
        },
        {
            "field": "/lines/2/text",
            "line_id": UNKNOWN,
            "message": "The field is missing. Add it.",
        },
        {
            "field": "/lines/2/te~1xt",
            "line_id": UNKNOWN,
            "message": "The request has no field 'te/xt'. Remove it.",
        },
    ]


async def test_an_unknown_field_of_a_body_is_named(gateway: Gateway) -> None:
    """In the detail and by its pointer, as an unknown parameter is."""
    response = await gateway.client.post(
        "/feedback/",
        content=feedback(corrected_text=None, lines=[LINE | {"checked": True}]),
        headers={"Content-Type": "application/json"},
    )
    refused(response, 422, "unknown-field")
    assert response.json()["detail"] == "The request has no field 'checked'. Remove it."
    assert response.json()["errors"][0]["field"] == "/lines/0/checked"


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({"lines": [LINE] * 1001}, "/lines", "The array has 1,001 elements; 1,000 are allowed."),
        ({"lines": []}, "/lines", "The array has 0 elements. Send at least 1."),
        ({"corrected_text": ""}, "/corrected_text", "The text is empty. Send at least one character."),
        ({"project_id": "א\0"}, "/project_id", "A string of the JSON body has the"),
    ],
)
async def test_a_value_beyond_a_limit_is_named_with_the_limit(
    gateway: Gateway, body: dict[str, object], field: str, message: str
) -> None:
    """The field by its pointer; no advice that the field does not allow."""
    sent = {"project_id": UNKNOWN, "image_id": UNKNOWN} | body
    problem = (await gateway.client.post("/feedback/", json=sent)).json()
    [error] = problem["errors"]
    assert error["field"] == field
    assert error["message"].startswith(message)
    assert "omit" not in error["message"]
    if problem["code"] != "invalid-input":
        assert problem["detail"] == error["message"]


async def test_the_detail_of_an_error_of_the_whole_body_says_what_is_wrong(gateway: Gateway) -> None:
    """`errors` names no field that could be corrected."""
    bodies: list[object] = [[], {"project_id": UNKNOWN, "image_id": UNKNOWN}]
    for body in bodies:
        problem = (await gateway.client.post("/feedback/", json=body)).json()
        [error] = problem["errors"]
        assert (error["field"], error["message"]) == ("", problem["detail"])


async def test_a_text_that_is_too_long_for_a_cursor_is_not_to_be_shortened(gateway: Gateway) -> None:
    """It gets the sentence of every text that is no cursor."""
    long, forged = [
        (await gateway.client.get(f"/projects/?cursor={cursor}")).json()["errors"]
        for cursor in ("a" * 600, "forged")
    ]
    assert long == forged


async def test_an_error_in_a_part_of_a_form_or_in_a_header_names_it(gateway: Gateway) -> None:
    """`errors` has the field of the form, the header or the parameter, as it has the field of a JSON body."""
    keys = {"Idempotency-Key": "a b"}
    responses = {
        "/name": await upload(gateway.client, None, name="a\u202eb"),
        "/user_id": await upload(gateway.client, None, user_id="7"),
        "/file": await upload(gateway.client, b"no image"),
        "Idempotency-Key": await gateway.client.post("/train/", headers=keys),
        "Last-Event-ID": await gateway.client.get(f"/train/{UNKNOWN}/events", headers={"Last-Event-ID": "x"}),
        "X-Confirm": await gateway.client.delete("/me"),
        "cursor": await gateway.client.get("/projects/?cursor=forged"),
    }
    for field, response in responses.items():
        [error] = response.json()["errors"]
        assert error == {"field": field, "message": response.json()["detail"]}


async def test_an_invalid_parameter_is_named(gateway: Gateway) -> None:
    """By its name without a slash: it is no pointer into a body."""
    response = await gateway.client.get("/projects/?limit=0")
    refused(response, 422, "invalid-input")
    assert response.json()["errors"] == [
        {"field": "limit", "message": "The number is below 1. Send a number of at least 1."}
    ]


async def test_the_location_of_a_service_s_error_becomes_an_entry_of_errors(gateway: Gateway) -> None:
    """Pointer, line and line id come from the details; other details stay members."""
    gateway.state.failures["SubmitCorrections"] = InvalidInput(
        "The text has U+202E at code point 2. Remove this character.",
        code="bidi-override",
        details={"pointer": "/corrected_text", "line": "3", "line_id": UNKNOWN, "project_id": UNKNOWN},
    )
    response = await gateway.client.post(
        "/feedback/", content=feedback(), headers={"Content-Type": "application/json"}
    )
    refused(response, 422, "bidi-override")
    assert response.json()["errors"] == [
        {"field": "/corrected_text", "line": 3, "line_id": UNKNOWN, "message": response.json()["detail"]}
    ]
    assert response.json()["project_id"] == UNKNOWN
    assert "pointer" not in response.json()


async def test_an_unknown_form_field_is_named(gateway: Gateway) -> None:
    """With the fields that exist; unprintable characters are replaced."""
    response = await upload(gateway.client, None, **{"us\x07er": "me"})
    refused(response, 422, "unknown-field")
    assert "'us" in response.json()["detail"]
    assert "\x07" not in response.json()["detail"]
    assert "file, hand, layout, model, name, project_id, rotate, script" in response.json()["detail"]
