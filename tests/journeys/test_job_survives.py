"""A job over a bad link, with the ground killed in the middle: it completes, once."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import random
import signal

import pytest

from tests.journeys.product import Product

FACTOR = 30
# About 100 mission seconds of the forward link: long enough to be caught in the middle.
INPUT_OCTETS = 700_000
pytestmark = pytest.mark.timeout(420)


@pytest.fixture
def product(tmp_path):
    product = Product(
        tmp_path / "var",
        factor=FACTOR,
        environment={
            "SIMULATOR_FRAME_LOSS": "0.02",
            "SIMULATOR_CLTU_LOSS": "0.02",
            "SIMULATOR_SEED": "7",
        },
    )
    with contextlib.closing(_Stopping(product)):
        product.start()
        yield product


class _Stopping:
    def __init__(self, product):
        self._product = product

    def close(self):
        self._product.stop()


def test_a_job_completes_once_over_a_lossy_link_with_the_ground_killed_mid_uplink(product):
    content = random.Random(3).randbytes(INPUT_OCTETS)
    with product.client(product.token()) as api:
        job = api.post(
            "/jobs",
            json={
                "spacecraft": "DD-1",
                "program": "SHA256",
                "input": base64.b64encode(content).decode(),
            },
        ).json()
        number = job["number"]

        def in_the_middle():
            progress = api.get(f"/jobs/{number}").json()["uplink_octets"]
            return INPUT_OCTETS * 0.2 < progress < INPUT_OCTETS * 0.9

        product.wait(in_the_middle, within_s=150, what="uplink in the middle")
        for process in ("pass-executor", "telemetry-link"):
            os.kill(product.pid_of(process), signal.SIGKILL)

        def ended():
            answer = api.get(f"/jobs/{number}").json()
            return answer if answer["state"] in {"COMPLETED", "FAILED"} else None

        job = product.wait(ended, within_s=240, what="end of the job")
        assert job["state"] == "COMPLETED", job["failure"]
        assert api.get(f"/jobs/{number}/result").content == hashlib.sha256(content).digest()

        def logged(action, subject):
            answer = api.get("/audit/entries", params={"action": action, "subject": subject})
            return len(answer.json()["items"])

        assert logged("job.complete", f"job:{number}") == 1
        assert logged("job.command", f"job:{number}") == 1
        # The frames that were lost were noticed, and nobody lost the log.
        contacts = api.get("/contacts", params={"state": "all"}).json()["items"]
        assert sum(contact["frames_lost"] for contact in contacts) > 0
    assert "verified" in product.manage("verify_log")
