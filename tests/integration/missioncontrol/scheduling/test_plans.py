from __future__ import annotations

import json
import re
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from missioncontrol.accounts.policy import Role
from missioncontrol.audit.models import AuditEntry
from missioncontrol.contacts.models import ContactWindow
from missioncontrol.kernel import clock
from missioncontrol.kernel.errors import NotPermittedError
from missioncontrol.scheduling import services
from missioncontrol.scheduling.models import CongestionPrice, Contact, ContactRequest, Plan
from missioncontrol.scheduling.plan_problem import window_id
from missioncontrol.scheduling.plan_verifier import verify_plan
from tests import factories, planned
from tests.factories import AT
from tests.planned import HOUR, MINUTE
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def mission():
    return planned.Mission()


@pytest.fixture
def pia():
    return planned.planner()


def asked(mission, actor, *, craft=0, **terms):
    return services.request_contact(
        organisation=mission.organisation,
        spacecraft=mission.crafts[craft],
        terms=services.RequestTerms(
            **{
                "kind": ContactRequest.Kind.DATA,
                "earliest": AT,
                "deadline": AT + 9 * HOUR,
                **terms,
            }
        ),
        actor=actor,
        at=AT,
    )


def out(mission, actor, *, begins, ends, **fields):
    return services.declare_outage(
        of=fields.pop("of", mission.antenna),
        begins=AT + begins * HOUR,
        ends=AT + ends * HOUR,
        planned=False,
        reason="drive fault",
        actor=actor,
        at=AT,
    )


def booked():
    return Contact.objects.exclude(state=Contact.State.CANCELLED).order_by("aos")


class TestPropose:
    def test_serves_one_spacecraft_of_two_at_a_time(self, mission, pia):
        plan = planned.proposed(pia)
        verify_plan(plan.document)
        # Six conflicts of two windows within ten hours.
        assert plan.contact_count == 6
        assert (plan.state, plan.method, plan.bound) == (Plan.State.PROPOSED, "GREEDY", None)
        assert Contact.objects.count() == 0

    def test_prefers_what_somebody_asked_for(self, mission, pia):
        asked(mission, pia, minimum_count=6, maximum_count=6, priority=1)
        plan = planned.proposed(pia)
        assert {one["spacecraft"] for one in plan.document["plan"]["contacts"]} == {"DD-1"}
        assert [one["request"] for one in plan.unserved] == ["standing:DD-2"]
        assert plan.unserved[0]["code"] == "CONFLICT"

    def test_says_why_a_request_is_not_served(self, mission, pia):
        request = asked(mission, pia, minimum_duration_s=1200)
        [unserved] = [
            one
            for one in planned.proposed(pia).unserved
            if one["request"] == f"request:{request.pk}"
        ]
        assert (unserved["code"], unserved["owner"]) == ("TOO_SHORT", "operations")
        assert "1200 s" in unserved["reason"]

    def test_plans_no_further_than_windows_are_known(self, mission, pia):
        plan = planned.proposed(pia, horizon=48 * HOUR)
        assert plan.ends == AT + 12 * HOUR

    def test_refuses_where_no_windows_are_known(self, pia):
        with pytest.raises(services.PlanRefusedError, match="load orbital elements"):
            planned.proposed(pia)

    @pytest.mark.parametrize("horizon", [timedelta(minutes=1), timedelta(days=15)])
    def test_refuses_a_horizon_that_is_too_short_or_too_long(self, mission, pia, horizon):
        with pytest.raises(services.PlanRefusedError, match=r"0\.5 h to 336 h are allowed"):
            planned.proposed(pia, horizon=horizon)

    def test_refuses_who_may_not_plan(self, mission):
        approver = factories.operator("amy", Role.APPROVER)
        with pytest.raises(NotPermittedError, match=r"plan\.propose"):
            planned.proposed(approver)

    def test_keeps_what_is_booked_at_its_time_also_where_its_window_moved(self, mission, pia):
        services.book_contacts(at=AT)
        first = booked().order_by("-max_elevation_deg", "aos").first()
        ContactWindow.objects.filter(spacecraft=first.spacecraft, aos=first.aos).update(
            aos=first.aos + timedelta(seconds=3)
        )
        plan = planned.proposed(pia)
        times = {(one["begins"], one["spacecraft"]) for one in plan.document["plan"]["contacts"]}
        begins = first.aos.isoformat(timespec="microseconds").replace("+00:00", "Z")
        assert (begins, first.spacecraft.name) in times

    def test_says_of_a_contact_that_serves_another_that_it_stays(self, mission, pia):
        services.book_contacts(at=AT)
        asked(mission, pia, minimum_count=2)
        plan = planned.proposed(pia)
        reassigned = [one for one in plan.changes if one["kind"] == "REASSIGNED"]
        assert len(reassigned) == 2
        assert all(one["before"] == one["after"] for one in reassigned)
        assert reassigned[0]["why"] == "it was booked for housekeeping"

    def test_uses_no_antenna_while_it_is_out(self, mission, pia):
        out(mission, pia, begins=0, ends=3)
        plan = planned.proposed(pia)
        begun = [one["begins"] for one in plan.document["plan"]["contacts"]]
        assert min(begun) > (AT + 3 * HOUR).isoformat()

    def test_uses_an_antenna_again_once_its_outage_is_lifted(self, mission, pia):
        outage = out(mission, pia, begins=0, ends=3)
        services.lift_outage(outage_id=outage.pk, actor=pia, at=AT)
        assert planned.proposed(pia).contact_count == 6


