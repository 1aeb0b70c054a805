"""Errors of the client.

KetavError is the base of ConfigurationError (no key, or a setting that is not valid),
ConnectionFailedError (the server did not answer, also after repetitions) and
ProblemError (the server answered with a problem document, RFC 9457).
"""

import httpx

from ketav_client.generated.models import FieldProblem, Problem
from ketav_client.generated.types import Unset


class KetavError(Exception):
    """An error whose text is whole sentences for the user: what is wrong, then what to do."""


class ConfigurationError(KetavError):
    """A setting is missing or not valid. Set it in the environment or with `ketav login`."""


class ConnectionFailedError(KetavError):
    """The server did not answer. Check that it runs and that KETAV_URL is its address."""


class ProblemError(KetavError):
    """The server refused a request. `code` names the reason for programs, and `errors` the fields."""

    def __init__(self, problem: Problem) -> None:
        """Keep the problem; the text of the error is its detail with those of its fields."""
        self.problem = problem
        self.code = problem.code
        self.status = problem.status
        self.errors: list[FieldProblem] = [] if isinstance(problem.errors, Unset) else problem.errors or []
        fields = (
            f"{error.field}: {error.message}" for error in self.errors if error.message != problem.detail
        )
        super().__init__("\n".join([problem.detail, *fields]))


def problem_of(response: httpx.Response) -> ProblemError:
    """Return the error of a response; a proxy's response without a problem document gets one."""
    try:
        return ProblemError(Problem.from_dict(response.json()))
    except (ValueError, KeyError, TypeError, AttributeError):
        detail = (
            f"{response.request.url} answered {response.status_code} {response.reason_phrase} without a "
            "problem document. Check that the URL is that of Ketav and not of another server."
        )
        title, status = response.reason_phrase, response.status_code
        return ProblemError(Problem("about:blank", title, status, detail, "no-problem-document"))
