"""Many requests at once under one Idempotency-Key; run as a process of its own.

Threads of one process, each with a database connection of its own, so that they
meet in the database as the requests of several web processes do.
"""

from __future__ import annotations

import base64
import collections
import json
import threading

import django

django.setup()

from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402

from missioncontrol.accounts.models import Organisation  # noqa: E402
from missioncontrol.accounts.policy import Role  # noqa: E402
from missioncontrol.accounts.services import create_token  # noqa: E402
from missioncontrol.api.models import KeptAnswer  # noqa: E402
from missioncontrol.kernel import clock  # noqa: E402
from missioncontrol.kernel.organisations import acting_for_everybody  # noqa: E402
from missioncontrol.pipelines.demo import seed_mission  # noqa: E402
from tests import factories  # noqa: E402
from tests.integration.missioncontrol.api.conftest import AT  # noqa: E402
from uplink.jobs.models import Job  # noqa: E402
from uplink.transfers.models import Transfer  # noqa: E402

THREADS = 8


def token() -> str:
    member = Organisation.objects.get(slug="ai-laboratory-1")
    return create_token(
        operator=factories.operator("carol", Role.PAYLOAD_MEMBER, member_of=member),
        organisation=member,
        name="x",
        at=AT,
        wall_at=clock.wall_now(),
    )[1]


def ask_at_once(secret: str, key: str, inputs: list[bytes]) -> list:
    """Submit a job of each input, all under one key and at one moment."""
    together = threading.Barrier(len(inputs))
    answers = []

    def ask(octets: bytes) -> None:
        body = {
            "spacecraft": "DD-1",
            "program": "SHA256",
            "input": base64.b64encode(octets).decode(),
        }
        headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": key}
        together.wait()
        answers.append(
            Client(SERVER_NAME="localhost").post(
                "/api/v1/jobs", data=body, content_type="application/json", headers=headers
            )
        )
        connection.close()

    threads = [threading.Thread(target=ask, args=(octets,)) for octets in inputs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def summary(answers: list) -> dict:
    return {
        "statuses": dict(collections.Counter(str(each.status_code) for each in answers)),
        "replayed": sum("Idempotent-Replayed" in each for each in answers),
        "bodies": len({each.content for each in answers if each.status_code == 201}),
    }


with acting_for_everybody():
    seed_mission(at=AT)
    secret = token()
same = summary(ask_at_once(secret, "same", [b"input"] * THREADS))
apart = summary(ask_at_once(secret, "apart", [b"one", b"other"] * (THREADS // 2)))
with acting_for_everybody():
    rows = [model.objects.count() for model in (Job, Transfer, KeptAnswer)]
print(json.dumps({"same": same, "apart": apart, "rows": rows}))