class TestImprove:
    def test_stores_a_bound_and_a_gap(self, mission, pia):
        plan = planned.proposed(pia)
        better = services.improve_plan(plan_id=plan.pk, search=planned.search(), at=AT + MINUTE)
        verify_plan(better.document)
        assert better.objective >= plan.objective
        assert better.bound == pytest.approx(better.objective)
        assert better.gap == pytest.approx(0.0, abs=1e-4)
        assert (better.method, better.improved_at) == ("OPTIMISED", AT + MINUTE)

    def test_leaves_alone_what_was_decided_on_meanwhile(self, mission, pia):
        plan = planned.proposed(pia)
        services.approve_plan(plan_id=plan.pk, actor=pia, at=AT)
        after = services.improve_plan(plan_id=plan.pk, search=planned.search(), at=AT)
        assert (after.state, after.method, after.improved_at) == ("APPROVED", "GREEDY", None)

    def test_approves_by_policy_what_moves_nothing(self, mission, pia, settings):
        settings.PLAN_AUTOMATIC_APPROVAL = True
        plan = planned.proposed(pia)
        plan = services.improve_plan(plan_id=plan.pk, search=planned.search(), at=AT)
        assert (plan.state, plan.decided_by) == (Plan.State.APPROVED, None)

    def test_never_approves_by_policy_what_moves_a_contact(self, mission, pia, settings):
        settings.PLAN_AUTOMATIC_APPROVAL = True
        published = planned.published(pia)
        assert published.contact_count == 6
        out(mission, pia, begins=0, ends=3)
        plan = planned.proposed(pia, repairs=True, at=AT + MINUTE)
        plan = services.improve_plan(plan_id=plan.pk, search=planned.search(), at=AT + MINUTE)
        assert plan.state == Plan.State.PROPOSED


class TestRepair:
    def test_moves_only_what_the_outage_hits(self, mission, pia):
        planned.published(pia)
        out(mission, pia, begins=0, ends=3)
        plan = planned.proposed(pia, repairs=True, at=AT + MINUTE)
        assert plan.method == "FREEZE_FIRST"
        # Those at 30 and at 130 minutes.
        assert [(one["kind"], one["outage"]) for one in plan.changes] == [
            ("DROPPED", "Svalbard-1"),
            ("DROPPED", "Svalbard-1"),
        ]
        assert "drive fault" in plan.changes[0]["why"]
        assert plan.unchanged == 4
        better = services.improve_plan(plan_id=plan.pk, search=planned.search(), at=AT)
        assert (better.method, better.unchanged) == ("REPAIRED", 4)

    def test_refuses_where_nothing_is_out(self, mission, pia):
        with pytest.raises(services.PlanRefusedError, match="nothing to repair"):
            planned.proposed(pia, repairs=True)


def named(contact):
    """How a wish names a booked contact: by its own AOS."""
    return window_id(contact.spacecraft.name, contact.antenna.name, contact.aos)


def wished(actor, **wish):
    return planned.proposed(actor, repairs=True, wish=services.Wish(**wish))


