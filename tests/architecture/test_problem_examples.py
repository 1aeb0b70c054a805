"""The examples of problems in the OpenAPI document are sentences that the code sends under the same code."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from ketav_common import errors
from ketav_gateway.http import problem_codes, problems
from ketav_gateway.http.problem_codes import images
from tools import voice
from tools.budget import ROOT, sources

EXAMPLES = Path("services/gateway/ketav_gateway/http/problem_codes")
ANY_CODE = ""
"""Key of the sentences whose code is known only when the program runs."""
SENT_INSTEAD = {problem_codes.INTERNAL_DETAIL, problem_codes.NOT_FOUND_DETAIL, problem_codes.ONE_FIELD_DETAIL}
"""Details that the gateway sends instead of, or without, a raised one."""
CODE_POSITIONS = {"Refused": (0, 1), "problem": (1, 2), "_refuse": (1, 0)}
"""Functions that take a code and a detail by position."""
CODE_OF_FUNCTION = {"_invalid_url": "invalid-url"}
"""Functions that return an error of one code and take its detail."""


def default_code(name: str) -> str | None:
    """Return the code of an error class of `ketav_common.errors`; None for any other name."""
    kind = vars(errors).get(name)
    if isinstance(kind, type) and issubclass(kind, errors.KetavError):
        return kind.default_code
    return None


def constant(node: ast.expr | None) -> str | None:
    """Return a string constant; None for any other expression."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def raised(parsed: voice.Sources, call: ast.Call) -> Iterator[tuple[str, str]]:
    """Yield the code and the template of each detail that a call builds."""
    name = voice.name_of(call.func)
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}
    detail = keywords.get("detail", call.args[0] if call.args else None)
    code: str | None = default_code(name) or CODE_OF_FUNCTION.get(name, ANY_CODE)
    if "code" in keywords:
        code = constant(keywords["code"]) or ANY_CODE
    elif name == "HTTPException" and len(call.args) > 1 and isinstance(call.args[0], ast.Constant):
        code, detail = problems._STATUS_CODES.get(int(str(call.args[0].value))), call.args[1]
    elif name in CODE_POSITIONS and len(call.args) > max(CODE_POSITIONS[name]):
        at_code, at_detail = CODE_POSITIONS[name]
        code, detail = constant(call.args[at_code]) or ANY_CODE, call.args[at_detail]
    elif name not in parsed.errors and name not in CODE_OF_FUNCTION:
        return
    if detail is not None:
        yield from ((code or ANY_CODE, text) for text in templates(parsed, detail))


def templates(parsed: voice.Sources, detail: ast.expr) -> Iterator[str]:
    """Yield the templates of a detail, also of one that a function of the services returns."""
    yield from parsed.templates(detail)
    if not isinstance(detail, ast.Call):
        return
    for tree in parsed.trees.values():
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and node.name == voice.name_of(detail.func):
                for part in ast.walk(node):
                    if isinstance(part, ast.Return) and part.value is not None:
                        yield from parsed.templates(part.value)


@pytest.fixture(scope="module")
def sentences() -> dict[str, set[str]]:
    """Return the templates of all details of the services by code."""
    paths = [
        path for path in sources(ROOT) if str(path).startswith(voice.TREES) and EXAMPLES not in path.parents
    ]
    parsed = voice.Sources({path: ast.parse((ROOT / path).read_text("utf-8")) for path in paths})
    by_code: dict[str, set[str]] = defaultdict(set)
    for tree in parsed.trees.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                for code, text in raised(parsed, node):
                    by_code[code].add(text)
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, errors.KetavError):
            by_code[kind.default_code].add(kind().detail)
    return by_code


def matches(template: str, detail: str) -> bool:
    """Return whether a detail is a template with values in it."""
    pattern = "(.*)".join(re.escape(part) for part in template.split(voice.VALUE))
    values = re.fullmatch(pattern, detail)
    return values is not None and sum(map(len, values.groups())) < len(detail) / 2


@pytest.mark.parametrize("code", problem_codes.CODES)
def test_the_example_of_a_code_is_a_sentence_that_the_code_sends(
    code: str, sentences: dict[str, set[str]]
) -> None:
    """Word for word, with other values: a client that shows examples shows what it will get."""
    spec = problem_codes.CODES[code]
    detail = spec.detail
    if spec.members == images.PAGE and spec.status in {429, 503}:
        suffix = " " + problem_codes.IMAGE_IS_STORED.format(**images.PAGE)
        assert detail.endswith(suffix)
        detail = detail.removesuffix(suffix)
    known = sentences[code] or sentences[ANY_CODE]
    assert detail in SENT_INSTEAD or any(matches(text, detail) for text in known), sorted(known)
