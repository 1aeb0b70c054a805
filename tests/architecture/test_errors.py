"""Every sentence that a user may see has one form, and the tool that checks it reports the other forms."""

import ast
import re
from collections import defaultdict
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError

from ketav_common import errors
from ketav_gateway.corrections.schemas import SubmitCorrectionsRequest
from ketav_gateway.http import validation
from ketav_gateway.main import build
from ketav_gateway.settings import GatewaySettings
from tests.parts.identities import gateway_keys
from tools import voice
from tools.hygiene import ROOT, tracked

ERROR_CLASSES = [
    kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.KetavError)
]


def sentence_problems(source: str, path: str = "services/a.py") -> list[str]:
    """Return what the check finds in a module with this source."""
    parsed = voice.Sources({Path(path): ast.parse(source)})
    listed = voice.sentences(parsed, Path(path), {"Quarantine": 1})
    return [sentence.problem() for sentence in listed if sentence.problem()]


def test_every_error_reason_and_verdict_is_made_of_whole_sentences() -> None:
    """All modules: a capital letter, a full stop, what is wrong and what to do."""
    assert voice.problems(ROOT) == []


def test_a_complete_detail_is_accepted() -> None:
    """Literals, formatted strings, constants of other modules and both sides of a condition are read."""
    assert not sentence_problems(
        "class A(KetavError):\n    'The page is gone. Upload it again.'\n"
        "NO_PAGE = 'There is no page with this id. List the pages with GET /projects/ID.'\n"
        "raise A(NO_PAGE)\n"
        "raise A(f'The text has {n} lines. Send at most {m}.')\n"
        "raise A(f'{n} lines are missing. Correct more.' if n else f'The page has {n}. Send it again.')\n"
        "raise error\n"
        "raise A(detail.message)\n"
    )


@pytest.mark.parametrize(
    "detail",
    [
        "'the page is gone. Upload it again.'",
        "'The page is gone'",
        "'The page is gone.'",
        "f'the {name} is gone. Upload it again.'",
        "('The page is gone. ' if x else 'it is gone. ') + 'Upload it again.'",
    ],
)
def test_an_incomplete_detail_is_reported(detail: str) -> None:
    """No capital letter, no full stop, or nothing that says what to do."""
    classes = "class A(KetavError):\n    'Wrong. Do this.'\nclass B(A):\n    'Wrong. Do this.'\n"
    assert len(sentence_problems(f"{classes}raise B({detail})\n")) == 1


@pytest.mark.parametrize(
    "source",
    [
        "class A(KetavError):\n    'Something went wrong'\n",
        "Quarantine(code, 'The text is longer than the line.')\n",
        "Verdict(words='rejected: no better')\n",
        "def f():\n    'Return a sentence.'\n    return 'no better'\n",
        "sentence = f'rejected: {reason}'\n",
    ],
)
def test_default_sentences_quarantine_reasons_and_verdicts_are_read_too(source: str) -> None:
    """A class's first docstring line is its default detail."""
    assert len(sentence_problems(source)) == 1


@pytest.mark.parametrize("kind", ERROR_CLASSES)
def test_an_error_without_a_detail_uses_the_first_line_of_its_docstring(
    kind: type[errors.KetavError],
) -> None:
    """So that a bare `raise NotFound` is a sentence, too."""
    assert kind().detail == (kind.__doc__ or "").partition("\n")[0]


def test_no_document_calls_a_run_leased() -> None:
    """The state that users read is running; the lease is how workers share runs."""
    documents = [path for path in tracked(ROOT) if path.suffix == ".md"]
    texts = {str(path): (ROOT / path).read_text(encoding="utf-8") for path in documents}
    assert not [name for name, text in texts.items() if re.search(r"\bleased\b", text, re.IGNORECASE)]


def test_no_schema_calls_a_run_leased() -> None:
    """As in the documents: neither a state nor a description of the REST API."""
    app = build(GatewaySettings(**gateway_keys()))
    assert not re.search(r"\bleased\b", str(app.openapi()), re.IGNORECASE)


def test_each_validation_message_says_what_is_wrong_and_what_to_send() -> None:
    """As details do, for each type of error that pydantic reports for our schemas."""
    context: defaultdict[str, Any] = defaultdict(
        lambda: 1, expected="'page' or 'line'", pattern="", error="Wrong. Do this."
    )
    listed = validation._SENTENCES.values()
    texts = [text if isinstance(text, str) else text(context) for text in listed]
    checked = [voice.Sentence(Path(), 0, text, 2) for text in [*texts, *validation._PATTERNS.values()]]
    assert [sentence.text for sentence in checked if sentence.problem()] == []


def test_a_refused_field_is_named_by_its_json_pointer_and_its_line() -> None:
    """`/lines/1/text` of the body, with the id of the line."""
    lines: list[dict[str, Any]] = [
        {"line_id": str(uuid4()), "text": "א"},
        {"line_id": str(uuid4()), "text": 1},
    ]
    body = {"project_id": str(uuid4()), "image_id": str(uuid4()), "lines": lines}
    with pytest.raises(ValidationError) as caught:
        SubmitCorrectionsRequest.model_validate(body)
    assert validation.field_errors(validation.invalid_fields(caught.value, body)) == [
        {
            "field": "/lines/1/text",
            "line_id": lines[1]["line_id"],
            "message": "The value is not a string. Send a JSON string.",
        }
    ]
