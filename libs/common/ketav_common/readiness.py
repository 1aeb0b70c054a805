"""Readiness of a service, with the reasons for the operator. Health checks carry both."""

from dataclasses import dataclass
from typing import Final

LIVENESS: Final = "liveness"
"""Service name of the health probe that a running event loop always answers with SERVING.

The probe without a name depends on the stores: a process whose store is unavailable must not be restarted.
"""
PROBLEM_KEY: Final = "x-ketav-problem"
"""Trailing metadata of a health check's response, once for each problem. The value is a sentence in ASCII."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """State of a service: whether it can serve, and a sentence for the operator for each problem.

    A service that serves can have problems, too: parts of it do not work. A sentence names the part and what
    to do, and neither addresses nor secrets: the gateway shows it to every caller of /readyz.
    """

    serving: bool = True
    problems: tuple[str, ...] = ()
