from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pytest

from missioncontrol.accounts.policy import Role
from tests import factories
from tests.unit.missioncontrol.fleet.demo_mission import document, parse
from uplink.commanding import services
from uplink.commanding.services import release

AT = datetime.fromisoformat("2026-12-01T12:00:00Z")


@dataclass(frozen=True)
class Report:
    """A verification report as telemetry gives it."""

    cursor: int
    request_id: int
    stage: str
    at: datetime
    success: bool = True
    code: int = 0


@dataclass(frozen=True)
class Page:
    """A page of them."""

    reports: list[Report]
    cursor: int


@pytest.fixture
def dd1(db):
    [entry] = parse(document()).spacecraft
    return factories.spacecraft(
        telecommands=[row.model_dump(mode="json") for row in entry.telecommands]
    )


@pytest.fixture
def alice(db):
    return factories.operator("alice", Role.OPERATOR)


@pytest.fixture
def bob(db):
    return factories.operator("bob", Role.APPROVER)


@pytest.fixture
def stranger(db):
    """Somebody who may do all this, but for another organisation."""
    return factories.operator(
        "stranger", Role.OPERATOR, Role.APPROVER, member_of=factories.organisation("elsewhere")
    )


@pytest.fixture
def submitted(dd1, alice):
    return services.submit_telecommand(
        spacecraft=dd1,
        name="PAYLOAD_POWER",
        arguments={"UNIT": "GPU1", "STATE": "ON"},
        submitted_by=alice,
        at=AT,
    )


@pytest.fixture
def approved(submitted, bob):
    return services.approve_telecommand(telecommand_id=submitted.pk, approver=bob, at=AT)


@pytest.fixture
def published(monkeypatch):
    """The log's answer to "is this entry published": add an entry's id to publish it."""
    entries: set[int] = set()
    monkeypatch.setattr(release.audit_selectors, "is_published", entries.__contains__)
    return entries


@pytest.fixture
def released(approved, published):
    published.add(approved.approval_entry_id)
    assert services.release_telecommand(telecommand_id=approved.pk, contact_id=12, at=AT)
    approved.refresh_from_db()
    return approved
