"""Requests made up from the API's own description, valid and not, never make the system fail."""

from typing import Any

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode

from tests.e2e.local_system import LocalSystem

EXAMPLES = 12
BOUNDED = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def check(answer: Any) -> None:
    """Expect a status below 500, or 503 with Retry-After; a refusal is a problem."""
    if answer.status_code == 503:
        assert answer.headers.get("retry-after"), answer.text
    else:
        assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == ["application/problem+json"]
        assert set(answer.json()) >= {"type", "title", "status", "detail", "code"}


def flood(operation: Any, mode: GenerationMode, headers: dict[str, str]) -> int:
    """Send made-up requests of one operation; return how many."""
    sent = 0

    @BOUNDED
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        """Send one."""
        nonlocal sent
        sent += 1
        check(case.call(headers=headers, timeout=60))

    send()
    return sent


def test_no_request_of_the_description_is_a_server_error(system: LocalSystem) -> None:
    """Every operation, by its description and against it; afterwards every service still serves."""
    url = f"http://127.0.0.1:{system.port}"
    headers = {"Authorization": f"Bearer {system.add_user('flood')}"}
    sent = {}
    for found in schemathesis.openapi.from_url(f"{url}/openapi.json").get_all_operations():
        operation = found.ok()
        for mode in GenerationMode:
            sent[f"{operation.method} {operation.path} {mode.value}"] = flood(operation, mode, headers)
    assert len(sent) >= 30, sent
    assert sum(sent.values()) >= 200, sent
    ready = httpx.get(f"{url}/readyz", timeout=10, trust_env=False)
    assert ready.status_code == 200, ready.text
