from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from missioncontrol.accounts.policy import Role
from missioncontrol.audit.models import AuditEntry
from missioncontrol.contacts.models import ContactWindow
from missioncontrol.kernel.errors import NotPermittedError
from missioncontrol.kernel.organisations import acting_for
from missioncontrol.scheduling import selectors, services
from missioncontrol.scheduling.bookings import is_free
from missioncontrol.scheduling.models import CalendarFeed, Contact, ContactRequest, Outage
from tests import factories, planned
from tests.factories import AT
from tests.planned import HOUR

pytestmark = pytest.mark.django_db


@pytest.fixture
def craft():
    return factories.spacecraft()


@pytest.fixture
def antenna():
    return factories.antenna(factories.ground_station())


@pytest.fixture
def member():
    return factories.organisation("laboratory", kind="member")


@pytest.fixture
def mei(member):
    return factories.operator("mei", Role.PAYLOAD_MEMBER, member_of=member)


def asked(organisation, craft, actor, **terms):
    values = {
        "kind": ContactRequest.Kind.DATA,
        "earliest": AT,
        "deadline": AT + 9 * HOUR,
        **terms,
    }
    return services.request_contact(
        organisation=organisation,
        spacecraft=craft,
        terms=services.RequestTerms(**values),
        actor=actor,
        at=AT,
    )


def declared(of, actor, **fields):
    values = {
        "begins": AT,
        "ends": AT + HOUR,
        "planned": True,
        "reason": "a bearing",
        "at": AT,
        **fields,
    }
    return services.declare_outage(of=of, actor=actor, **values)


class TestRequestContact:
    def test_is_enough_with_the_least_count_unless_more_is_asked_for(self, craft, member, mei):
        assert asked(member, craft, mei, minimum_count=3).maximum_count == 3
        assert asked(member, craft, mei, minimum_count=0).maximum_count == 1
        assert asked(member, craft, mei, minimum_count=1, maximum_count=5).maximum_count == 5

    def test_keeps_its_terms_out_of_the_public_entry(self, craft, member, mei):
        asked(member, craft, mei, value=77.0)
        entry = AuditEntry.objects.get(action="contact_request.submit")
        octets = bytes(entry.entry)
        assert b'"kind":"DATA"' in octets
        assert b"77" not in octets.split(b'"details"')[1].split(b"}")[0]
        assert b"deadline" not in octets

    @pytest.mark.parametrize(
        ("wrong", "complaint"),
        [
            ({"deadline": AT}, "must be after the earliest begin"),
            ({"earliest": AT - 9 * HOUR, "deadline": AT - HOUR}, "after mission time"),
            ({"latest": AT + 10 * HOUR}, "between the earliest and the deadline"),
            ({"priority": 0}, "goes from 1, the highest, to 5"),
            ({"minimum_duration_s": 100_000}, "0 to 86400 s are allowed"),
            ({"minimum_count": 2000}, "0 to 1000 are allowed"),
            ({"minimum_count": 3, "maximum_count": 2}, "3 to 1000 are allowed"),
            ({"value": float("nan")}, r"value is nan; 0 to 1e\+09"),
            ({"missing_cost": -1.0}, "missing_cost is -1"),
        ],
    )
    def test_refuses_what_no_plan_could_meet(self, craft, member, mei, wrong, complaint):
        with pytest.raises(services.RequestRefusedError, match=complaint):
            asked(member, craft, mei, **wrong)
        assert not ContactRequest.objects.exists()

    def test_refuses_a_retired_spacecraft(self, craft, member, mei):
        craft.active = False
        with pytest.raises(services.RequestRefusedError, match="is retired"):
            asked(member, craft, mei)

    def test_refuses_who_asks_for_another_member(self, craft, mei):
        with pytest.raises(NotPermittedError, match=r"contact_request\.manage"):
            asked(factories.organisation("rival"), craft, mei)

    def test_is_seen_by_its_member_and_who_operates_the_spacecraft(self, craft, member, mei):
        asked(member, craft, mei)
        rival = factories.organisation("rival")
        for organisation, seen in ((member, 1), (factories.organisation(), 1), (rival, 0)):
            with acting_for([(organisation.pk, organisation.slug)]):
                assert ContactRequest.objects.count() == seen
                assert selectors.contact_requests([organisation]).count() == seen


class TestWithdrawRequest:
    def test_leaves_what_is_booked_for_it_booked(self, craft, antenna, member, mei):
        request = asked(member, craft, mei)
        booked = factories.contact(
            craft, antenna, factories.mission_profile(craft), request=request
        )
        services.withdraw_request(request_id=request.pk, actor=mei, at=AT)
        booked.refresh_from_db()
        assert booked.state == Contact.State.SCHEDULED

    def test_is_not_planned_for_any_more(self, mei, member):
        mission = planned.Mission()
        pia = planned.planner()
        request = asked(member, mission.crafts[0], mei, minimum_count=2)
        services.withdraw_request(request_id=request.pk, actor=mei, at=AT)
        asked_for = planned.proposed(pia).document["problem"]["requests"]
        assert {one["id"] for one in asked_for} == {"standing:DD-1", "standing:DD-2"}

    def test_takes_off_its_counts_what_was_served_outside_the_horizon(self, mei, member):
        mission = planned.Mission()
        request = asked(member, mission.crafts[0], mei, minimum_count=3, deadline=AT + 40 * HOUR)
        profile = mission.crafts[0].mission_profiles.get()
        for hours, state in ((20, "SCHEDULED"), (30, "CANCELLED")):
            factories.contact(
                mission.crafts[0],
                mission.antenna,
                profile,
                aos=AT + hours * HOUR,
                request=request,
                state=state,
            )
        document = planned.proposed(planned.planner()).document
        [wanted] = [
            one for one in document["problem"]["requests"] if one["id"] == f"request:{request.pk}"
        ]
        assert (wanted["minimum_count"], wanted["maximum_count"]) == (2, 2)


