"""What an operator does with plans and outages, and what the timeline draws."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.messages import get_messages

from missioncontrol.accounts.models import Organisation
from missioncontrol.contacts.services import recompute_windows
from missioncontrol.scheduling import services
from missioncontrol.scheduling.models import Contact, Outage, Plan
from missioncontrol.scheduling.plan_problem import window_id
from tests import planned
from tests.integration.missioncontrol.console.conftest import AT


def told(answer) -> str:
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))


@pytest.fixture
def windows(mission):
    recompute_windows(spacecraft=mission, start=AT, horizon=timedelta(hours=48), at=AT)


@pytest.fixture
def plan(windows, alice):
    return services.propose_plan(
        organisation=Organisation.objects.get(slug="operator"),
        horizon=timedelta(hours=24),
        actor=alice,
        at=AT,
    )


def seen(browser, plan) -> str:
    page = browser.get(f"/plans/{plan.pk}/").content.decode()
    return page.partition('name="seen" value="')[2].partition('"')[0]


class TestPlans:
    def test_are_proposed_for_the_horizon_chosen(self, windows, alice, browser_of):
        answer = browser_of(alice).post("/plans/propose/", {"hours": "12"})
        plan = Plan.objects.get()
        assert answer["Location"] == f"/plans/{plan.pk}/"
        assert timedelta(hours=11, minutes=59) < plan.ends - plan.begins <= timedelta(hours=12)

    def test_take_no_horizon_that_is_not_offered(self, windows, alice, browser_of):
        answer = browser_of(alice).post("/plans/propose/", {"hours": "13"})
        assert "choose one of those offered" in told(answer)
        assert not Plan.objects.exists()

    def test_are_approved_and_published_as_they_were_seen(self, plan, alice, browser_of):
        browser = browser_of(alice)
        for step in ("approve", "publish"):
            browser.post(f"/plans/{plan.pk}/{step}/", {"seen": seen(browser, plan)})
        plan.refresh_from_db()
        assert plan.state == Plan.State.PUBLISHED
        assert Contact.objects.filter(plan=plan).count() == plan.contact_count

    def test_are_not_approved_where_a_worker_made_them_better_meanwhile(
        self, plan, alice, browser_of
    ):
        browser = browser_of(alice)
        before = seen(browser, plan)
        services.improve_plan(plan_id=plan.pk, search=planned.search(), at=AT)
        answer = browser.post(f"/plans/{plan.pk}/approve/", {"seen": before})
        assert "has changed since this page was made" in told(answer)
        plan.refresh_from_db()
        assert plan.state == Plan.State.PROPOSED

    def test_are_refused_and_stay_to_be_read(self, plan, alice, browser_of):
        browser = browser_of(alice)
        browser.post(f"/plans/{plan.pk}/refuse/")
        assert "refused" in browser.get(f"/plans/{plan.pk}/").content.decode()

    def test_are_no_payload_members_business(self, plan, mei, browser_of):
        browser = browser_of(mei)
        assert browser.get("/plans/").status_code == 403
        assert browser.get(f"/plans/{plan.pk}/").status_code == 403
        assert browser.post(f"/plans/{plan.pk}/approve/").status_code == 403


class TestOutages:
    def declared(self, browser, **fields):
        form = {
            "resource": "KASHI-1",
            "begins": "2026-12-01T18:00",
            "ends": "2026-12-02T06:00",
            "reason": "drive fault",
            **fields,
        }
        return browser.post("/outages/declare/", form)

    def test_are_declared_in_utc_and_lifted(self, mission, alice, browser_of):
        browser = browser_of(alice)
        self.declared(browser)
        outage = Outage.objects.get()
        assert outage.begins == AT + timedelta(hours=6)
        assert f'data-outage="{outage.pk}"' in browser.get("/plans/").content.decode()
        browser.post(f"/outages/{outage.pk}/lift/")
        outage.refresh_from_db()
        assert outage.lifted_at is not None

    @pytest.mark.parametrize(
        ("wrong", "complaint"),
        [
            ({"resource": "NOWHERE"}, "no antenna and no spacecraft"),
            ({"begins": "soon"}, "give a date and a time in UTC"),
            ({"reason": ""}, "Give the reason"),
        ],
    )
    def test_say_what_is_wrong_with_the_form(self, mission, alice, browser_of, wrong, complaint):
        answer = self.declared(browser_of(alice), **wrong)
        assert complaint in told(answer)
        assert not Outage.objects.exists()


class TestTimeline:
    def items(self, browser):
        drawn = browser.get("/timeline/items").json()
        columns = drawn["items"]
        states = [drawn["states"][state] for state in columns["state"]]
        return drawn, columns, states

    def test_is_drawn_from_columns_by_begin(self, windows, alice, browser_of):
        drawn, columns, states = self.items(browser_of(alice))
        assert len({len(column) for column in columns.values()}) == 1
        assert columns["begins_s"] == sorted(columns["begins_s"])
        assert set(states) == {"opportunity"}
        assert drawn["spacecraft"] == ["DD-1"]
        assert "KASHI-1" in drawn["antennas"]

    @pytest.mark.parametrize(
        ("fields", "state"),
        [
            ({}, "booked"),
            ({"state": "PASS"}, "live"),
            ({"state": "COMPLETED"}, "done"),
            ({"state": "FAILED"}, "failed"),
            ({"state": "MISSED"}, "failed"),
            ({"drift_s": 9.0}, "drifted"),
        ],
    )
    def test_says_how_each_contact_stands(self, windows, alice, browser_of, fields, state):
        [contact, *_] = services.book_contacts(at=AT)
        Contact.objects.exclude(pk=contact.pk).delete()
        Contact.objects.filter(pk=contact.pk).update(**fields)
        _, columns, states = self.items(browser_of(alice))
        assert states[columns["contact"].index(contact.pk)] == state

    def test_shows_no_opportunity_where_it_is_booked_nor_what_was_cancelled(
        self, windows, alice, browser_of
    ):
        _, before, _ = self.items(browser_of(alice))
        contacts = services.book_contacts(at=AT)
        kept, given_up = contacts[0], contacts[1]
        Contact.objects.exclude(pk__in=[kept.pk, given_up.pk]).delete()
        Contact.objects.filter(pk=given_up.pk).update(state=Contact.State.CANCELLED)
        _, after, _ = self.items(browser_of(alice))
        assert given_up.pk not in after["contact"]
        antennas = kept.antenna.station.antennas.filter(active=True).count()
        assert len(after["state"]) == len(before["state"]) + 1 - antennas


class TestWish:
    """What is asked of a plan on the timeline, by the names that its items have there."""

    def drawn(self, browser, plan=""):
        answer = browser.get(f"/timeline/items{plan and f'?plan={plan}'}").json()
        columns = answer["items"]
        begins = datetime.fromtimestamp(answer["begins_ms"] / 1000, UTC)
        return {
            window_id(
                answer["spacecraft"][columns["spacecraft"][item]],
                answer["antennas"][columns["antenna"][item]],
                begins + timedelta(seconds=columns["begins_s"][item]),
            ): answer["states"][state]
            for item, state in enumerate(columns["state"])
        }

    def test_is_answered_with_a_plan_that_the_timeline_shows(self, windows, alice, browser_of):
        services.book_contacts(at=AT)
        browser = browser_of(alice)
        states = self.drawn(browser)
        wanted = next(name for name, state in states.items() if state == "opportunity")
        freed = [name for name, state in states.items() if state == "booked"][2]
        answer = browser.post("/timeline/propose/", {"include": wanted, "exclude": freed})
        plan = Plan.objects.get()
        assert f'data-plan="{plan.pk}"' in answer.content.decode()
        assert {pin["window"] for pin in plan.pins} == {wanted, freed}
        after = self.drawn(browser, plan.pk)
        assert (after[wanted], after[freed]) == ("added", "freed")
        assert self.drawn(browser) == states  # nothing was booked
        page = browser.get(f"/timeline/?plan={plan.pk}").content.decode()
        assert "is to be left free, as was asked" in page
        spacecraft, antenna, _ = freed.split("/")
        page = browser.get(f"/plans/{plan.pk}/").content.decode()
        assert f"As was asked, {spacecraft} on {antenna} at 12-01 " in page
        assert "Z is left free." in page

    def test_is_refused_in_words(self, windows, alice, browser_of):
        browser = browser_of(alice)
        for form, why in (
            ({}, "Nothing was asked for"),
            ({"include": "DD-1"}, "names no window"),
            ({"include": "DD-1/KASHI-1/20261201T000000Z"}, "There is no window DD-1/KASHI-1/"),
        ):
            answer = browser.post("/timeline/propose/", form)
            assert answer.status_code == 422
            assert why in answer.content.decode()
        assert not Plan.objects.exists()

    def test_reaches_as_far_as_the_plan_in_force(self, plan, alice, browser_of):
        for decide in (services.approve_plan, services.publish_plan):
            decide(plan_id=plan.pk, actor=alice, at=AT)
        browser = browser_of(alice)
        booked = next(name for name, state in self.drawn(browser).items() if state == "booked")
        browser.post("/timeline/propose/", {"exclude": booked})
        assert Plan.objects.first().ends == plan.ends

    def test_shows_no_plans_to_who_may_not_see_them(self, plan, alice, mei, browser_of):
        for address in ("/timeline/", "/timeline/items"):
            assert browser_of(alice).get(f"{address}?plan={plan.pk}").status_code == 200
            assert browser_of(mei).get(f"{address}?plan={plan.pk}").status_code == 403
            for number in ("x", "999"):
                assert browser_of(alice).get(f"{address}?plan={number}").status_code == 404
        assert 'id="wish"' not in browser_of(mei).get("/timeline/").content.decode()
