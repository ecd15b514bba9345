"""Plans and contacts in others' formats: CCSDS 902.1 and iCalendar."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from missioncontrol.scheduling.interchange.icalendar import CalendarEvent, write_calendar
from missioncontrol.scheduling.interchange.simple_schedule import (
    ActivityStatus,
    ScheduledActivity,
    ScheduledPackage,
    ScheduleStatus,
    ServiceInfo,
    SimpleSchedule,
    write_simple_schedule,
)
from missioncontrol.scheduling.models import Contact, Plan

_UID_DOMAIN: Final = "orbital-mission-control"
_SERVICES: Final = {
    "TTC": (ServiceInfo(service_type="TELEMETRY", frequency_band="X-NE"),),
    "DATA": (ServiceInfo(service_type="TELEMETRY", frequency_band="X-NE"),),
    "UPLINK": (ServiceInfo(service_type="TELECOMMAND", frequency_band="S-NE"),),
}


def plan_as_schedule(plan: Plan) -> bytes:
    """Return a plan's contacts as a simple schedule; a package for each spacecraft."""
    problem = plan.document["problem"]
    in_force = plan.state == Plan.State.PUBLISHED
    activities: defaultdict[str, list[ScheduledActivity]] = defaultdict(list)
    places = _Places(problem)
    for contact in plan.document["plan"]["contacts"]:
        activities[contact["spacecraft"]].append(places.activity(contact, in_force=in_force))
    return write_simple_schedule(
        SimpleSchedule(
            originator=plan.organisation.slug,
            generated_at=plan.published_at or plan.improved_at or plan.proposed_at,
            status=ScheduleStatus.OPERATIONAL if in_force else ScheduleStatus.PROVISIONAL,
            version=plan.pk,
            begins=plan.begins,
            ends=plan.ends,
            packages=tuple(
                ScheduledPackage(
                    package_id=f"plan-{plan.pk}-{name}", user=name, activities=tuple(those)
                )
                for name, those in sorted(activities.items())
            ),
        )
    )


def contacts_as_calendar(name: str, contacts: Iterable[Contact]) -> str:
    """Return contacts as an iCalendar feed; a cancelled one stays in it, one SEQUENCE higher.

    A contact keeps its time from its booking on, so nothing else makes a new revision.
    """
    return write_calendar(name, (_event(contact) for contact in contacts))


class _Places:
    """Looks up what a problem says of antennas, profiles and requests."""

    def __init__(self, problem: Mapping[str, Any]) -> None:
        self._antennas = {one["name"]: one for one in problem["antennas"]}
        self._profiles = {one["name"]: one for one in problem["profiles"]}
        self._requests = {one["id"]: one for one in problem["requests"]}

    def activity(self, contact: Mapping[str, Any], *, in_force: bool) -> ScheduledActivity:
        request = self._requests[contact["request"]]
        profile, antenna = self._profiles[request["profile"]], self._antennas[contact["path"][-1]]
        begins, ends = (datetime.fromisoformat(contact[name]) for name in ("begins", "ends"))
        before_s = max(antenna["setup_s"], profile["pre_pass_s"])
        after_s = max(antenna["teardown_s"], profile["post_pass_s"])
        return ScheduledActivity(
            activity_id=contact["id"],
            status=ActivityStatus.COMMITTED if in_force else ActivityStatus.TENTATIVE,
            site=antenna["station"],
            aperture=antenna["name"],
            begins_activity=begins - timedelta(seconds=before_s),
            begins_track=begins,
            ends_track=ends,
            ends_activity=ends + timedelta(seconds=after_s),
            services=_SERVICES[request["kind"]],
        )


def _event(contact: Contact) -> CalendarEvent:
    cancelled = contact.state == Contact.State.CANCELLED
    station = contact.antenna.station
    return CalendarEvent(
        uid=f"contact-{contact.pk}@{_UID_DOMAIN}",
        sequence=1 if cancelled else 0,
        begins=contact.aos,
        ends=contact.los,
        changed=contact.ended_at or contact.booked_at,
        summary=f"{contact.spacecraft} over {station}",
        description=(
            f"Pass {contact.pk} on {contact.antenna}, {contact.max_elevation_deg:.0f}° high, "
            f"{contact.state}"
        ),
        location=station.title,
        categories=("contact",),
        cancelled=cancelled,
    )
