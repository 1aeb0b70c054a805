"""The API's description has sentences, an example of each response and problem, links, and a page."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from prometheus_client import CollectorRegistry
from pydantic import TypeAdapter

from ketav_gateway.http.openapi import WITH_COOKIE, operations
from ketav_gateway.http.problem_codes import CODES
from ketav_gateway.main import build
from tests.parts.gateway import Gateway, gateway_settings, in_process_gateway
from tools.hygiene import ROOT

SENTENCES = re.compile(r"[A-Z`\d].*[.:]", re.DOTALL)
WITHOUT_EXAMPLE = {"application/pdf", "application/zip", "image/png", "image/jpeg", "multipart/form-data"}


@pytest.fixture
def document(tmp_path: Path) -> dict[str, Any]:
    """Return the description."""
    description: dict[str, Any] = build(gateway_settings(tmp_path), CollectorRegistry()).openapi()
    return description


def test_every_operation_has_a_tag_that_is_described(document: dict[str, Any]) -> None:
    """The page groups the operations by tag and shows the tag's description."""
    tags = {tag["name"] for tag in document["tags"] if tag["description"].endswith(".")}
    used = {tag for _, _, operation in operations(document) for tag in operation["tags"]}
    assert used == tags


def test_every_operation_parameter_and_field_is_described_in_sentences(document: dict[str, Any]) -> None:
    """Capital letter or code, full stop."""
    bad = [text for text in _descriptions(document) if not SENTENCES.fullmatch(text)]
    assert bad == []


def _descriptions(document: dict[str, Any]) -> Iterator[str]:
    """Yield the descriptions of all parts; for a part without one its name."""
    for path, method, operation in operations(document):
        yield f"{operation['summary']}."
        yield operation.get("description", "").partition("\n\n```")[0]
        for parameter in operation.get("parameters", []):
            yield parameter.get("description", f"{method} {path} {parameter['name']}")
        for response in operation["responses"].values():
            yield response["description"]
            yield from (link["description"] for link in response.get("links", {}).values())
    for name, schema in document["components"]["schemas"].items():
        yield schema.get("description", name)
        yield from (f.get("description", f"{name}.{n}") for n, f in schema.get("properties", {}).items())


def test_every_operation_has_a_curl_command(document: dict[str, Any]) -> None:
    """With the key or a cookie where one is needed.

    The variables are README's, or hold an id of an earlier response.
    """
    readme = (ROOT / "README.md").read_text("utf-8")
    ids = {"IMAGE", "JOB", "LINE", "NAME", "RUN", "VERSION"}
    variables = {*re.findall(r"^([A-Z]+)=", readme, re.MULTILINE), *ids}
    shell = re.search(r"```sh\n(.*?)```", document["info"]["description"], re.DOTALL)
    assert shell is not None
    assert {"KETAV", "AUTH"} <= {*re.findall(r"^([A-Z]+)=", shell[1], re.MULTILINE)} <= variables
    for path, _, operation in operations(document):
        command = operation["description"].partition("```sh\n")[2]
        assert command.startswith("curl ")
        command = command.partition("```")[0]
        authenticated = '-H "$AUTH"' in command or f" {WITH_COOKIE} " in command
        assert authenticated == ("security" in operation), path
        assert {*re.findall(r"\$([A-Z]+)", command)} <= variables, path
        subprocess.run(["bash", "-n", "-c", command], check=True)
        assert "{" not in command.rpartition('"$KETAV')[2]
        assert "x-curl" not in operation


def _validate(document: dict[str, Any], schema: dict[str, Any], example: Any) -> None:
    """Raise a ValidationError unless an example has the form of a schema of the description."""
    Draft202012Validator(schema | {"components": document["components"]}).validate(example)


def test_every_body_has_an_example_of_its_schema(document: dict[str, Any]) -> None:
    """Requests and successful responses in JSON, text and events; an image and a form need none."""
    examples = 0
    for path, method, operation in operations(document):
        successful = {status: body for status, body in operation["responses"].items() if status < "3"}
        for status, body in (successful | {"request": operation.get("requestBody", {})}).items():
            for media_type, content in body.get("content", {}).items():
                if media_type in WITHOUT_EXAMPLE:
                    continue
                assert "example" in content, f"{method} {path} {status} {media_type}"
                examples += 1
                if "schema" in content:
                    _validate(document, content["schema"], content["example"])
    assert examples > 30


