"""A request of the API that is not yet sent, with the function that parses its response."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import httpx

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True)
class Call(Generic[T_co]):
    """A request: the client sends it, synchronous or asynchronous, and parses the response.

    `options` are arguments of `httpx.Client.request`: `params`, `headers`, `json`, `files`.
    """

    method: str
    path: str
    parse: Callable[[httpx.Response], T_co]
    options: dict[str, Any] = field(default_factory=dict)
