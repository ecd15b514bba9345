"""When stations can see the spacecraft, and the passes that are booked and flown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from missioncontrol.accounts.policy import Action
from missioncontrol.api.authentication import TOKEN, TOKEN_OR_SESSION, principal_of
from missioncontrol.api.fields import Asked, Instant, JsonObject, Number, PageSize, Text, utc_text
from missioncontrol.api.mission import spacecraft_in_field
from missioncontrol.api.paging import Page, by_time
from missioncontrol.api.problems import NotFoundError, invalid
from missioncontrol.contacts.models import ContactWindow
from missioncontrol.contacts.selectors import windows_between
from missioncontrol.kernel import clock
from missioncontrol.pipelines.selectors import pass_report
from missioncontrol.scheduling import selectors, services
from missioncontrol.scheduling.models import IN_PROGRESS, Contact
from telemetry.selectors import frame_counts

router = Router(tags=["contacts"])

_DAY: Final = timedelta(days=1)
_LONGEST: Final = timedelta(days=31)
_STATE = Contact.State


class Phase(StrEnum):
    """Which contacts to list."""

    SCHEDULED = "scheduled"
    IN_PROGRESS = "in_progress"
    FLOWN = "flown"
    ALL = "all"


# Flown is what an executor has worked on to its end; a contact that was missed
# or cancelled has not flown and appears under all.
_STATES: Final[dict[Phase, Sequence[str]]] = {
    Phase.SCHEDULED: (_STATE.SCHEDULED,),
    Phase.IN_PROGRESS: IN_PROGRESS,
    Phase.FLOWN: (_STATE.COMPLETED, _STATE.FAILED),
    Phase.ALL: _STATE.values,
}


class WindowOut(Schema):
    """A predicted time above a station's mask."""

    spacecraft: str
    station: str
    aos: Instant
    tca: Instant
    los: Instant
    max_elevation_deg: float
    aos_azimuth_deg: float
    los_azimuth_deg: float


class ContactOut(Schema):
    """A booked pass. ``drift_s``: how far the prediction of AOS has moved since booking."""

    id: int
    spacecraft: str
    antenna: str
    station: str
    aos: Instant
    tca: Instant
    los: Instant
    max_elevation_deg: float
    state: str
    drift_s: float
    failure: str
    frames_good: int
    frames_bad: int
    frames_lost: int


class ContactDetailOut(ContactOut):
    """A booked pass and, once it is over, its report."""

    report: JsonObject | None


class WindowQuery(Asked):
    """Which windows; without an interval those of the next day."""

    spacecraft: Text | None = None
    start: Instant | None = None
    end: Instant | None = None


class ContactQuery(Asked):
    """Which contacts; ``start`` and ``end`` select by AOS."""

    state: Phase = Phase.ALL
    spacecraft: Text | None = None
    start: Instant | None = None
    end: Instant | None = None
    cursor: Text | None = None
    limit: Annotated[PageSize, Field(description="items on a page")] = 100


@router.get(
    "/contact-windows",
    auth=TOKEN_OR_SESSION,
    response=Page[WindowOut],
    summary="Predicted contact windows",
)
def list_contact_windows(request: HttpRequest, asked: Query[WindowQuery]) -> Page[WindowOut]:
    """Return the windows that begin in the interval (31 days at most), by AOS."""
    principal_of(request).require(Action.CONTACT_VIEW)
    spacecraft = (
        spacecraft_in_field(asked.spacecraft, "query.spacecraft") if asked.spacecraft else None
    )
    start = asked.start or clock.now()
    end = asked.end or start + _DAY
    _check_interval(start, end)
    if end - start > _LONGEST:
        raise invalid("query.end", utc_text(end), f"at most {_LONGEST.days} days after start")
    windows = windows_between(start, end, spacecraft=spacecraft)
    return Page(items=[_window_out(window) for window in windows])


