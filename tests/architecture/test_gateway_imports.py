"""The gateway runs without the libraries of the other services."""

import subprocess
import sys

_PROGRAM = """
import asyncio, sys
from tests.parts.identities import gateway_keys

BLOCKED = {"torch", "kraken", "sqlalchemy", "asyncpg", "celery", "minio", "ketav_engine", "numpy"}

class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in BLOCKED:
            raise ImportError(f"{name} is blocked")

sys.meta_path.insert(0, Block())

import httpx
from ketav_gateway.main import build
from ketav_gateway.settings import GatewaySettings

async def main():
    app = build(GatewaySettings(**gateway_keys()))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
            answer = await client.get("/livez")
    assert not BLOCKED & {name.partition(".")[0] for name in sys.modules}
    print(answer.status_code, answer.json()["status"])

asyncio.run(main())
"""


def test_the_gateway_answers_with_torch_kraken_sql_celery_and_s3_blocked() -> None:
    """Imported and served in a fresh process where none of them can be imported."""
    ran = subprocess.run(
        [sys.executable, "-c", _PROGRAM], capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.stdout.splitlines()[-1:] == ["200 alive"], ran.stderr