class TestWish:
    def test_is_stored_with_its_answer_and_stays_when_a_worker_improves_it(self, mission, pia):
        planned.published(pia)
        first = booked().first()
        other = window_id("DD-1", "Svalbard-1", AT + 30 * MINUTE)
        assert named(first) != other
        plan = wished(pia, include=[other])
        assert plan.pins == [{"window": other, "request": "standing:DD-1"}]
        assert [(one["kind"], one["why"]) for one in plan.changes] == [
            ("ADDED", "is to be booked, as was asked"),
            ("DROPPED", f"gives way to {other}, as was asked"),
        ]
        entry = AuditEntry.objects.filter(action="plan.propose").last()
        details = json.loads(bytes(entry.entry))["details"]
        assert (details["include"], details["exclude"]) == ([other], [])
        better = services.improve_plan(plan_id=plan.pk, search=planned.search(), at=AT)
        verify_plan(better.document)
        assert (better.method, better.pins) == ("REPAIRED", plan.pins)
        assert other in {one["id"] for one in better.document["plan"]["contacts"]}
        assert not Contact.objects.filter(aos=AT + 30 * MINUTE).exists()

    def test_names_a_contact_by_its_own_aos_also_where_its_window_moved(self, mission, pia):
        planned.published(pia)
        first = booked().first()
        ContactWindow.objects.filter(spacecraft=first.spacecraft, aos=first.aos).update(
            aos=first.aos + timedelta(seconds=3)
        )
        plan = wished(pia, exclude=[named(first)])
        change = next(one for one in plan.changes if one["before"])
        assert (change["kind"], change["why"]) == ("DROPPED", "is to be left free, as was asked")

    def test_is_refused_with_what_is_against_it(self, mission, pia):
        planned.published(pia)
        Contact.objects.filter(pk=booked().first().pk).update(state=Contact.State.PASS)
        running = booked().first()
        with pytest.raises(services.PlanRefusedError, match="its contact has begun"):
            wished(pia, exclude=[named(running)])
        other = window_id("DD-1", "Svalbard-1", AT + 30 * MINUTE)
        with pytest.raises(services.PlanRefusedError, match=f"{named(running)}, which stays, occ"):
            wished(pia, include=[other])
        with pytest.raises(services.PlanRefusedError, match="There is no window DD-9/X/1"):
            wished(pia, include=["DD-9/X/1"])
        assert Plan.objects.filter(state=Plan.State.PROPOSED).count() == 0


class TestApprove:
    def test_notes_who_and_logs(self, mission, pia):
        plan = planned.proposed(pia)
        plan = services.approve_plan(plan_id=plan.pk, actor=pia, at=AT)
        assert (plan.state, plan.decided_by, plan.decided_at) == ("APPROVED", pia, AT)
        assert AuditEntry.objects.filter(action="plan.approve", actor="operator:pia").exists()

    def test_refuses_a_second_decision(self, mission, pia):
        plan = planned.proposed(pia)
        services.refuse_plan(plan_id=plan.pk, actor=pia, at=AT)
        with pytest.raises(services.PlanRefusedError, match="was refused; only a proposed"):
            services.approve_plan(plan_id=plan.pk, actor=pia, at=AT)

    def test_refuses_who_may_only_propose(self, mission, pia):
        plan = planned.proposed(pia)
        fred = factories.operator("fred", Role.FLIGHT_DYNAMICS)
        with pytest.raises(NotPermittedError, match=r"plan\.approve"):
            services.approve_plan(plan_id=plan.pk, actor=fred, at=AT)


