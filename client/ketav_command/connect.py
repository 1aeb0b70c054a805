"""Clients of the commands: a server that does not answer at all is reported at once."""

from ketav_client import AsyncKetav, Ketav, Limits

_FIRST_LIMITS = Limits(retries=1, timeout_s=20.0)
"""For the first request. Later ones are repeated longer, because the server has answered before."""


def connected() -> Ketav:
    """Return a client of a server that answers; raises ConnectionFailedError otherwise."""
    _check()
    return Ketav()


def connected_async() -> AsyncKetav:
    """Return an asynchronous client of a server that answers; raises ConnectionFailedError otherwise."""
    _check()
    return AsyncKetav()


def _check() -> None:
    """Send a request that needs no key."""
    with Ketav(limits=_FIRST_LIMITS) as client:
        client.livez()
