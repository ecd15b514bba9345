"""The demo mission, people with tokens, and a client that speaks the API."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from missioncontrol.accounts.models import Organisation
from missioncontrol.accounts.policy import Role, actions_of
from missioncontrol.accounts.services import create_token
from missioncontrol.fleet.models import Antenna, MissionProfile, Spacecraft
from missioncontrol.kernel import clock
from missioncontrol.kernel.models import ClockAnchor
from missioncontrol.pipelines.demo import seed_mission
from tests import factories
from uplink.jobs.models import Job
from uplink.jobs.services import advance_jobs
from uplink.transfers import storage
from uplink.transfers.models import Transfer

AT = datetime(2026, 12, 1, 12, tzinfo=UTC)


class Api:
    """One token, or none, and the requests that are made with it."""

    def __init__(self, secret: str = "") -> None:
        self._headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        self._client = Client()

    def get(self, path: str, query: object = None, **headers: str):
        return self._client.get(f"/api/v1{path}", data=query, headers={**self._headers, **headers})

    def post(self, path: str, body: object = None, **headers: str):
        return self._client.post(
            f"/api/v1{path}",
            data=body,
            content_type="application/json",
            headers={**self._headers, **headers},
        )


def assert_problem(response, status: int, kind: str, detail: str = "") -> dict:
    """Check that a refusal is a problem document; return it."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    document = response.json()
    assert document["type"] == f"urn:problem-type:mission-control:{kind}"
    assert document["status"] == status
    assert document["instance"] == response.request["PATH_INFO"]
    assert document["title"]
    assert detail in document["detail"]
    return document


def assert_wrong_field(response, field: str, allowed: str, value: str | None = None) -> None:
    """Check that a request was refused because of one field."""
    document = assert_problem(response, 422, "invalid-input", field)
    [error] = document["errors"]
    assert error["field"] == field
    assert allowed in error["allowed"]
    if value is not None:
        assert error["value"] == value


def complete(job: Job, *, output: bytes) -> None:
    """Let a job's input be on board and its result come down, with no link in between."""
    Transfer.objects.filter(pk=job.uplink_id).update(state="COMPLETED", completed_at=AT)
    advance_jobs(spacecraft=job.spacecraft, at=AT)
    manifest = {
        "job": job.number,
        "program": job.program,
        "input_sha256": job.input_sha256,
        "output_sha256": hashlib.sha256(output).hexdigest(),
        "output_octets": len(output),
        "started": "2026-12-01T11:00:00Z",
        "finished": "2026-12-01T11:00:30Z",
    }
    storage.store("down/result", json.dumps(manifest).encode() + b"\n" + output)
    Transfer.objects.create(
        spacecraft=job.spacecraft,
        direction=Transfer.Direction.DOWN,
        source_entity=2,
        sequence_number=1,
        file_name=f"job-{job.number}.out",
        state=Transfer.State.COMPLETED,
        stored_name="down/result",
        created_at=AT,
        completed_at=AT,
    )
    advance_jobs(spacecraft=job.spacecraft, at=AT)


def token_of(operator, organisation: Organisation) -> Api:
    """Return a client with all rights of *operator*, whose token was made just now."""
    roles = [Role(each.role) for each in operator.memberships.filter(organisation=organisation)]
    _, secret = create_token(
        operator=operator,
        organisation=organisation,
        name="test",
        at=AT,
        wall_at=clock.wall_now(),
        scopes=actions_of(roles),
    )
    return Api(secret)


@pytest.fixture(autouse=True)
def mission(db, settings, tmp_path):
    """The demo mission at a clock that stands still."""
    settings.ARCHIVE_DIR = tmp_path / "archive"
    settings.FILES_DIR = tmp_path / "files"
    seed_mission(at=AT)
    ClockAnchor.objects.update(mission_time=AT, last_seen=AT, factor=30, frozen=True)
    clock.forget()


@pytest.fixture
def dd1() -> Spacecraft:
    return Spacecraft.objects.get(name="DD-1")


@pytest.fixture
def operating() -> Organisation:
    return Organisation.objects.get(slug="operator")


@pytest.fixture
def laboratory() -> Organisation:
    return Organisation.objects.get(slug="ai-laboratory-1")


@pytest.fixture
def alice(operating):
    return factories.operator("alice", Role.OPERATOR, member_of=operating)


@pytest.fixture
def stranger() -> Api:
    """Nobody that the product knows."""
    return Api()


@pytest.fixture
def operator(alice, operating) -> Api:
    return token_of(alice, operating)


@pytest.fixture
def approver(operating) -> Api:
    bob = factories.operator("bob", Role.OPERATOR, Role.APPROVER, member_of=operating)
    return token_of(bob, operating)


@pytest.fixture
def pipeline(laboratory) -> Api:
    """A payload member's service account."""
    account = factories.operator("pipeline", Role.PAYLOAD_MEMBER, member_of=laboratory)
    return token_of(account, laboratory)


@pytest.fixture
def rival() -> Api:
    """Another payload member's."""
    other = Organisation.objects.get(slug="ai-laboratory-2")
    account = factories.operator("rival", Role.PAYLOAD_MEMBER, member_of=other)
    return token_of(account, other)


@pytest.fixture
def book(dd1):
    """Return what books contacts, each 20 minutes after the one before."""
    antenna = Antenna.objects.get(name="KASHI-1")
    profile = MissionProfile.objects.filter(spacecraft=dd1).first()
    made = []

    def book(**fields):
        aos = AT + timedelta(minutes=20 * (len(made) + 1))
        made.append(factories.contact(dd1, antenna, profile, **{"aos": aos, **fields}))
        return made[-1]

    return book
