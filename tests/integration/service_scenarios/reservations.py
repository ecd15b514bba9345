"""Contacts on leased stations, and what their providers say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from missioncontrol.accounts.policy import Role
from missioncontrol.reservations import services
from missioncontrol.reservations.models import Reservation
from missioncontrol.reservations.providers.interface import ContactStatus, ProviderContact
from missioncontrol.scheduling import services as scheduling
from tests import factories
from tests.factories import AT
from tests.integration.service_scenarios import scenario, unlogged

HOUR = timedelta(hours=1)
WALL = datetime(2026, 11, 1, tzinfo=UTC)

unlogged(
    "notes that a provider is asked, which changes nothing",
    services.claim_reservations,
    services.note_fault,
    services.note_standing,
)


def booked():
    craft = factories.spacecraft()
    station = factories.ground_station(leased=True)
    profile = factories.mission_profile(craft)
    return factories.contact(craft, factories.antenna(station), profile, aos=AT + HOUR)


def reservation(state=Reservation.State.SCHEDULING):
    booked()
    services.follow_contacts(at=AT, wall_at=WALL)
    Reservation.objects.update(state=state, provider_contact_id="c-1")
    return Reservation.objects.get()


def found(row, status=ContactStatus.SCHEDULED):
    return ProviderContact(
        contact_id="c-1",
        token=row.token,
        satellite=row.satellite,
        antenna=row.antenna,
        begins=row.begins,
        ends=row.ends,
        status=status,
    )


@scenario(services.follow_contacts)
def follow(call):
    booked()
    call(at=AT, wall_at=WALL)


@scenario(services.note_answer)
def answer(call):
    row = reservation()
    call(reservation_id=row.pk, found=found(row), at=AT, wall_at=WALL)


@scenario(services.note_refusal)
def refusal(call):
    call(reservation_id=reservation().pk, reason="full", at=AT)


@scenario(services.note_cancelled)
def cancelled(call):
    call(reservation_id=reservation(Reservation.State.CANCELLING).pk, at=AT)


@scenario(services.compare_list)
def compare(call):
    row = reservation(Reservation.State.SCHEDULED)
    call(
        provider="operations",
        listed=[found(row, ContactStatus.PROVIDER_CANCELLED)],
        until=AT + 9 * HOUR,
        asked_at=WALL,
        at=AT,
        wall_at=WALL,
    )


@scenario(services.give_back_reservation)
def give_back(call):
    row = reservation(Reservation.State.SCHEDULED)
    Reservation.objects.update(contact=None)
    somebody = factories.operator("olga", Role.OPERATOR, member_of=factories.organisation())
    call(reservation_id=row.pk, actor=somebody, at=AT, wall_at=WALL)


@scenario(scheduling.withdraw_contact)
def withdraw(call):
    call(contact_id=booked().pk, reason="full", at=AT)
