"""Planning, by the API and in the console."""

from __future__ import annotations

from datetime import timedelta

from missioncontrol.accounts.policy import Action
from missioncontrol.scheduling.interchange.simple_schedule import (
    ScheduleStatus,
    SimpleSchedule,
    write_simple_schedule,
)
from tests.integration.access.recipes import MEMBER, OPERATING, Ask, anybody, plain, recipe
from tests.integration.access.scene import AT, Scene

HOUR = timedelta(hours=1)
_ANY = {"If-Match": "*"}
_OUTAGE = {"begins": "2026-12-02T12:00", "ends": "2026-12-02T13:00", "reason": "a bearing"}

plain("GET /timeline/", Action.CONTACT_VIEW)
plain("GET /timeline/items", Action.CONTACT_VIEW)
plain("GET /plans/", Action.PLAN_VIEW)
plain("GET /api/v1/plans", Action.PLAN_VIEW)
plain("GET /api/v1/outages", Action.CONTACT_VIEW)
plain("GET /api/v1/congestion-prices", Action.CONTACT_VIEW)


@recipe("GET /api/v1/contact-requests", Action.CONTACT_REQUEST_VIEW, of=(MEMBER, OPERATING))
def contact_requests(scene):
    return Ask(shows=f'"id": {scene.contact_request().pk},')


# A token asks for its own organisation, whosever token it is.
@recipe(
    "POST /api/v1/contact-requests",
    Action.CONTACT_REQUEST_MANAGE,
    meant=lambda subject, _scene: subject.may(Action.CONTACT_REQUEST_MANAGE, None),
)
def ask_for_contacts(scene):
    body = {
        "spacecraft": scene.spacecraft.name,
        "kind": "DATA",
        "earliest": AT.isoformat(),
        "deadline": (AT + 9 * HOUR).isoformat(),
    }
    return Ask(json=body)


@recipe(
    "GET /api/v1/contact-requests/{request_id}",
    Action.CONTACT_REQUEST_VIEW,
    of=(MEMBER, OPERATING),
)
def a_contact_request(scene):
    return Ask(path={"request_id": scene.contact_request().pk})


@recipe(
    "POST /api/v1/contact-requests/{request_id}/withdraw",
    Action.CONTACT_REQUEST_MANAGE,
    of=MEMBER,
)
def withdraw_a_contact_request(scene):
    return Ask(path={"request_id": scene.contact_request().pk})


@recipe("POST /api/v1/outages", Action.OUTAGE_DECLARE, of=OPERATING)
def declare_an_outage(scene):
    body = {name: f"{value}:00Z" if name != "reason" else value for name, value in _OUTAGE.items()}
    return Ask(json={**body, "spacecraft": scene.spacecraft.name})


@recipe("GET /api/v1/outages/{outage_id}", Action.CONTACT_VIEW)
def an_outage(scene):
    return Ask(path={"outage_id": scene.outage().pk})


@recipe("POST /api/v1/outages/{outage_id}/lift", Action.OUTAGE_DECLARE, of=OPERATING)
def lift_an_outage(scene):
    return Ask(path={"outage_id": scene.outage().pk})


@recipe("POST /outages/declare/", Action.OUTAGE_DECLARE, of=OPERATING)
def declare_an_outage_in_the_console(scene):
    return Ask(form={**_OUTAGE, "resource": scene.spacecraft.name})


@recipe("POST /outages/{outage_id}/lift/", Action.OUTAGE_DECLARE, of=OPERATING)
def lift_an_outage_in_the_console(scene):
    return Ask(path={"outage_id": scene.outage().pk})


# Nothing stands in it, so that it is about nobody's antennas.
@recipe(
    "POST /api/v1/simple-schedules",
    Action.OUTAGE_DECLARE,
    meant=lambda subject, _scene: subject.may(Action.OUTAGE_DECLARE, None),
)
def take_over_a_schedule(scene):
    schedule = SimpleSchedule(
        originator="a provider",
        version=1,
        status=ScheduleStatus.OPERATIONAL,
        begins=AT,
        ends=AT + HOUR,
        generated_at=AT,
        packages=(),
    )
    return Ask(json={"xml": write_simple_schedule(schedule).decode()}, logged=False)


