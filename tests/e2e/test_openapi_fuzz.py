"""Requests made up from the API's own description, valid and not, never make the system fail."""

from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error

from tests.e2e.local_system import LocalSystem

EXAMPLES = 12
# A reading costs seconds and a training minutes: these are asked too, but their work is not repeated.
BUSY = {429, 503}


@pytest.fixture(scope="session")
def api(system: LocalSystem) -> Any:
    """Return the running system's OpenAPI description."""
    return schemathesis.openapi.from_url(f"http://127.0.0.1:{system.port}/openapi.json")


described = schemathesis.pytest.from_fixture("api")


@described.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_no_request_of_the_description_is_a_server_error(case: Any, system: LocalSystem) -> None:
    """Status below 500, or 503 with Retry-After; every refusal is a problem."""
    answer = case.call(headers={"Authorization": f"Bearer {system.api_key}"}, timeout=60)
    if answer.status_code in BUSY:
        assert answer.headers.get("retry-after"), answer.text
    else:
        case.validate_response(answer, checks=[not_a_server_error])
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == ["application/problem+json"]
        assert set(answer.json()) >= {"type", "title", "status", "detail", "code"}


def test_the_system_stands_after_the_flood(system: LocalSystem) -> None:
    """Every service still serves."""
    ready = httpx.get(f"http://127.0.0.1:{system.port}/readyz", timeout=10, trust_env=False)
    assert ready.status_code == 200, ready.text
