"""The trainer serves without its broker, and its health check and /readyz name what is wrong."""

import redis

from ketav_trainer.broker import readiness
from tests.parts.processes import free_port
from tests.parts.valkey import valkey


async def test_a_broker_that_answers_is_no_problem() -> None:
    """One that stops is named within two seconds, and one that comes back is no problem again."""
    with valkey() as server:
        assert (await readiness(server.url)).problems == ()
        server.stop()
        stopped = await readiness(server.url)
        assert stopped.serving
        [problem] = stopped.problems
        assert problem.startswith("Redis does not answer at the host of KETAV_REDIS_URL.")
        server.start()
        assert (await readiness(server.url)).problems == ()


async def test_a_wrong_password_is_named_without_the_password() -> None:
    """The server requires another one."""
    with valkey() as server:
        with redis.Redis(port=server.port) as client:
            client.config_set("requirepass", "right")
        [problem] = (await readiness(f"redis://:canary@127.0.0.1:{server.port}/0")).problems
        assert problem.startswith("Redis rejects the password of KETAV_REDIS_URL.")
        assert "canary" not in problem


async def test_an_address_without_a_server_is_named() -> None:
    """Nothing listens there."""
    [problem] = (await readiness(f"redis://127.0.0.1:{free_port()}/0")).problems
    assert "Start it, or correct the variable." in problem