@router.get("/contacts", auth=TOKEN_OR_SESSION, response=Page[ContactOut], summary="Contacts")
def list_contacts(request: HttpRequest, asked: Query[ContactQuery]) -> Page[ContactOut]:
    """Return contacts by AOS, the earliest first."""
    principal_of(request).require(Action.CONTACT_VIEW)
    rows = _selected(asked)
    found, cursor = by_time(rows, field="aos", cursor=asked.cursor, limit=asked.limit)
    return Page(items=_contacts_out(found), next=cursor)


@router.get(
    "/contacts/{contact_id}",
    auth=TOKEN_OR_SESSION,
    response=ContactDetailOut,
    summary="One contact with its report",
)
def get_contact(request: HttpRequest, contact_id: Number) -> ContactDetailOut:
    """Return one contact.

    ``report`` is null until the pass is over. It tells of alarms, and so is
    for those only who may see the spacecraft's telemetry.
    """
    principal = principal_of(request)
    principal.require(Action.CONTACT_VIEW)
    contact = _get(contact_id)
    [summary] = _contacts_out([contact])
    report = pass_report(contact)
    if not principal.may(Action.TELEMETRY_VIEW, contact.spacecraft.organisation):
        report = None
    return ContactDetailOut(
        **summary.model_dump(), report=report.report if report is not None else None
    )


@router.post(
    "/contacts/{contact_id}/cancel", auth=TOKEN, response=ContactOut, summary="Cancel a contact"
)
def cancel_contact(request: HttpRequest, contact_id: Number) -> ContactOut:
    """Give up a contact before its pass begins."""
    principal = principal_of(request)
    contact = _get(contact_id)
    principal.require(Action.CONTACT_CANCEL, contact.spacecraft.organisation)
    services.cancel_contact(contact_id=contact.pk, actor=principal.operator, at=clock.now())
    [summary] = _contacts_out([_get(contact_id)])
    return summary


def _selected(asked: ContactQuery) -> QuerySet[Contact]:
    rows = Contact.objects.filter(state__in=_STATES[asked.state]).select_related(
        "spacecraft", "antenna", "antenna__station"
    )
    if asked.spacecraft:
        rows = rows.filter(spacecraft=spacecraft_in_field(asked.spacecraft, "query.spacecraft"))
    if asked.start is not None:
        rows = rows.filter(aos__gte=asked.start)
    if asked.end is not None:
        rows = rows.filter(aos__lt=asked.end)
    if asked.start is not None and asked.end is not None:
        _check_interval(asked.start, asked.end)
    return rows


def _check_interval(start: datetime, end: datetime) -> None:
    if end <= start:
        raise invalid("query.end", utc_text(end), f"a time after the start {utc_text(start)}")


def _get(contact_id: int) -> Contact:
    try:
        return selectors.get_contact(contact_id)
    except Contact.DoesNotExist:
        raise NotFoundError(f"There is no contact {contact_id}.") from None


def _window_out(window: ContactWindow) -> WindowOut:
    return WindowOut(
        spacecraft=window.spacecraft.name,
        station=window.station.name,
        aos=window.aos,
        tca=window.tca,
        los=window.los,
        max_elevation_deg=window.max_elevation_deg,
        aos_azimuth_deg=window.aos_azimuth_deg,
        los_azimuth_deg=window.los_azimuth_deg,
    )


def _contacts_out(contacts: Sequence[Contact]) -> list[ContactOut]:
    counts = frame_counts([contact.pk for contact in contacts])
    return [
        ContactOut(
            id=contact.pk,
            spacecraft=contact.spacecraft.name,
            antenna=contact.antenna.name,
            station=contact.antenna.station.name,
            aos=contact.aos,
            tca=contact.tca,
            los=contact.los,
            max_elevation_deg=contact.max_elevation_deg,
            state=contact.state,
            drift_s=contact.drift_s,
            failure=contact.failure,
            frames_good=counts[contact.pk].frames_good,
            frames_bad=counts[contact.pk].frames_bad,
            frames_lost=counts[contact.pk].frames_lost,
        )
        for contact in contacts
    ]
