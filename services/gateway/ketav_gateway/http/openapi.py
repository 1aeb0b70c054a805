"""The API's description (OpenAPI 3.1): FastAPI's, with examples, curl commands and the problem's schema."""

import json
import re
import shlex
from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from ketav_gateway.http.problems import Problem
from ketav_gateway.schemas import ResponseBody

JSON = "application/json"
CURL_ARGUMENTS = "x-curl"
"""Extension of an operation with further arguments of its curl command; it is removed from the
description."""
WITH_COOKIE = "-b cookies"
"""Arguments that send the cookie of a session instead of a key, which would have precedence."""
_FASTAPI_SCHEMAS = ("HTTPValidationError", "ValidationError")
_FASTAPI_DESCRIPTION = "Successful Response"
_METHODS = {"get", "put", "post", "patch", "delete"}


def operation_id(route: APIRoute) -> str:
    """Return the name of a route's function, to which links refer."""
    return route.name


class DescribedAPI(FastAPI):
    """FastAPI with a completed description."""

    def openapi(self) -> dict[str, Any]:
        """Return the description; it is built at the first call."""
        if self.openapi_schema is None:
            _complete(super().openapi())
        return self.openapi_schema or {}


def _complete(document: dict[str, Any]) -> None:
    """Complete a description in place."""
    schemas = document["components"]["schemas"]
    for name in _FASTAPI_SCHEMAS:
        schemas.pop(name, None)
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs"))
    schemas["Problem"] = problem
    for model in _response_models(ResponseBody):
        extra = model.model_config.get("json_schema_extra")
        if model.__name__ in schemas and isinstance(extra, dict):
            # FastAPI removes the members that are null.
            schemas[model.__name__]["example"] = extra["example"]
    for path, method, operation in operations(document):
        _remove_default_422(operation)
        for body in (operation.get("requestBody", {}), *operation["responses"].values()):
            if JSON in body.get("content", {}):
                _describe_json(body, schemas)
        command = _curl(path, method, operation)
        operation["description"] = f"{operation.get('description', '')}\n\n```sh\n{command}\n```"


def _response_models(base: type[ResponseBody]) -> Iterator[type[ResponseBody]]:
    """Yield all classes below a class."""
    for model in base.__subclasses__():
        yield model
        yield from _response_models(model)


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield path, method and description of each operation."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method in _METHODS:
                yield path, method, operation


def _remove_default_422(operation: dict[str, Any]) -> None:
    """Remove the 422 response that FastAPI adds to each operation with parameters: problems replace it."""
    content = operation["responses"].get("422", {}).get("content", {})
    if "HTTPValidationError" in json.dumps(content.get(JSON, {})):
        del operation["responses"]["422"]


def _describe_json(body: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Copy the example and the description of a JSON schema to its body, where every tool shows them.

    Of a body with several schemas the first one is the usual one.
    """
    content = body["content"][JSON]
    schema = content.get("schema", {})
    schema = next((branch for branch in schema.get("anyOf", []) if "$ref" in branch), schema)
    resolved = schemas.get(schema.get("$ref", "").rpartition("/")[2], schema)
    if "example" in resolved:
        content["example"] = resolved["example"]
    if body.get("description") == _FASTAPI_DESCRIPTION:
        body["description"] = resolved["description"]


def _curl(path: str, method: str, operation: dict[str, Any]) -> str:
    """Return a curl command for an operation; ids are shell variables, named as in README.md."""
    words = ["curl -sS --fail-with-body"]
    if method not in {"get", "post"} or (method == "post" and "requestBody" not in operation):
        words += ["-X", method.upper()]
    arguments = operation.pop(CURL_ARGUMENTS, [])
    if "security" in operation and WITH_COOKIE not in arguments:
        words.append('-H "$AUTH"')
    words += arguments
    body = operation.get("requestBody", {}).get("content", {}).get(JSON, {})
    if "example" in body:
        text = json.dumps(body["example"], ensure_ascii=False)
        words += ["-H 'Content-Type: application/json'", f"\\\n  -d {shlex.quote(text)}"]
    variables = re.sub(r"{(\w+)}", lambda match: f"${match[1].upper().removesuffix('_ID')}", path)
    return " ".join([*words, f'"$KETAV{variables}"'])
