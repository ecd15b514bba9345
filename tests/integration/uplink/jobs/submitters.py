"""Eight threads that submit one job with one key at once; run as a process of its own."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import django

django.setup()

from django.db import connection  # noqa: E402

from missioncontrol.accounts.policy import Role  # noqa: E402
from missioncontrol.kernel.organisations import process_acts_for_everybody  # noqa: E402
from tests import factories  # noqa: E402
from tests.integration.telemetry import craft  # noqa: E402
from uplink.jobs.models import Job  # noqa: E402
from uplink.jobs.services import submit_job  # noqa: E402
from uplink.transfers.models import Transfer  # noqa: E402

THREADS = 8
process_acts_for_everybody()

spacecraft = craft.spacecraft()
member = factories.organisation("chip-producer-1")
carol = factories.operator("carol", Role.PAYLOAD_MEMBER, member_of=member)
together = threading.Barrier(THREADS)
numbers = []


def submit() -> None:
    together.wait()
    job = submit_job(
        spacecraft=spacecraft,
        organisation=member,
        submitted_by=carol,
        program="SHA256",
        input_octets=b"input",
        at=datetime(2026, 12, 1, tzinfo=UTC),
        idempotency_key="one key",
    )
    numbers.append(job.number)
    connection.close()


threads = [threading.Thread(target=submit) for _ in range(THREADS)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert len(set(numbers)) == 1
print(len(numbers), "answers", Job.objects.count(), "job", Transfer.objects.count(), "transfer")