class TestPublish:
    def test_books_what_was_planned(self, mission, pia):
        request = asked(mission, pia, minimum_count=2, maximum_count=2)
        plan = planned.published(pia)
        assert (plan.state, plan.left_out) == (Plan.State.PUBLISHED, [])
        assert booked().count() == plan.contact_count == 6
        assert set(booked().values_list("plan", flat=True)) == {plan.pk}
        assert booked().filter(request=request).count() == 2

    def test_refuses_what_was_not_approved(self, mission, pia):
        plan = planned.proposed(pia)
        with pytest.raises(services.PlanRefusedError, match="only an approved one"):
            services.publish_plan(plan_id=plan.pk, actor=pia, at=AT)

    @pytest.mark.parametrize("where", ["document", "row"])
    def test_refuses_a_plan_that_was_altered(self, mission, pia, where):
        plan = planned.proposed(pia)
        services.approve_plan(plan_id=plan.pk, actor=pia, at=AT)
        plan.refresh_from_db()
        if where == "document":
            plan.document["plan"]["contacts"].pop()
        else:
            plan.objective += 1
        plan.save()
        with pytest.raises(services.PlanRefusedError, match="Propose another"):
            services.publish_plan(plan_id=plan.pk, actor=pia, at=AT)
        assert not booked().exists()

    def test_keeps_what_stays_and_cancels_what_is_dropped(self, mission, pia):
        first = planned.published(pia)
        before = set(booked().values_list("pk", flat=True))
        out(mission, pia, begins=0, ends=3)
        plan = planned.published(pia, repairs=True, at=AT + MINUTE)
        after = set(booked().values_list("pk", flat=True))
        assert after < before
        assert len(after) == 4
        first.refresh_from_db()
        assert first.state == Plan.State.SUPERSEDED
        cancelled = Contact.objects.filter(state=Contact.State.CANCELLED).first()
        assert cancelled.failure == f"plan {plan.pk} needs it no longer"

    def test_takes_the_place_of_what_was_booked_by_itself_since(self, mission, pia):
        deadline = AT + 10 * HOUR
        asked(mission, pia, craft=1, minimum_count=6, priority=1, deadline=deadline)
        plan = planned.proposed(pia)  # DD-2 throughout
        services.book_contacts(at=AT)  # one spacecraft after the other
        assert set(booked().values_list("spacecraft__name", flat=True)) == {"DD-1"}
        services.approve_plan(plan_id=plan.pk, actor=pia, at=AT)
        plan = services.publish_plan(plan_id=plan.pk, actor=pia, at=AT)
        assert plan.left_out == []
        within = booked().filter(aos__lt=plan.ends)
        assert set(within.values_list("spacecraft__name", flat=True)) == {"DD-2"}

    def test_leaves_out_what_cannot_be_booked_any_more(self, mission, pia):
        plan = planned.proposed(pia)
        services.approve_plan(plan_id=plan.pk, actor=pia, at=AT)
        out(mission, pia, begins=2, ends=3)
        plan = services.publish_plan(plan_id=plan.pk, actor=pia, at=AT + HOUR)
        assert [one["why"] for one in plan.left_out] == [
            "its pre-pass has begun",
            "an outage was declared since",
        ]
        assert booked().count() == 4

    def test_cancels_nothing_for_a_contact_that_it_then_leaves_out(self, mission, pia):
        asked(mission, pia, craft=1, minimum_count=5, priority=1)
        plan = planned.proposed(pia)  # DD-2 wherever it asks
        services.book_contacts(at=AT)  # DD-1 each time
        out(mission, pia, of=mission.crafts[1], begins=0, ends=12)
        services.approve_plan(plan_id=plan.pk, actor=pia, at=AT)
        before = set(booked().values_list("pk", flat=True))
        plan = services.publish_plan(plan_id=plan.pk, actor=pia, at=AT)
        assert len(plan.left_out) >= 5
        assert set(booked().values_list("pk", flat=True)) == before

    def test_never_touches_a_contact_that_has_begun(self, mission, pia):
        planned.published(pia)
        running = booked().first()
        Contact.objects.filter(pk=running.pk).update(state=Contact.State.PASS)
        out(mission, pia, begins=0, ends=3)
        planned.published(pia, repairs=True, at=AT + 32 * MINUTE)
        running.refresh_from_db()
        assert running.state == Contact.State.PASS

    def test_refuses_a_plan_that_does_not_know_the_one_in_force(self, mission, pia):
        one, other = planned.proposed(pia), planned.proposed(pia)
        for plan in (one, other):
            services.approve_plan(plan_id=plan.pk, actor=pia, at=AT)
        services.publish_plan(plan_id=one.pk, actor=pia, at=AT)
        with pytest.raises(services.PlanRefusedError, match=f"Plan {one.pk} was published since"):
            services.publish_plan(plan_id=other.pk, actor=pia, at=AT)

    def test_stores_the_prices_of_what_is_contested(self, mission, pia):
        plan = planned.proposed(pia)
        services.improve_plan(plan_id=plan.pk, search=planned.search(), at=AT)
        services.approve_plan(plan_id=plan.pk, actor=pia, at=AT)
        services.publish_plan(plan_id=plan.pk, actor=pia, at=AT)
        prices = CongestionPrice.objects.all()
        assert prices
        assert {price.antenna for price in prices} == {mission.antenna}
        assert all(price.price >= 0 for price in prices)

    def test_nothing_is_booked_beside_the_plan_in_force_but_after_its_end(self, mission, pia):
        planned.published(pia, horizon=5 * HOUR)
        Contact.objects.all().delete()
        contacts = services.book_contacts(at=AT)
        assert contacts
        assert min(contact.aos for contact in contacts) >= AT + 5 * HOUR


