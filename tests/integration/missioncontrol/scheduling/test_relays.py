"""Plans over relays: a path of two hops is planned, booked, kept, repaired as any window is."""

from __future__ import annotations

import pytest

from missioncontrol.contacts.models import RelayPath, WindowHorizon
from missioncontrol.fleet import selectors as fleet
from missioncontrol.orbits.look_angles import look_angles
from missioncontrol.scheduling import services
from missioncontrol.scheduling.models import Contact
from missioncontrol.scheduling.plan_relays import RelayLoad
from missioncontrol.scheduling.plan_verifier import verify_plan
from tests import factories, planned
from tests.factories import AT
from tests.planned import HOUR, MINUTE

pytestmark = pytest.mark.django_db


class RelayedMission:
    """DD-1 and DD-2 see no station; RELAY-1 sees both of them, and Svalbard and Kiruna."""

    def __init__(self, links):
        self.stations = [factories.ground_station(name) for name in ("Svalbard", "Kiruna")]
        self.antennas = [factories.antenna(one) for one in self.stations]
        self.relay = factories.spacecraft("RELAY-1", ccsds_id=0x50, relay_links=links)
        factories.ephemeris(self.relay)
        self.crafts = []
        for number in (1, 2):
            craft = factories.spacecraft(f"DD-{number}", ccsds_id=0x41 + number)
            factories.mission_profile(craft)
            craft.relays.add(self.relay)
            self.crafts.append(craft)
        for craft in (*self.crafts, self.relay):
            ephemeris = craft.ephemerides.first() or factories.ephemeris(craft)
            WindowHorizon.objects.create(
                spacecraft=craft, start=AT, end=AT + 12 * HOUR, ephemeris=ephemeris, computed_at=AT
            )

    def path(self, *, craft=0, station=0, begins=60, minutes=10):
        aos = AT + begins * MINUTE
        return RelayPath.objects.create(
            spacecraft=self.crafts[craft],
            relay=self.relay,
            station=self.stations[station],
            aos=aos,
            los=aos + minutes * MINUTE,
            max_elevation_deg=40.0,
            computed_at=AT,
        )


@pytest.fixture
def pia():
    return planned.planner()


@pytest.fixture
def mission():
    return RelayedMission(links=1)


def booked():
    return Contact.objects.filter(state=Contact.State.SCHEDULED).order_by("aos")


def test_are_planned_and_booked_with_the_relay_to_look_at(mission, pia):
    path = mission.path()
    plan = planned.published(pia)
    verify_plan(plan.document)
    [planned_contact] = plan.document["plan"]["contacts"]
    assert planned_contact["path"] == ["relay:RELAY-1", "Svalbard-1"]
    contact = booked().get()
    assert (contact.spacecraft, contact.relay) == (mission.crafts[0], mission.relay)
    assert (contact.antenna, contact.aos, contact.los) == (mission.antennas[0], path.aos, path.los)
    looked = look_angles(
        fleet.trajectory(mission.relay.ephemerides.get()),
        fleet.site(mission.stations[0]),
        [contact.aos, contact.tca, contact.los],
    )
    assert contact.aos_azimuth_deg == pytest.approx(looked.azimuth_deg[0])
    assert contact.max_elevation_deg == pytest.approx(looked.elevation_deg[1])
    assert contact.los_azimuth_deg == pytest.approx(looked.azimuth_deg[2])


@pytest.mark.parametrize(("links", "contacts"), [(0, 0), (1, 1), (2, 2)])
def test_carry_as_many_at_once_as_the_relay_has_links(pia, links, contacts):
    mission = RelayedMission(links)
    mission.path(craft=0, station=0)
    mission.path(craft=1, station=1)
    planned.published(pia)
    assert booked().count() == contacts


def test_take_one_antenna_for_one_contact_however_many_links_there_are(pia):
    mission = RelayedMission(links=5)
    mission.path(craft=0)
    mission.path(craft=1)
    planned.published(pia)
    assert booked().count() == 1


def test_stay_in_the_next_plan(mission, pia):
    mission.path()
    planned.published(pia)
    again = planned.proposed(pia, at=AT + MINUTE)
    assert (again.unchanged, again.changes) == (1, [])


def test_give_way_to_an_outage_of_the_relay(mission, pia):
    mission.path()
    planned.published(pia)
    services.declare_outage(
        of=mission.relay,
        begins=AT + HOUR,
        ends=AT + 2 * HOUR,
        planned=False,
        reason="safe mode",
        actor=pia,
        at=AT,
    )
    repair = planned.published(pia, repairs=True)
    assert [(one["kind"], one["outage"]) for one in repair.changes] == [
        ("DROPPED", "relay:RELAY-1")
    ]
    assert not booked().exists()


class TestPublishing:
    def left_out(self, plan, pia):
        services.approve_plan(plan_id=plan.pk, actor=pia, at=AT)
        published = services.publish_plan(plan_id=plan.pk, actor=pia, at=AT)
        assert not booked().filter(plan=plan).exists()
        return [(one["antenna"], one["why"]) for one in published.left_out]

    def test_leaves_out_what_has_no_path_any_more(self, mission, pia):
        path = mission.path()
        plan = planned.proposed(pia)
        path.delete()
        assert self.left_out(plan, pia) == [("relay:RELAY-1 → Svalbard-1", "its window is gone")]

    def test_leaves_out_what_its_relay_cannot_carry_any_more(self, mission, pia):
        mission.path(craft=0)
        plan = planned.proposed(pia)
        profile = mission.crafts[1].mission_profiles.get()
        factories.contact(
            *(mission.crafts[1], mission.antennas[1], profile),
            aos=AT + 65 * MINUTE,
            relay=mission.relay,
        )
        [(_, why)] = self.left_out(plan, pia)
        assert why == "RELAY-1 carries as many contacts as it can"

    def test_leaves_out_what_its_relay_is_out_for(self, mission, pia):
        mission.path()
        plan = planned.proposed(pia)
        services.declare_outage(
            of=mission.relay,
            begins=AT,
            ends=AT + 2 * HOUR,
            planned=False,
            reason="safe mode",
            actor=pia,
            at=AT,
        )
        assert [why for _, why in self.left_out(plan, pia)] == ["an outage was declared since"]


def test_drift_with_their_paths_and_not_with_windows(mission, pia):
    path = mission.path()
    planned.published(pia)
    path.aos += 3 * MINUTE / 60
    path.save()
    planned.window(mission.crafts[0], mission.stations[0], begins=61)
    services.note_drift(spacecraft=mission.crafts[0], at=AT)
    assert booked().get().drift_s == 3.0


def test_load_a_relay_only_where_they_overlap_at_one_instant(mission):
    mission.relay.relay_links = 2
    profile = mission.crafts[0].mission_profiles.get()
    load = RelayLoad(
        factories.contact(
            *(mission.crafts[number], mission.antennas[number], profile),
            aos=AT + begins * MINUTE,
            relay=mission.relay,
        )
        for number, begins in ((0, 0), (1, 20))
    )
    # Each of the two overlaps it, but never both at once.
    assert not load.is_full(mission.relay, AT, AT + 30 * MINUTE)
    third = factories.contact(
        mission.crafts[0], mission.antennas[0], profile, aos=AT + 25 * MINUTE, relay=mission.relay
    )
    load.add(third)
    assert load.is_full(mission.relay, AT, AT + 30 * MINUTE)
    assert not load.is_full(mission.relay, AT, AT + 25 * MINUTE)
    load.remove(third)
    assert not load.is_full(mission.relay, AT, AT + 30 * MINUTE)
