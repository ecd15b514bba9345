from __future__ import annotations

import hashlib
import json
from datetime import timedelta

import pytest

from missioncontrol.accounts.policy import Role
from tests import factories
from tests.integration.telemetry import craft
from tests.integration.telemetry.craft import AT
from uplink.commanding.models import Telecommand
from uplink.jobs import services
from uplink.jobs.models import Job
from uplink.transfers import storage
from uplink.transfers.models import Transfer

CONTENT = b"what to digest"


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path):
    settings.FILES_DIR = tmp_path / "files"


@pytest.fixture
def dd1(db):
    return craft.spacecraft()


@pytest.fixture
def member(db):
    """A member of the consortium, and not of the operator."""
    return factories.organisation("chip-producer-1")


@pytest.fixture
def carol(member):
    return factories.operator("carol", Role.PAYLOAD_MEMBER, member_of=member)


@pytest.fixture
def submit(dd1, member, carol):
    def make(program="SHA256", content=CONTENT, **fields):
        values = {
            "spacecraft": dd1,
            "organisation": member,
            "submitted_by": carol,
            "program": program,
            "input_octets": content,
            "at": AT,
            **fields,
        }
        return services.submit_job(**values)

    return make


class Flight:
    """What the rest of the product and the spacecraft do to a job, by hand."""

    def __init__(self, dd1, job):
        self.dd1 = dd1
        self.number = job.number
        self.at = AT

    @property
    def job(self):
        return Job.objects.select_related("uplink", "telecommand", "downlink").get(pk=self.number)

    def advance(self, after_s=60):
        self.at += timedelta(seconds=after_s)
        return services.advance_jobs(spacecraft=self.dd1, at=self.at)

    def transfer(self, state, **fields):
        Transfer.objects.filter(pk=self.job.uplink_id).update(state=state, **fields)

    def telecommand(self, state, **fields):
        values = {"packet": b"x", "request_id": 1, "released_at": self.at, **fields}
        Telecommand.objects.filter(pk=self.job.telecommand_id).update(state=state, **values)

    def uplinked(self):
        self.transfer("COMPLETED", completed_at=self.at)
        self.advance()

    def result_file(self, output=b"\x01" * 32, **changes):
        manifest = {
            "job": self.number,
            "program": "SHA256",
            "input_sha256": hashlib.sha256(CONTENT).hexdigest(),
            "output_sha256": hashlib.sha256(output).hexdigest(),
            "output_octets": len(output),
            "started": "2026-12-01T12:30:00Z",
            "finished": "2026-12-01T12:31:00Z",
            **changes,
        }
        return json.dumps(manifest).encode() + b"\n" + output

    def downlink(self, content=None, *, state="COMPLETED", number=1, at=None):
        name = f"down/{number}"
        if content is not None:
            storage.store(name, content)
        return Transfer.objects.create(
            spacecraft=self.dd1,
            direction="DOWN",
            source_entity=2,
            sequence_number=number,
            file_name=f"job-{self.number}.out",
            state=state,
            stored_name=name,
            created_at=at or self.at,
        )


@pytest.fixture
def flight(dd1, submit):
    return Flight(dd1, submit())
