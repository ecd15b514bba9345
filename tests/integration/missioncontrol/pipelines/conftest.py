"""A spacecraft, a station that plays along, and a contact that has just begun."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from missioncontrol.accounts.policy import Role
from missioncontrol.accounts.services import create_operator
from missioncontrol.audit.services import sequence_entries
from missioncontrol.fleet.models import Antenna, MissionProfile, Spacecraft
from missioncontrol.kernel import clock
from missioncontrol.pipelines.demo import seed_mission
from missioncontrol.pipelines.executor.pass_run import PassRun
from missioncontrol.pipelines.executor.surroundings import Surroundings
from missioncontrol.scheduling.leases import Lease, claim_contact
from missioncontrol.scheduling.models import Contact
from tests.integration.missioncontrol.pipelines import scripted_station
from tests.integration.missioncontrol.pipelines.scripted_station import ScriptedStation
from uplink.commanding.models import Telecommand
from uplink.commanding.services import approve_telecommand, submit_telecommand

START = datetime(2026, 12, 1, 12, tzinfo=UTC)
FACTOR = 60.0


class IdleTransfers:
    """A file entity with a few packets to send and nothing to receive."""

    def __init__(self) -> None:
        self.packets: list[bytes] = []
        self.suspended = 0

    def next_packets(self, at: datetime, max_octets: int) -> list[bytes]:
        sent, self.packets = self.packets[:4], self.packets[4:]
        return sent

    def receive(self, at: datetime) -> int:
        return 0

    def suspend(self, at: datetime) -> None:
        self.suspended += 1


class Stage:
    """Everything that a test of a pass arranges and looks at."""

    def __init__(self, station: ScriptedStation, contact: Contact) -> None:
        self.station = station
        self.contact = contact
        self.transfers = IdleTransfers()
        self.open_transfers: Callable[[], IdleTransfers] = lambda: self.transfers
        self.end_when: Callable[[], bool] = lambda: False
        self.every_nudge: Callable[[], None] = lambda: None

    @property
    def onboard(self) -> scripted_station.Spacecraft:
        return self.station.spacecraft

    def claim(self, holder: str = "test") -> Lease:
        Contact.objects.filter(pk=self.contact.pk).update(lease_expires_at=None)
        lease = claim_contact(contact_id=self.contact.pk, holder=holder, lease_s=10)
        assert lease is not None
        return lease

    def run(self, lease: Lease | None = None) -> str:
        """Carry the pass out in this thread; the pass ends early when ``end_when`` holds."""
        self.contact.refresh_from_db()
        return PassRun(
            contact=self.contact,
            lease=lease or self.claim(),
            stop=threading.Event(),
            surroundings=self.surroundings(),
        ).run()

    def surroundings(self) -> Surroundings:
        return Surroundings(
            clcw_source=lambda spacecraft: self.onboard,
            transfers=lambda spacecraft, at: self.open_transfers(),
            advance_jobs=self._nudge,
            process_verification=lambda *, spacecraft, at: 0,
            simulator_address=self.station.address,
        )

    def _nudge(self, *, spacecraft: Spacecraft, at: datetime) -> int:
        self.every_nudge()
        if self.end_when():
            self.station.end_with = "LOS"
        return 0


@pytest.fixture
def mission(transactional_db, settings, tmp_path):
    """The demo mission at noon, sixty times as fast as the wall."""
    settings.LOG_DIR = tmp_path / "log"
    seed_mission(at=START)
    clock.set_clock(mission_time=START, factor=FACTOR)
    return Spacecraft.objects.get()


@pytest.fixture
def station(mission):
    state = clock.state()

    def now() -> datetime:
        return state.at(datetime.now(UTC))

    onboard = scripted_station.Spacecraft(spacecraft_id=mission.ccsds_id, now=now)
    with ScriptedStation(onboard, now=now) as scripted:
        yield scripted


@pytest.fixture
def stage(mission, station):
    """A pass whose AOS is 10 s of mission time ahead; it lasts five minutes."""
    at = clock.now()
    contact = Contact.objects.create(
        spacecraft=mission,
        antenna=Antenna.objects.get(name="KASHI-1"),
        profile=MissionProfile.objects.all()[0],
        aos=at + timedelta(seconds=10),
        tca=at + timedelta(seconds=160),
        los=at + timedelta(seconds=310),
        max_elevation_deg=87.0,
        aos_azimuth_deg=10.0,
        los_azimuth_deg=190.0,
        pre_pass_s=120,
        post_pass_s=5,
        booked_at=at,
    )
    return Stage(station, contact)


@pytest.fixture
def people(mission):
    """Two persons who may command."""
    return [
        create_operator(
            username=name,
            display_name=name,
            organisation=mission.organisation,
            roles=[Role.OPERATOR],
            password=None,
            at=START,
            actor="process:test",
        )
        for name in ("alice", "bob")
    ]


@pytest.fixture
def approved(mission, people):
    """Make a telecommand that may go up: approved by two, its approval published."""

    def make(name: str = "PING", **arguments: object) -> Telecommand:
        alice, bob = people
        telecommand = submit_telecommand(
            spacecraft=mission,
            name=name,
            arguments=arguments,
            submitted_by=alice,
            at=clock.now(),
        )
        approve_telecommand(telecommand_id=telecommand.pk, approver=bob, at=clock.now())
        sequence_entries(at=clock.now())
        return telecommand

    return make
