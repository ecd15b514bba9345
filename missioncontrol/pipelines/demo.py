"""The demo installation: mission, accounts, windows, a job, and a telecommand to approve.

Everything here goes through the same services as a person's or a pipeline's
request, and may be repeated: what is there stays as it is.
"""

from __future__ import annotations

import math
import secrets
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from importlib import resources
from typing import Any, Final

from missioncontrol.accounts.models import Operator, Organisation
from missioncontrol.accounts.policy import Role
from missioncontrol.accounts.services import create_operator, create_token, grant_role
from missioncontrol.contacts.services import recompute_windows
from missioncontrol.fleet import selectors as fleet
from missioncontrol.fleet.mission_file import MissionFile, parse_mission
from missioncontrol.fleet.models import Spacecraft
from missioncontrol.fleet.services import load_mission
from missioncontrol.kernel import clock
from missioncontrol.scheduling import selectors as scheduling
from missioncontrol.scheduling.models import Contact
from missioncontrol.scheduling.services import book_contacts
from uplink.commanding.models import Telecommand
from uplink.commanding.services import submit_telecommand
from uplink.jobs.models import Job
from uplink.jobs.services import submit_job

HORIZON: Final = timedelta(hours=48)
_ACTOR: Final = "process:seed_demo"
_MATRIX_SIZE: Final = 64
_PASSWORD_OCTETS: Final = 15


@dataclass(slots=True, kw_only=True)
class Seeded:
    """What the demo has, and the secrets made in this run, which are shown only now."""

    passwords: dict[str, str] = field(default_factory=dict)  # of accounts made just now
    token: str = ""  # of the service account, if made just now
    job: Job | None = None
    telecommand: Telecommand | None = None
    next_contact: Contact | None = None


@cache
def demo_mission() -> MissionFile:
    """Return the mission file that the product brings along, checked once in a process."""
    folder = resources.files("missioncontrol.fleet") / "missions"
    return parse_mission(
        (folder / "demo.yaml").read_text(encoding="utf-8"),
        lambda name: (folder / name).read_text(encoding="utf-8"),
    )


def seed_mission(*, at: datetime | None) -> None:
    """Load the demo mission where none is loaded; its clock begins with it.

    Args:
        at: Moment for the log; None: the start of the mission's clock.
    """
    if fleet.mission_in_force() is None:
        mission = demo_mission()
        assert mission.clock is not None, "the demo is a rehearsal"
        load_mission(mission=mission, actor=_ACTOR, at=at or mission.clock.start)


def seed(*, at: datetime) -> Seeded:
    """Bring accounts, windows, contacts, the job and the telecommand to where a demo begins.

    Args:
        at: Mission time.

    Raises:
        RefusedError: a service declined; its text says why.
    """
    seeded = Seeded()
    [spacecraft, *_] = fleet.active_spacecraft()
    operating = spacecraft.organisation
    person = _account(
        seeded, "operator", operating, [Role.OPERATOR, Role.ADMINISTRATOR], "Operator", at
    )
    _account(seeded, "approver", operating, [Role.OPERATOR, Role.APPROVER], "Approver", at)
    laboratory = Organisation.objects.filter(kind="ai_laboratory").order_by("slug")[0]
    pipeline = _service_account(seeded, "demo-pipeline", laboratory, at)
    # So that whoever tries the demo sees the member's side too: the job's result.
    grant_role(
        operator=person, organisation=laboratory, role=Role.PAYLOAD_MEMBER, at=at, actor=_ACTOR
    )
    for each in fleet.active_spacecraft():
        recompute_windows(spacecraft=each, start=at, horizon=HORIZON, at=at)
    book_contacts(at=at)
    seeded.job = _job(spacecraft, laboratory, pipeline, at)
    seeded.telecommand = _telecommand(spacecraft, person, at)
    seeded.next_contact = scheduling.next_contact(at)
    return seeded


def _account(
    seeded: Seeded,
    username: str,
    organisation: Organisation,
    roles: Iterable[Role],
    display_name: str,
    at: datetime,
) -> Operator:
    operator = Operator.objects.filter(username=username).first()
    if operator is not None:
        return operator
    password = secrets.token_urlsafe(_PASSWORD_OCTETS)
    seeded.passwords[username] = password
    return create_operator(
        username=username,
        display_name=display_name,
        organisation=organisation,
        roles=roles,
        password=password,
        at=at,
        actor=_ACTOR,
    )


def _service_account(
    seeded: Seeded, username: str, organisation: Organisation, at: datetime
) -> Operator:
    operator = Operator.objects.filter(username=username).first()
    if operator is not None:
        return operator
    operator = create_operator(
        username=username,
        display_name=f"{organisation.name}, pipeline",
        organisation=organisation,
        roles=[Role.PAYLOAD_MEMBER],
        password=None,
        at=at,
        actor=_ACTOR,
        is_service_account=True,
    )
    _, seeded.token = create_token(
        operator=operator,
        organisation=organisation,
        name="demo",
        at=at,
        wall_at=clock.wall_now(),
        actor=_ACTOR,
    )
    return operator


def _job(
    spacecraft: Spacecraft, organisation: Organisation, member: Operator, at: datetime
) -> Job:
    earlier = Job.objects.filter(spacecraft=spacecraft, submitted_by=member).order_by("pk").first()
    return earlier or submit_job(
        spacecraft=spacecraft,
        organisation=organisation,
        submitted_by=member,
        program="MATRIX_PRODUCT",
        input_octets=matrix_product_input(_MATRIX_SIZE),
        at=at,
    )


def _telecommand(spacecraft: Spacecraft, person: Operator, at: datetime) -> Telecommand:
    earlier = Telecommand.objects.filter(spacecraft=spacecraft, name="PING").order_by("pk").first()
    return earlier or submit_telecommand(
        spacecraft=spacecraft, name="PING", arguments={}, submitted_by=person, at=at
    )


def matrix_product_input(size: int) -> bytes:
    """Return the input of MATRIX_PRODUCT: two square matrices of *size* rows, always the same."""
    values = [math.sin(place + 1) for place in range(2 * size * size)]
    return struct.pack(f">3H{len(values)}f", size, size, size, *values)


def as_json(seeded: Seeded, *, mission_time: datetime) -> dict[str, Any]:
    """Return what a script needs to go on; a password is null where it was made earlier."""
    contact = seeded.next_contact
    return {
        "mission_time": mission_time.isoformat(),
        "operators": [
            {"username": name, "password": seeded.passwords.get(name)}
            for name in ("operator", "approver")
        ],
        "service_account": {"username": "demo-pipeline", "token": seeded.token or None},
        "job": seeded.job.number if seeded.job is not None else None,
        "telecommand": seeded.telecommand.pk if seeded.telecommand is not None else None,
        "next_contact": None
        if contact is None
        else {
            "id": contact.pk,
            "spacecraft": contact.spacecraft.name,
            "station": contact.antenna.station.name,
            "antenna": contact.antenna.name,
            "aos": contact.aos.isoformat(),
            "los": contact.los.isoformat(),
            "max_elevation_deg": round(contact.max_elevation_deg, 1),
        },
    }
