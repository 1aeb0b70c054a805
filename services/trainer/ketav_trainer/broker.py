"""Check of the broker, with a sentence for the operator."""

from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, RedisError

from ketav_common.readiness import Readiness

_TIMEOUT_S = 1.0
"""Seconds for connection and response: less than the two seconds of a readiness check."""
_LATER = "Trainings are queued and start when it does."


async def readiness(redis_url: str) -> Readiness:
    """Return SERVING with a sentence when Redis cannot be used.

    The trainer serves without its broker: runs are stored by the registry, and a sweep enqueues them later.
    """
    problem = await find_problem(redis_url)
    return Readiness(problems=(problem,) if problem else ())


async def find_problem(redis_url: str) -> str:
    """Return a sentence when Redis or Valkey does not answer a PING within a second; empty when it does."""
    try:
        client = Redis.from_url(redis_url, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S)
    except ValueError:
        return "KETAV_REDIS_URL is no URL of Redis. Write it as redis://:PASSWORD@HOST:PORT/NUMBER."
    try:
        await client.ping()
    except AuthenticationError:
        return f"Redis rejects the password of KETAV_REDIS_URL. Correct the variable. {_LATER}"
    except (RedisError, OSError):
        return (
            "Redis does not answer at the host of KETAV_REDIS_URL. Start it, or correct the variable. "
            f"{_LATER}"
        )
    finally:
        await client.aclose()
    return ""
