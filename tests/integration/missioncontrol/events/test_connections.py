"""What a web process holds open of a database that has a hundred connections for everybody."""

from __future__ import annotations

import asyncio

import httpx
import psycopg
import pytest

from tests.integration.missioncontrol.events.served import bearer

pytestmark = pytest.mark.only_on("postgresql")


def connections_to(database_url: str) -> int:
    with psycopg.connect(database_url) as connection:
        found = connection.execute(
            "SELECT count(*) - 1 FROM pg_stat_activity WHERE datname = current_database()"
        )
        return found.fetchone()[0]


class TestConnections:
    async def test_end_with_their_request(self, product, member):
        database_url = product.installed.environment["DATABASE_URL"]
        before = connections_to(database_url)
        door = asyncio.Semaphore(10)
        async with httpx.AsyncClient(timeout=60, headers=bearer(member)) as client:

            async def ask():
                async with door:
                    return (await client.post(f"{product.address}/api/v1/tickets")).status_code

            answers = await asyncio.gather(*[ask() for _ in range(100)])
        assert answers == [200] * 100
        # Two threads stay, that of streams and that of sockets; a request ends after its answer.
        async with asyncio.timeout(2):
            while connections_to(database_url) > before + 2:
                await asyncio.sleep(0.05)
