"""Requests that are generated from the API's description, valid and invalid ones, cause no server error."""

import contextlib
from typing import Any

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from tests.e2e.local_system import LocalSystem, boxes

EXAMPLES = 12
BOUNDED = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


UNLISTED = {"method-not-allowed", "malformed-request"}
"""Codes of requests that reach no operation."""


def check(response: Any, described: dict[str, Any]) -> None:
    """Check the status: below 500, or 503 with Retry-After; an error is a problem that is described."""
    if response.status_code == 503:
        assert response.headers.get("retry-after"), response.text
    else:
        assert response.status_code < 500, response.text
    if response.status_code >= 400:
        assert response.headers["content-type"] == ["application/problem+json"]
        problem = response.json()
        assert set(problem) >= {"type", "title", "status", "detail", "code"}
        if problem["code"] not in UNLISTED:
            [content] = described[str(response.status_code)]["content"].values()
            assert problem["code"] in content["examples"], problem


def send_generated(operation: Any, headers: dict[str, str], **generation: Any) -> int:
    """Send generated requests of one operation; return their number."""
    described = operation.definition.raw["responses"]
    sent = 0

    @BOUNDED
    @given(case=operation.as_strategy(**generation))
    def send(case: Any) -> None:
        """Send one request."""
        nonlocal sent
        sent += 1
        check(case.call(headers=headers, timeout=60), described)

    with contextlib.suppress(Unsatisfiable):  # a request without parameters cannot be invalid
        send()
    return sent


def test_no_generated_request_is_a_server_error(system: LocalSystem) -> None:
    """Of every operation, with unknown and with existing ids; afterwards the system is ready."""
    url = f"http://127.0.0.1:{system.port}"
    headers = {"Authorization": f"Bearer {system.add_user('fuzz')}"}
    read = httpx.post(f"{url}/ocr/", files={"file": boxes(2)}, headers=headers, timeout=60, trust_env=False)
    page = {name: read.json()[name] for name in ("project_id", "image_id")}
    description: Any = schemathesis.openapi.from_url(f"{url}/openapi.json")
    sent: dict[str, int] = {}
    for operation in [result.ok() for result in description.get_all_operations()]:
        known = {name: value for name, value in page.items() if name in operation.path}
        generations: list[dict[str, Any]] = [{"generation_mode": mode} for mode in GenerationMode]
        generations += [{"path_parameters": known}] if known else []
        for number, generation in enumerate(generations):
            sent[f"{operation.method} {operation.path} {number}"] = send_generated(
                operation, headers, **generation
            )
    assert len(sent) >= 35, sent
    assert sum(sent.values()) >= 300, sent
    ready = httpx.get(f"{url}/readyz", timeout=10, trust_env=False)
    assert ready.status_code == 200, ready.text
