"""Client of Ketav, a server that reads Hebrew handwriting and learns from corrections.

`Ketav` is synchronous, `AsyncKetav` asynchronous; both have a method for each operation of the API.
"""

from ketav_client.async_client import AsyncKetav
from ketav_client.client import Ketav
from ketav_client.connection import Limits
from ketav_client.errors import ConfigurationError, ConnectionFailedError, KetavError, ProblemError
from ketav_client.readings import Reading, ReadPage

__all__ = (
    "AsyncKetav",
    "ConfigurationError",
    "ConnectionFailedError",
    "Ketav",
    "KetavError",
    "Limits",
    "ProblemError",
    "ReadPage",
    "Reading",
)
