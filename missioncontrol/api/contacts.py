"""When stations can see the spacecraft, and the passes that are booked and flown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema

from missioncontrol.accounts.policy import Action
from missioncontrol.accounts.principals import Principal
from missioncontrol.api.authentication import (
    TOKEN,
    TOKEN_OR_SESSION,
    permitted,
    principal_of,
)
from missioncontrol.api.conditions import CHANGE, READ, tagged, unchanged
from missioncontrol.api.fields import (
    AskedInstant,
    Instant,
    JsonObject,
    Number,
    Text,
    example,
    utc_text,
)
from missioncontrol.api.mission import spacecraft_in_field
from missioncontrol.api.paging import Page, PageQuery, by_time
from missioncontrol.api.problems import NotFoundError, invalid
from missioncontrol.contacts.models import ContactWindow
from missioncontrol.kernel import clock
from missioncontrol.pipelines.selectors import pass_report
from missioncontrol.reservations.models import Reservation
from missioncontrol.reservations.selectors import reservation_of
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


_CONTACT: Final = {
    "id": 1,
    "spacecraft": "DD-1",
    "antenna": "KASHI-1",
    "station": "KASHI",
    "relay": None,
    "aos": "2026-12-01T12:21:00Z",
    "tca": "2026-12-01T12:27:03Z",
    "los": "2026-12-01T12:33:06Z",
    "max_elevation_deg": 87.1,
    "state": "SCHEDULED",
    "drift_s": 0.0,
    "failure": "",
    "frames_good": 0,
    "frames_bad": 0,
    "frames_lost": 0,
}


class WindowOut(Schema):
    """A predicted time above a station's mask."""

    model_config = example(
        spacecraft="DD-1",
        station="KASHI",
        aos="2026-12-01T12:21:00Z",
        tca="2026-12-01T12:27:03Z",
        los="2026-12-01T12:33:06Z",
        max_elevation_deg=87.1,
        aos_azimuth_deg=351.9,
        los_azimuth_deg=190.2,
    )

    spacecraft: str
    station: str
    aos: Instant
    tca: Instant
    los: Instant
    max_elevation_deg: float
    aos_azimuth_deg: float
    los_azimuth_deg: float


class ContactOut(Schema):
    """A booked pass. ``drift_s``: how far the prediction of AOS has moved since booking.

    ``relay``: the spacecraft that the antenna looks at, where it carries the other's signals.
    """

    model_config = example(**_CONTACT)

    id: int
    spacecraft: str
    antenna: str
    station: str
    relay: str | None
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


class ContactReservationOut(Schema):
    """How a pass on a leased station stands with its provider; GET /reservations has more.

    ``reason`` is the provider's, of a refusal; ``fault`` why it gave no answer yet.
    """

    model_config = example(
        id=31, provider="station-provider-1", state="SCHEDULED", reason="", fault=""
    )

    id: int
    provider: str
    state: str
    reason: str
    fault: str


class ContactDetailOut(ContactOut):
    """A booked pass, its reservation on a leased station and, once it is over, its report."""

    model_config = example(
        **_CONTACT | {"state": "COMPLETED", "frames_good": 1452, "frames_lost": 3},
        reservation=None,
        report={"contact": 1, "failure": "", "downlink": {"frames_good": 1452, "packets": 5120}},
    )

    reservation: ContactReservationOut | None
    report: JsonObject | None


class WindowQuery(PageQuery):
    """Which windows; without an interval those of the next day."""

    spacecraft: Text | None = None
    start: AskedInstant | None = None
    end: AskedInstant | None = None


class ContactQuery(PageQuery):
    """Which contacts; ``start`` and ``end`` select by AOS."""

    state: Phase = Phase.ALL
    spacecraft: Text | None = None
    start: AskedInstant | None = None
    end: AskedInstant | None = None


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
    rows = ContactWindow.objects.filter(aos__gte=start, aos__lt=end).select_related(
        "spacecraft", "station"
    )
    if spacecraft is not None:
        rows = rows.filter(spacecraft=spacecraft)
    found, cursor = by_time(rows, field="aos", cursor=asked.cursor, limit=asked.limit)
    return Page(items=[_window_out(window) for window in found], next=cursor)


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
    openapi_extra=READ,
)
def get_contact(
    request: HttpRequest, response: HttpResponse, contact_id: Number
) -> ContactDetailOut:
    """Return one contact.

    ``report`` is null until the pass is over. It tells of alarms, and so is
    for those only who may see the spacecraft's telemetry.
    """
    principal = principal_of(request)
    principal.require(Action.CONTACT_VIEW)
    return tagged(request, response, _detail(principal, contact_in_path(contact_id)))


@router.post(
    "/contacts/{contact_id}/cancel",
    auth=TOKEN,
    response=ContactDetailOut,
    summary="Cancel a contact",
    openapi_extra=CHANGE,
)
def cancel_contact(
    request: HttpRequest, response: HttpResponse, contact_id: Number
) -> ContactDetailOut:
    """Give up a contact before its pass begins."""
    contact = contact_in_path(contact_id)
    principal = permitted(request, Action.CONTACT_CANCEL, contact.spacecraft.organisation)

    def show() -> ContactDetailOut:
        return _detail(principal, contact_in_path(contact_id))

    with unchanged(request, Contact.objects.filter(pk=contact_id), show):
        services.cancel_contact(contact_id=contact_id, actor=principal.operator, at=clock.now())
    return tagged(request, response, show())


def contact_in_path(contact_id: int) -> Contact:
    """Return the contact that an address names.

    Raises:
        NotFoundError: there is none.
    """
    try:
        return selectors.get_contact(contact_id)
    except Contact.DoesNotExist:
        raise NotFoundError(f"There is no contact {contact_id}.") from None


def _detail(principal: Principal, contact: Contact) -> ContactDetailOut:
    [summary] = _contacts_out([contact])
    report = pass_report(contact)
    if not principal.may(Action.TELEMETRY_VIEW, contact.spacecraft.organisation):
        report = None
    return ContactDetailOut(
        **summary.model_dump(),
        reservation=_reservation_out(reservation_of(contact)),
        report=report.report if report is not None else None,
    )


def _reservation_out(row: Reservation | None) -> ContactReservationOut | None:
    if row is None:
        return None
    return ContactReservationOut(
        id=row.pk, provider=row.provider, state=row.state, reason=row.reason, fault=row.fault
    )


def _selected(asked: ContactQuery) -> QuerySet[Contact]:
    rows = Contact.objects.filter(state__in=_STATES[asked.state]).select_related(
        "spacecraft", "antenna", "antenna__station", "relay"
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
            relay=contact.relay.name if contact.relay is not None else None,
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
