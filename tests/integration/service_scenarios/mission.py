"""Fleet, contacts and scheduling."""

from __future__ import annotations

from datetime import timedelta

from missioncontrol.accounts.policy import Role
from missioncontrol.contacts import services as contacts
from missioncontrol.contacts.models import ContactWindow
from missioncontrol.fleet import services as fleet
from missioncontrol.kernel import clock
from missioncontrol.scheduling import services as scheduling
from missioncontrol.scheduling.models import Contact
from tests import factories
from tests.factories import AT
from tests.integration.service_scenarios import scenario, unlogged
from tests.unit.missioncontrol.fleet.demo_mission import document, parse

HOUR = timedelta(hours=1)

unlogged(
    "predictions, which follow from elements that are logged and are replaced at any time",
    contacts.keep_horizon,
    contacts.recompute_group,
    contacts.recompute_windows,
)
unlogged(
    "a number that follows from the newest prediction; the contact keeps its time",
    scheduling.note_drift,
)


def contact(**fields):
    craft = factories.spacecraft()
    antenna = factories.antenna(factories.ground_station())
    return factories.contact(craft, antenna, factories.mission_profile(craft), **fields)


@scenario(fleet.load_mission)
def load(call):
    call(mission=parse(document()), actor="process:test", at=AT)


@scenario(fleet.load_ephemeris)
def load_elements(call):
    call(
        spacecraft=factories.spacecraft().name,
        text=f"SENTINEL-1A\n{factories.LINE1}\n{factories.LINE2}",
        actor="process:test",
        at=AT,
    )


@scenario(fleet.set_clock_factor)
def set_the_clock(call):
    clock.set_clock(mission_time=AT, factor=1)
    call(factor=2, actor=factories.operator("alice", Role.OPERATOR), at=AT)


@scenario(scheduling.book_contacts)
def book(call):
    craft, station = factories.spacecraft(), factories.ground_station()
    factories.mission_profile(craft)
    factories.antenna(station)
    ContactWindow.objects.create(
        spacecraft=craft,
        station=station,
        aos=AT + HOUR,
        tca=AT + HOUR,
        los=AT + 2 * HOUR,
        max_elevation_deg=40,
        aos_azimuth_deg=0,
        los_azimuth_deg=180,
        ephemeris=factories.ephemeris(craft),
        computed_at=AT,
    )
    call(at=AT)


@scenario(scheduling.advance_contact)
def advance(call):
    call(contact_id=contact().pk, epoch=0, to=Contact.State.PREPASS, at=AT)


@scenario(scheduling.cancel_contact)
def cancel(call):
    booked = contact()
    call(contact_id=booked.pk, actor=factories.operator("alice", Role.OPERATOR), at=AT)


@scenario(scheduling.mark_missed)
def miss(call):
    call(at=contact().los + HOUR)
