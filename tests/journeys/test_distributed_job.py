"""The same job as in the job journey, on PostgreSQL, an external Redis and two workers."""

from __future__ import annotations

import pytest

from tests.journeys.distributed import DistributedProduct, redis_server
from tests.journeys.job_journey import fly
from tests.postgresql import postgresql_server

pytestmark = pytest.mark.timeout(420)


def test_a_job_comes_back_verified_through_the_processes_of_a_deployment(tmp_path):
    with postgresql_server() as database_url, redis_server(tmp_path / "redis") as redis_url:
        product = DistributedProduct(
            tmp_path / "var", factor=60, database_url=database_url, redis_url=redis_url
        )
        try:
            product.start()
            flown = fly(product, seed=2, within_s=200)
            assert len(product.workers()) == 2
            with product.client() as api:
                second = f"http://127.0.0.1:{product.second_port}/health"
                assert api.get(second).json()["status"] == "ok"
            assert "verified" in product.manage("verify_log")
        finally:
            product.stop()
    assert flown["passes"] >= 1
    assert flown["frames"] > 100