@recipe("POST /api/v1/plans", Action.PLAN_PROPOSE)
def propose_a_plan(scene):
    return Ask(json={"hours": 2.0})


@recipe("POST /plans/propose/", Action.PLAN_PROPOSE)
def propose_a_plan_in_the_console(scene):
    return Ask(form={"hours": "24"})


@recipe("POST /timeline/propose/", Action.PLAN_PROPOSE)
def propose_a_plan_on_the_timeline(scene):
    return Ask(form={"include": scene.window_name()})


def of_a_plan(scene: Scene) -> dict[str, int]:
    return {"plan_id": scene.plan().pk}


@recipe("GET /api/v1/plans/{plan_id}", Action.PLAN_VIEW)
def a_plan(scene):
    return Ask(path=of_a_plan(scene))


@recipe("GET /plans/{plan_id}/", Action.PLAN_VIEW)
def the_page_of_a_plan(scene):
    return Ask(path=of_a_plan(scene))


for _part in ("contacts", "difference", "document", "prices", "simple-schedule", "unserved"):

    @recipe(f"GET /api/v1/plans/{{plan_id}}/{_part}", Action.PLAN_VIEW)
    def a_part_of_a_plan(scene):
        return Ask(path=of_a_plan(scene))


@recipe("POST /api/v1/plans/{plan_id}/approve", Action.PLAN_APPROVE)
def approve_a_plan(scene):
    return Ask(path=of_a_plan(scene), headers=_ANY)


@recipe("POST /api/v1/plans/{plan_id}/refuse", Action.PLAN_APPROVE)
def refuse_a_plan(scene):
    return Ask(path=of_a_plan(scene), headers=_ANY)


@recipe("POST /api/v1/plans/{plan_id}/publish", Action.PLAN_PUBLISH)
def publish_a_plan(scene):
    return Ask(path={"plan_id": scene.approved_plan().pk}, headers=_ANY)


@recipe("POST /plans/{plan_id}/approve/", Action.PLAN_APPROVE)
def approve_a_plan_in_the_console(scene):
    plan = scene.plan()
    return Ask(path={"plan_id": plan.pk}, form={"seen": scene.seen(plan)})


@recipe("POST /plans/{plan_id}/refuse/", Action.PLAN_APPROVE)
def refuse_a_plan_in_the_console(scene):
    return Ask(path=of_a_plan(scene))


@recipe("POST /plans/{plan_id}/publish/", Action.PLAN_PUBLISH)
def publish_a_plan_in_the_console(scene):
    plan = scene.approved_plan()
    return Ask(path={"plan_id": plan.pk}, form={"seen": scene.seen(plan)})


@recipe("GET /api/v1/calendar-feeds", Action.CALENDAR_FEED_MANAGE, of=MEMBER)
def calendar_feeds(scene):
    return Ask(shows=f'"id": {scene.calendar_feed()[0].pk},')


@recipe(
    "POST /api/v1/calendar-feeds",
    Action.CALENDAR_FEED_MANAGE,
    meant=lambda subject, _scene: subject.may(Action.CALENDAR_FEED_MANAGE, None),
)
def make_a_calendar_feed(scene):
    return Ask(json={"spacecraft": scene.spacecraft.name})


@recipe("GET /api/v1/calendar-feeds/{feed_id}", Action.CALENDAR_FEED_MANAGE, of=MEMBER)
def a_calendar_feed(scene):
    return Ask(path={"feed_id": scene.calendar_feed()[0].pk})


@recipe("POST /api/v1/calendar-feeds/{feed_id}/revoke", Action.CALENDAR_FEED_MANAGE, of=MEMBER)
def revoke_a_calendar_feed(scene):
    return Ask(path={"feed_id": scene.calendar_feed()[0].pk})


# Whoever has its address reads a calendar: the secret in it is the right.
@recipe("GET /calendars/{secret}.ics", meant=anybody)
def a_calendar(scene):
    return Ask(path={"secret": scene.calendar_feed()[1]})
