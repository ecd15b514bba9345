"""Contact requests, outages, plans, calendars."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from missioncontrol.operations import services as operations
from missioncontrol.scheduling import services
from missioncontrol.scheduling.interchange.simple_schedule import (
    ActivityStatus,
    ScheduledActivity,
    ScheduledPackage,
    ScheduleStatus,
    SimpleSchedule,
)
from missioncontrol.scheduling.models import ContactRequest
from missioncontrol.scheduling.services import outages, plans
from tests import factories, planned
from tests.factories import AT
from tests.integration.service_scenarios import scenario, unlogged

HOUR = timedelta(hours=1)
WALL = datetime(2026, 11, 1, tzinfo=UTC)

unlogged("asks for a right and changes nothing", outages.require_declaring)
unlogged("reads a plan and changes nothing", plans.moves_contacts, plans.checked_document)


def asked(actor):
    return {
        "organisation": factories.organisation(),
        "spacecraft": factories.spacecraft(),
        "terms": services.RequestTerms(
            kind=ContactRequest.Kind.DATA, earliest=AT, deadline=AT + 9 * HOUR
        ),
        "actor": actor,
        "at": AT,
    }


@scenario(services.request_contact)
def request(call):
    call(**asked(planned.planner()))


@scenario(services.withdraw_request)
def withdraw(call):
    actor = planned.planner()
    request = services.request_contact(**asked(actor))
    call(request_id=request.pk, actor=actor, at=AT)


def declared(actor):
    return {
        "of": factories.antenna(factories.ground_station()),
        "begins": AT,
        "ends": AT + HOUR,
        "planned": True,
        "reason": "a bearing",
        "actor": actor,
        "at": AT,
    }


@scenario(services.declare_outage)
def declare(call):
    call(**declared(planned.planner()))


@scenario(services.lift_outage)
def lift(call):
    actor = planned.planner()
    outage = services.declare_outage(**declared(actor))
    call(outage_id=outage.pk, actor=actor, at=AT)


@scenario(services.import_schedule)
def import_a_schedule(call):
    factories.antenna(factories.ground_station())
    activity = ScheduledActivity(
        activity_id="a-1",
        status=ActivityStatus.UNAVAILABLE,
        site="Svalbard",
        aperture="Svalbard-1",
        begins_activity=AT,
        begins_track=AT,
        ends_track=AT + HOUR,
        ends_activity=AT + HOUR,
    )
    schedule = SimpleSchedule(
        originator="Provider",
        generated_at=AT,
        status=ScheduleStatus.OPERATIONAL,
        version=1,
        begins=AT,
        ends=AT + HOUR,
        packages=(ScheduledPackage(package_id="p", user="OTHER", activities=(activity,)),),
    )
    call(schedule=schedule, actor=planned.planner(), at=AT)


@scenario(services.propose_plan)
def propose(call):
    mission = planned.Mission()
    call(
        organisation=mission.organisation,
        horizon=10 * HOUR,
        actor=planned.planner(),
        at=AT,
    )


@scenario(operations.start_planning)
def start_planning(call):
    mission = planned.Mission()
    call(
        organisation=mission.organisation,
        horizon=10 * HOUR,
        repairs=False,
        limit_s=1.0,
        asked_by=planned.planner(),
        at=AT,
        wall_at=WALL,
    )


@scenario(services.improve_plan)
def improve(call):
    planned.Mission()
    plan = planned.proposed(planned.planner())
    call(plan_id=plan.pk, search=planned.search(), at=AT)


@scenario(services.approve_plan)
def approve(call):
    planned.Mission()
    actor = planned.planner()
    call(plan_id=planned.proposed(actor).pk, actor=actor, at=AT)


@scenario(services.refuse_plan)
def refuse(call):
    planned.Mission()
    actor = planned.planner()
    call(plan_id=planned.proposed(actor).pk, actor=actor, at=AT)


@scenario(services.publish_plan)
def publish(call):
    planned.Mission()
    actor = planned.planner()
    plan = planned.proposed(actor)
    services.approve_plan(plan_id=plan.pk, actor=actor, at=AT)
    call(plan_id=plan.pk, actor=actor, at=AT)


def feed(actor):
    return {
        "organisation": factories.organisation(),
        "of": None,
        "actor": actor,
        "at": AT,
        "wall_at": WALL,
    }


@scenario(services.make_calendar_feed)
def make_a_calendar(call):
    call(**feed(planned.planner()))


@scenario(services.revoke_calendar_feed)
def revoke_a_calendar(call):
    actor = planned.planner()
    made, _ = services.make_calendar_feed(**feed(actor))
    call(feed_id=made.pk, actor=actor, at=AT, wall_at=WALL)