class TestDeclareOutage:
    def test_keeps_the_product_from_booking_into_it(self, craft, antenna):
        factories.mission_profile(craft)
        factories.ephemeris(craft)
        planned.window(craft, antenna.station, begins=30)
        planned.window(craft, antenna.station, begins=130)
        declared(antenna, planned.planner())
        [contact] = services.book_contacts(at=AT)
        assert contact.aos == AT + timedelta(minutes=130)

    def test_of_a_spacecraft_counts_at_every_station(self, craft, antenna):
        factories.mission_profile(craft)
        factories.ephemeris(craft)
        planned.window(craft, antenna.station, begins=30)
        declared(craft, planned.planner())
        assert services.book_contacts(at=AT) == []

    def test_may_be_declared_by_the_stations_owner_for_its_own(self, antenna, craft):
        provider = factories.organisation("provider", kind="station_provider")
        stan = factories.operator("stan", Role.STATION_PROVIDER, member_of=provider)
        with pytest.raises(NotPermittedError, match=r"outage\.declare"):
            declared(antenna, stan)
        station = factories.ground_station("Troll", owner=provider)
        assert declared(factories.antenna(station), stan).owner == provider

    @pytest.mark.parametrize(
        "wrong",
        [
            {"ends": AT},
            {"begins": AT - 3 * HOUR, "ends": AT - HOUR},
            {"ends": AT + timedelta(days=400)},
        ],
    )
    def test_refuses_an_interval_that_is_empty_over_or_too_long(self, antenna, wrong):
        with pytest.raises(services.OutageRefusedError, match="366 days at most"):
            declared(antenna, planned.planner(), **wrong)

    def test_refuses_one_without_a_reason(self, antenna):
        with pytest.raises(services.OutageRefusedError, match="Give the reason"):
            declared(antenna, planned.planner(), reason="  ")

    def test_the_database_refuses_one_of_two_things(self, antenna, craft):
        outage = declared(antenna, planned.planner())
        outage.spacecraft = craft
        with pytest.raises(IntegrityError, match="outage_of_one_thing"), transaction.atomic():
            outage.save()

    def test_is_lifted_once(self, antenna):
        pia = planned.planner()
        outage = declared(antenna, pia)
        services.lift_outage(outage_id=outage.pk, actor=pia, at=AT)
        assert selectors.outages_within(AT, AT + HOUR) == []
        with pytest.raises(services.OutageRefusedError, match="is over since"):
            services.lift_outage(outage_id=outage.pk, actor=pia, at=AT)
        assert Outage.objects.get().lifted_at == AT


class TestCalendarFeeds:
    def test_are_limited(self, member, mei):
        CalendarFeed.objects.bulk_create(
            CalendarFeed(
                organisation=member, secret_sha256=f"{number:064}", made_by=mei, made_at=AT
            )
            for number in range(50)
        )
        with pytest.raises(services.CalendarFeedRefusedError, match="which is the limit"):
            services.make_calendar_feed(organisation=member, of=None, actor=mei, at=AT, wall_at=AT)

    def test_keep_no_secret(self, member, mei):
        feed, secret = services.make_calendar_feed(
            organisation=member, of=None, actor=mei, at=AT, wall_at=AT
        )
        assert secret not in str(CalendarFeed.objects.filter(pk=feed.pk).values().get())
        assert selectors.calendar_feed_in_force(secret) == feed
        assert selectors.calendar_feed_in_force(f"{secret}x") is None

    def test_of_a_member_have_the_contacts_for_its_requests(self, craft, antenna, member, mei):
        profile = factories.mission_profile(craft)
        request = asked(member, craft, mei)
        own = factories.contact(craft, antenna, profile, request=request)
        factories.contact(craft, antenna, profile, aos=AT + 3 * HOUR)
        feed, _ = services.make_calendar_feed(
            organisation=member, of=None, actor=mei, at=AT, wall_at=AT
        )
        with acting_for([(member.pk, member.slug)]):
            assert selectors.feed_contacts(feed, at=AT) == [own]


def test_a_window_beside_a_contact_leaves_pre_pass_and_post_pass_free(craft, antenna):
    other = factories.spacecraft("DD-2", ccsds_id=0x43)
    profile = factories.mission_profile(other, pre_pass_s=300)
    factories.ephemeris(other)
    factories.contact(craft, antenna, factories.mission_profile(craft), aos=AT + HOUR)
    # Six minutes after tear-down: less than pre-pass and tear-down together.
    window = planned.window(other, antenna.station, begins=75)
    assert not is_free(antenna, profile, window)
    ContactWindow.objects.filter(pk=window.pk).update(aos=AT + timedelta(minutes=76))
    window.refresh_from_db()
    assert is_free(antenna, profile, window)