def test_every_problem_has_an_example_of_its_code(document: dict[str, Any]) -> None:
    """With the status that it is listed under, whole sentences, and nothing unlisted."""
    listed: set[str] = set()
    for path, _, operation in operations(document):
        for status, response in operation["responses"].items():
            if status >= "4":
                [content] = response["content"].values()
                assert content["schema"] == {"$ref": "#/components/schemas/Problem"}, path
                for code, example in content["examples"].items():
                    value = example["value"]
                    _validate(document, content["schema"], value)
                    assert (value["code"], value["status"]) == (code, int(status))
                    assert len(re.findall(r"[.?](?=\s|$)", value["detail"])) >= 2, value["detail"]
                    listed.add(code)
    assert listed == CODES.keys()


def test_links_lead_to_operations_that_exist(document: dict[str, Any]) -> None:
    """From a reading to its corrections, image and export; from a started training to the run."""
    by_id = {operation["operationId"]: operation for _, _, operation in operations(document)}
    links = {
        (name, link["operationId"])
        for operation in by_id.values()
        for response in operation["responses"].values()
        for name, link in response.get("links", {}).items()
    }
    assert links == {
        ("feedback", "save_feedback"),
        ("image", "get_image"),
        ("export", "export"),
        ("job", "get_job"),
        ("events", "watch_job"),
        ("cancel", "cancel_job"),
        ("run", "get_training"),
        ("events", "watch_training"),
        ("cancel", "cancel_training"),
    }
    assert {target for _, target in links} <= by_id.keys()
    assert len(by_id) == len(list(operations(document)))


def test_no_schema_calls_a_run_leased(document: dict[str, Any]) -> None:
    """Users read `running`, in the schema and in its descriptions."""
    assert not re.search(r"\bleased?\b", json.dumps(document), re.IGNORECASE)
    states = document["components"]["schemas"]["TrainingRun"]["properties"]["state"]["enum"]
    assert states == ["queued", "running", "evaluating", "succeeded", "rejected", "failed", "cancelled"]


def test_problems_have_their_own_media_type_and_schema_alone(document: dict[str, Any]) -> None:
    """Nothing of the framework's errors is left."""
    assert "ValidationError" not in json.dumps(document)
    assert json.dumps(document).count("application/problem+json") > 50


async def test_the_page_loads_scripts_and_styles_of_this_server_alone(gateway: Gateway) -> None:
    """No inline script, no other host; the policy forbids both."""
    page = await gateway.anonymous.get("/docs")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    policy = dict(
        directive.split(" ", 1) for directive in page.headers["content-security-policy"].split("; ")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert re.findall(r"<script(?! src=\"docs/[\w.-]+\"></script>)", page.text) == []
    addresses = re.findall(r"(?:src|href)=\"([^\"]+)\"", page.text)
    assert not [address for address in addresses if "//" in address]
    for address in addresses:
        if address.startswith("docs/"):
            asset = await gateway.anonymous.get(f"/{address}")
            assert asset.status_code == 200
            assert asset.headers["x-content-type-options"] == "nosniff"
            assert asset.headers["content-type"].startswith(("text/javascript", "text/css"))
    assert (await gateway.anonymous.get("/docs/..%2fdocs.py")).status_code == 404
    assert (await gateway.anonymous.get("/docs/docs.html")).status_code == 404


@pytest.mark.parametrize("path", ["/docs", "/docs/docs.js", "/openapi.json"])
async def test_an_operator_may_switch_the_description_off(tmp_path: Path, path: str) -> None:
    """Its addresses are unknown then, and no answer refers to them."""
    async with in_process_gateway(tmp_path, docs="off") as closed:
        answer = await closed.anonymous.get(path)
        assert (answer.status_code, answer.json()["detail"]) == (404, "This address does not exist.")
        assert (await closed.client.get("/me")).status_code == 200


async def test_the_description_is_served_without_a_key(gateway: Gateway) -> None:
    """As JSON; each operation with a key says so."""
    document = (await gateway.anonymous.get("/openapi.json")).json()
    assert TypeAdapter(dict[str, Any]).validate_python(document)["openapi"].startswith("3.1")
    for path, _, operation in operations(document):
        assert ("security" in operation) == (path not in {"/livez", "/readyz"})
        if "security" in operation:
            assert {"401", "429", "500", "503"} <= operation["responses"].keys()