def verify(*names):
    out, err = StringIO(), StringIO()
    try:
        call_command("verify_plan", *map(str, names), stdout=out, stderr=err)
    except CommandError as error:
        return out.getvalue(), f"{err.getvalue()}{error}"
    return out.getvalue(), err.getvalue()


def earlier(plan):
    contact = plan.document["plan"]["contacts"][0]
    contact["begins"] = plan.document["problem"]["begins"]


def without_a_contact(plan):
    plan.document["plan"]["contacts"].pop()


def without_an_outage(plan):
    plan.document["problem"]["outages"].clear()


def with_a_better_objective(plan):
    plan.document["plan"]["objective"] += 1


def with_another_digest(plan):
    plan.document["plan"]["input_digest"] = plan.input_digest = "sha256:0"


def with_another_row(plan):
    plan.contact_count += 1


class TestVerifyStoredPlan:
    def test_accepts_what_is_stored_as_it_is(self, mission, pia):
        plan = planned.proposed(pia)
        services.improve_plan(plan_id=plan.pk, search=planned.search(), at=AT)
        out, err = verify(plan.pk)
        assert f"{plan.pk}: 6 contacts" in out
        assert "verified" in out
        assert err == ""

    @pytest.mark.parametrize(
        "mutate",
        [
            earlier,
            without_a_contact,
            without_an_outage,
            with_a_better_objective,
            with_another_digest,
            with_another_row,
        ],
    )
    def test_refuses_one_that_was_altered(self, mission, pia, mutate):
        out(mission, pia, begins=0, ends=1)
        plan = planned.proposed(pia)
        plan.refresh_from_db()
        mutate(plan)
        plan.save()
        assert f"1 of 1 plans refused: {plan.pk}" in verify(plan.pk)[1]

    def test_says_that_there_is_no_such_plan(self):
        assert "there is no plan 99" in verify(99)[1]


class TestShares:
    @pytest.fixture
    def rivals(self, mission, pia):
        """Two members, each with a request for one of the two spacecraft."""
        for number, (slug, value) in enumerate({"lab-a": 300.0, "lab-b": 100.0}.items()):
            lab = factories.organisation(slug, kind="ai_laboratory")
            services.request_contact(
                organisation=lab,
                spacecraft=mission.crafts[number],
                terms=services.RequestTerms(
                    kind=ContactRequest.Kind.DATA,
                    earliest=AT,
                    deadline=AT + 9 * HOUR,
                    maximum_count=6,
                    value=value,
                ),
                actor=factories.operator(f"of-{slug}", Role.PAYLOAD_MEMBER, member_of=lab),
                at=AT,
            )

    def improved(self, actor, **fields):
        plan = planned.proposed(actor, **fields)
        return services.improve_plan(plan_id=plan.pk, search=planned.search(), at=AT)

    def test_are_even_and_stored_with_the_plan(self, rivals, mission, pia):
        plan = self.improved(pia)
        told = {one["member"]: one for one in plan.shares}
        assert told["lab-a"]["entitled_s"] == told["lab-b"]["entitled_s"] > 0
        assert told["lab-b"]["planned_s"] >= told["lab-b"]["entitled_s"] - 600
        document = services.checked_document(plan)
        assert [one["name"] for one in document["problem"]["members"]] == ["lab-a", "lab-b"]

    def test_count_what_a_member_has_had_this_week(self, rivals, mission, pia):
        asked = ContactRequest.objects.get(organisation__slug="lab-a")
        profile = mission.crafts[0].mission_profiles.get()
        for hours, state in ((-30, "COMPLETED"), (-29, "FAILED"), (-200, "COMPLETED")):
            factories.contact(
                *(mission.crafts[0], mission.antenna, profile),
                aos=AT + hours * HOUR,
                state=state,
                request=asked,
            )
        told = {one["member"]: one for one in planned.proposed(pia).shares}
        assert (told["lab-a"]["had_s"], told["lab-b"]["had_s"]) == (600.0, 0.0)
        assert told["lab-b"]["entitled_s"] - told["lab-a"]["entitled_s"] == pytest.approx(600.0)

    def test_move_nothing_in_a_repair(self, rivals, mission, pia):
        out(mission, pia, begins=2, ends=3)
        assert planned.proposed(pia, repairs=True).shares == []

    def test_are_shown_with_the_plan(self, rivals, mission, pia):
        clock.set_clock(mission_time=AT, factor=1.0)
        plan = planned.proposed(pia)
        page = signed_in(pia).get(f"/plans/{plan.pk}/").content.decode()
        assert re.findall(r'<tr data-member="(.*?)">', page) == ["lab-a", "lab-b"]
