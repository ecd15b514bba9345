from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from missioncontrol.accounts.policy import Role
from missioncontrol.audit.models import AuditEntry
from missioncontrol.contacts.models import ContactWindow
from missioncontrol.kernel.errors import NotPermittedError
from missioncontrol.scheduling import leases, selectors, services
from missioncontrol.scheduling.models import TRANSITIONS, Contact
from tests import factories
from tests.factories import AT

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
State = Contact.State


@pytest.fixture
def craft():
    craft = factories.spacecraft()
    factories.mission_profile(craft)
    return craft


@pytest.fixture
def svalbard():
    station = factories.ground_station()
    factories.antenna(station)
    return station


def window(craft, station, *, begins, minutes=10, elevation_deg=40.0):
    aos = AT + begins * MINUTE
    return ContactWindow.objects.create(
        spacecraft=craft,
        station=station,
        aos=aos,
        tca=aos + minutes * MINUTE / 2,
        los=aos + minutes * MINUTE,
        max_elevation_deg=elevation_deg,
        aos_azimuth_deg=0,
        los_azimuth_deg=180,
        ephemeris=factories.ephemeris(craft),
        computed_at=AT,
    )


@pytest.fixture
def booked(craft, svalbard):
    return factories.contact(craft, svalbard.antennas.get(), craft.mission_profiles.get())


class TestBookContacts:
    def test_books_the_higher_of_two_passes_at_one_time(self, craft, svalbard):
        inuvik = factories.ground_station("Inuvik")
        factories.antenna(inuvik)
        window(craft, svalbard, begins=30, elevation_deg=20)
        window(craft, inuvik, begins=32, elevation_deg=70)
        [contact] = services.book_contacts(at=AT)
        assert contact.antenna.station == inuvik
        assert AuditEntry.objects.get().action == "contact.book"

    def test_books_nothing_twice(self, craft, svalbard):
        window(craft, svalbard, begins=30)
        assert len(services.book_contacts(at=AT)) == 1
        assert services.book_contacts(at=AT) == []

    def test_leaves_an_antenna_its_set_up_and_tear_down(self, craft, svalbard):
        other = factories.spacecraft("DD-2", ccsds_id=0x43)
        factories.mission_profile(other)
        window(craft, svalbard, begins=30, elevation_deg=50)
        window(other, svalbard, begins=41, elevation_deg=30)  # one minute later: too soon
        assert [contact.spacecraft for contact in services.book_contacts(at=AT)] == [craft]

    def test_passes_over_what_is_too_short_or_has_begun(self, craft, svalbard):
        window(craft, svalbard, begins=30, minutes=2)
        window(craft, svalbard, begins=1)  # the pre-pass of two minutes would have begun
        assert services.book_contacts(at=AT) == []

    def test_books_again_what_was_cancelled_elsewhere(self, craft, svalbard, booked):
        Contact.objects.update(state=State.CANCELLED)
        window(craft, svalbard, begins=30)
        assert len(services.book_contacts(at=AT)) == 1


class TestNoteDrift:
    def test_keeps_the_time_and_shows_the_seconds(self, craft, svalbard):
        moved = window(craft, svalbard, begins=30)
        [contact] = services.book_contacts(at=AT)
        ContactWindow.objects.filter(pk=moved.pk).update(aos=moved.aos + timedelta(seconds=1.5))
        assert services.note_drift(spacecraft=craft, at=AT) == 1
        contact.refresh_from_db()
        assert (contact.aos, contact.drift_s) == (moved.aos, 1.5)


class TestLeases:
    def test_one_of_two_executors_gets_the_contact(self, booked):
        first = leases.claim_contact(contact_id=booked.pk, holder="a", lease_s=30)
        assert first is not None
        assert leases.claim_contact(contact_id=booked.pk, holder="b", lease_s=30) is None
        assert leases.renew_lease(first, lease_s=30)

    def test_a_lease_that_ran_out_passes_on_with_a_higher_epoch(self, booked):
        first = leases.claim_contact(contact_id=booked.pk, holder="a", lease_s=-1)
        second = leases.claim_contact(contact_id=booked.pk, holder="b", lease_s=30)
        assert (first.epoch, second.epoch) == (1, 2)
        assert not leases.renew_lease(first, lease_s=30)

    def test_a_contact_that_is_over_cannot_be_claimed(self, booked):
        Contact.objects.update(state=State.COMPLETED)
        assert leases.claim_contact(contact_id=booked.pk, holder="a", lease_s=30) is None

    def test_a_contact_given_back_can_be_claimed_at_once(self, booked):
        lease = leases.claim_contact(contact_id=booked.pk, holder="a", lease_s=30)
        leases.release_lease(lease)
        assert leases.claim_contact(contact_id=booked.pk, holder="b", lease_s=30).epoch == 2


