"""The API's description as one plain page: no script, no other host, readable offline."""

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}
h2{margin-top:2.5rem;border-bottom:1px solid #ccc}
code,pre{background:#f4f4f4;border-radius:4px;padding:.1em .3em}
pre{padding:.8em;overflow:auto} summary{cursor:pointer}
table{border-collapse:collapse} td{padding:.2em .8em .2em 0}
.post{color:#0a6} .get{color:#06c} .delete{color:#b30}
"""


def _parameters(operation: Mapping[str, Any]) -> Iterator[str]:
    """Yield a table of an operation's parameters."""
    rows = [
        f"<tr><td><code>{escape(item['name'])}</code><td>{escape(item['in'])}"
        f"<td>{escape(item.get('description', ''))}"
        for item in operation.get("parameters", [])
    ]
    if rows:
        yield f"<table>{''.join(rows)}</table>"


def _body(operation: Mapping[str, Any]) -> Iterator[str]:
    """Yield an operation's request body."""
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        schema = escape(json.dumps(content.get("schema", {}), indent=2, ensure_ascii=False))
        yield f"<details><summary>Body: {escape(media_type)}</summary><pre>{schema}</pre></details>"


def _answers(operation: Mapping[str, Any]) -> Iterator[str]:
    """Yield a table of an operation's answers."""
    yield "<table>"
    for status, answer in operation.get("responses", {}).items():
        yield f"<tr><td><code>{escape(status)}</code><td>{escape(answer.get('description', ''))}"
    yield "</table>"


def _operations(description: Mapping[str, Any]) -> Iterator[str]:
    """Yield every operation."""
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            yield f'<h2><span class="{escape(method)}">{escape(method.upper())}</span> {escape(path)}</h2>'
            yield f"<p>{escape(operation.get('description', operation.get('summary', '')))}"
            yield from _parameters(operation)
            yield from _body(operation)
            yield from _answers(operation)


def _shapes(description: Mapping[str, Any]) -> Iterator[str]:
    """Yield the schemas."""
    yield "<h2>Shapes</h2>"
    for name, schema in description.get("components", {}).get("schemas", {}).items():
        text = escape(json.dumps(schema, indent=2, ensure_ascii=False))
        yield f"<details><summary><code>{escape(name)}</code></summary><pre>{text}</pre></details>"


def render(description: Mapping[str, Any]) -> str:
    """Return an OpenAPI description as HTML."""
    info = description["info"]
    return "\n".join(
        [
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(info["title"])}</title>',
            f"<style>{_STYLE}</style><h1>{escape(info['title'])} {escape(info['version'])}</h1>",
            f"<p>{escape(info.get('description', ''))}</p>",
            '<p>For programs: <a href="/openapi.json">openapi.json</a></p>',
            *_operations(description),
            *_shapes(description),
        ]
    )
