"""Requests made up from the API's own description, valid and not, never make the system fail."""

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


def check(answer: Any) -> None:
    """Expect a status below 500, or 503 with Retry-After; a refusal is a problem."""
    if answer.status_code == 503:
        assert answer.headers.get("retry-after"), answer.text
    else:
        assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == ["application/problem+json"]
        assert set(answer.json()) >= {"type", "title", "status", "detail", "code"}


def flood(operation: Any, headers: dict[str, str], **generation: Any) -> int:
    """Send made-up requests of one operation; return how many."""
    sent = 0

    @BOUNDED
    @given(case=operation.as_strategy(**generation))
    def send(case: Any) -> None:
        """Send one."""
        nonlocal sent
        sent += 1
        check(case.call(headers=headers, timeout=60))

    with contextlib.suppress(Unsatisfiable):  # nothing can be wrong with a request that has no parameters
        send()
    return sent


def test_no_request_of_the_description_is_a_server_error(system: LocalSystem) -> None:
    """Every operation by its description, against it, and on a page that exists; then all still serves."""
    url = f"http://127.0.0.1:{system.port}"
    headers = {"Authorization": f"Bearer {system.add_user('flood')}"}
    read = httpx.post(f"{url}/ocr/", files={"file": boxes(2)}, headers=headers, timeout=60, trust_env=False)
    page = {name: read.json()[name] for name in ("project_id", "image_id")}
    description: Any = schemathesis.openapi.from_url(f"{url}/openapi.json")
    sent: dict[str, int] = {}
    for operation in [found.ok() for found in description.get_all_operations()]:
        known = {name: value for name, value in page.items() if name in operation.path}
        kinds: list[dict[str, Any]] = [{"generation_mode": mode} for mode in GenerationMode]
        kinds += [{"path_parameters": known}] if known else []
        for number, kind in enumerate(kinds):
            sent[f"{operation.method} {operation.path} {number}"] = flood(operation, headers, **kind)
    assert len(sent) >= 35, sent
    assert sum(sent.values()) >= 300, sent
    ready = httpx.get(f"{url}/readyz", timeout=10, trust_env=False)
    assert ready.status_code == 200, ready.text