class TestAdvanceContact:
    def test_walks_through_a_pass_and_logs_each_step(self, booked):
        for to in (State.PREPASS, State.PASS, State.POSTPASS, State.COMPLETED):
            services.advance_contact(contact_id=booked.pk, epoch=0, to=to, at=AT)
        booked.refresh_from_db()
        assert (booked.state, booked.started_at, booked.ended_at) == (State.COMPLETED, AT, AT)
        assert [entry.action for entry in AuditEntry.objects.order_by("pk")] == [
            "contact.prepass",
            "contact.pass",
            "contact.postpass",
            "contact.completed",
        ]

    def test_refuses_an_executor_that_lost_its_lease(self, booked):
        leases.claim_contact(contact_id=booked.pk, holder="a", lease_s=-1)
        leases.claim_contact(contact_id=booked.pk, holder="b", lease_s=30)
        with pytest.raises(services.ContactRefusedError, match="epoch 1 has lost it"):
            services.advance_contact(contact_id=booked.pk, epoch=1, to=State.PREPASS, at=AT)

    @pytest.mark.parametrize("was", list(State))
    def test_refuses_every_step_that_is_not_in_the_table(self, booked, was):
        for to in set(State) - set(TRANSITIONS[was]):
            Contact.objects.update(state=was)
            with pytest.raises(services.ContactRefusedError, match="cannot follow"):
                services.advance_contact(contact_id=booked.pk, epoch=0, to=to, at=AT)
        assert not AuditEntry.objects.exists()


class TestCancelContact:
    def test_needs_a_role(self, booked):
        stranger = factories.operator("eve")
        with pytest.raises(NotPermittedError, match=r"eve may not do contact\.cancel"):
            services.cancel_contact(contact_id=booked.pk, actor=stranger, at=AT)
        alice = factories.operator("alice", Role.OPERATOR)
        services.cancel_contact(contact_id=booked.pk, actor=alice, at=AT)
        assert AuditEntry.objects.get().actor == "operator:alice"

    def test_is_too_late_during_the_pass(self, booked):
        alice = factories.operator("alice", Role.OPERATOR)
        Contact.objects.update(state=State.PASS)
        with pytest.raises(services.ContactRefusedError, match="is PASS; CANCELLED cannot follow"):
            services.cancel_contact(contact_id=booked.pk, actor=alice, at=AT)


class TestMarkMissed:
    def test_closes_what_nobody_flew(self, booked):
        assert services.mark_missed(at=booked.los) == 0
        assert services.mark_missed(at=booked.los + MINUTE) == 1
        booked.refresh_from_db()
        assert booked.state == State.MISSED
        assert "No pass executor" in booked.failure


class TestSelectors:
    def test_a_contact_is_due_when_its_pre_pass_begins(self, booked):
        before = booked.aos - timedelta(seconds=booked.pre_pass_s + 20)
        assert selectors.due_contacts(before, within_s=10) == []
        assert selectors.due_contacts(before, within_s=30) == [booked]
        assert selectors.next_contact(before) == booked

    def test_a_contact_in_progress_stays_due_until_it_ends(self, booked):
        Contact.objects.update(state=State.POSTPASS)
        assert selectors.due_contacts(booked.los + 60 * MINUTE, within_s=1) == [booked]


class TestTheDatabase:
    def test_refuses_two_contacts_of_one_antenna_at_one_time(self, craft, booked):
        other = factories.spacecraft("DD-2", ccsds_id=0x43)
        with pytest.raises(IntegrityError), transaction.atomic():
            factories.contact(other, booked.antenna, booked.profile)
