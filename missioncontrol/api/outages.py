"""When antennas and spacecraft serve nobody: declared, lifted, taken over from providers."""

from __future__ import annotations

from typing import Annotated, Final

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema
from pydantic import Field

from missioncontrol.accounts.models import Organisation
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
    Flag,
    Instant,
    Number,
    Sent,
    Sentence,
    Text,
    example,
)
from missioncontrol.api.mission import spacecraft_in_field
from missioncontrol.api.paging import Page, PageQuery, newest_first
from missioncontrol.api.problems import NotFoundError, invalid
from missioncontrol.fleet.models import Antenna, Spacecraft
from missioncontrol.kernel import clock
from missioncontrol.scheduling import selectors, services
from missioncontrol.scheduling.interchange.simple_schedule import (
    SimpleScheduleError,
    read_simple_schedule,
)
from missioncontrol.scheduling.models import Outage

router = Router(tags=["planning"])

_MAX_XML: Final = 4 * 1024 * 1024  # characters
_OUTAGE: Final = {
    "antenna": "KASHI-1",
    "spacecraft": None,
    "begins": "2026-12-01T18:00:00Z",
    "ends": "2026-12-02T06:00:00Z",
    "planned": False,
    "reason": "drive fault in azimuth",
}


class OutageIn(Sent):
    """What is out, from when to when: an antenna or a spacecraft (a relay too)."""

    model_config = example(**_OUTAGE)

    antenna: Text | None = None
    spacecraft: Text | None = None
    begins: AskedInstant
    ends: AskedInstant
    planned: Flag = False
    reason: Annotated[Sentence, Field(min_length=1)]


class OutageOut(Schema):
    """An outage; no plan books a contact into it unless it was lifted."""

    model_config = example(
        **_OUTAGE,
        id=5,
        owner="operator",
        declared_by="operator",
        declared_at="2026-12-01T17:40:00Z",
        lifted_at=None,
    )

    id: int
    antenna: str | None
    spacecraft: str | None
    owner: str
    begins: Instant
    ends: Instant
    planned: bool
    reason: str
    # Empty: the product itself, of what an antenna's provider refused.
    declared_by: str
    declared_at: Instant
    lifted_at: Instant | None


class OutageQuery(PageQuery):
    """Which outages; ``start`` and ``end`` select what touches that interval."""

    start: AskedInstant | None = None
    end: AskedInstant | None = None


class ScheduleIn(Sent):
    """A provider's simple schedule (CCSDS 902.1-B-1) as text."""

    model_config = example(xml="<simpleSchedule xmlns='urn:ccsds:schema:cssm:1.0.0'>…")

    xml: Annotated[str, Field(min_length=1, max_length=_MAX_XML)]


class ImportedScheduleOut(Schema):
    """What became of a provider's schedule."""

    model_config = example(originator="polar-network", version=7, outages=[5, 6], passed_over=40)

    originator: str
    version: int
    outages: list[int] = Field(description="declared by it")
    passed_over: int = Field(description="activities that changed nothing")


@router.get("/outages", auth=TOKEN_OR_SESSION, response=Page[OutageOut], summary="Outages")
def list_outages(request: HttpRequest, asked: Query[OutageQuery]) -> Page[OutageOut]:
    """Return outages, those declared last first."""
    principal_of(request).require(Action.CONTACT_VIEW)
    rows = selectors.outages()
    if asked.start is not None:
        rows = rows.filter(ends__gt=asked.start)
    if asked.end is not None:
        rows = rows.filter(begins__lt=asked.end)
    found, cursor = newest_first(rows, cursor=asked.cursor, limit=asked.limit)
    return Page(items=[_out(each) for each in found], next=cursor)


@router.post("/outages", auth=TOKEN, response={201: OutageOut}, summary="Declare an outage")
def declare_outage(request: HttpRequest, response: HttpResponse, asked: OutageIn) -> OutageOut:
    """Say that an antenna or a spacecraft serves nobody for a while.

    Nothing is cancelled by it: propose a plan that repairs. Its owner may declare
    it, and who plans for the mission.
    """
    of = _named(asked)
    owner = of.station.owner if isinstance(of, Antenna) else of.organisation
    principal = _declaring(request, owner)
    made = services.declare_outage(
        of=of,
        begins=asked.begins,
        ends=asked.ends,
        planned=asked.planned,
        reason=asked.reason,
        actor=principal.operator,
        at=clock.now(),
    )
    response["Location"] = f"{request.path}/{made.pk}"
    return tagged(request, response, _out(_get(made.pk)))


@router.get(
    "/outages/{outage_id}",
    auth=TOKEN_OR_SESSION,
    response=OutageOut,
    summary="One outage",
    openapi_extra=READ,
)
def get_outage(request: HttpRequest, response: HttpResponse, outage_id: Number) -> OutageOut:
    """Return one outage."""
    principal_of(request).require(Action.CONTACT_VIEW)
    return tagged(request, response, _out(_get(outage_id)))


@router.post(
    "/outages/{outage_id}/lift",
    auth=TOKEN,
    response=OutageOut,
    summary="Lift an outage",
    openapi_extra=CHANGE,
)
def lift_outage(request: HttpRequest, response: HttpResponse, outage_id: Number) -> OutageOut:
    """Say that it serves again, or that the outage will not be."""
    principal = _declaring(request, _get(outage_id).owner)

    def show() -> OutageOut:
        return _out(_get(outage_id))

    with unchanged(request, Outage.objects.filter(pk=outage_id), show):
        services.lift_outage(outage_id=outage_id, actor=principal.operator, at=clock.now())
    return tagged(request, response, show())


@router.post(
    "/simple-schedules",
    auth=TOKEN,
    response=ImportedScheduleOut,
    summary="Take over a provider's schedule",
)
def import_simple_schedule(request: HttpRequest, asked: ScheduleIn) -> ImportedScheduleOut:
    """Take over when a provider's antennas are not ours, as planned outages.

    An activity that is UNAVAILABLE, or COMMITTED to a user that is no spacecraft
    of the mission, keeps its aperture (an antenna's name) from us.
    """
    principal = principal_of(request)
    principal.require(Action.OUTAGE_DECLARE)
    try:
        schedule = read_simple_schedule(asked.xml.encode())
    except SimpleScheduleError as error:
        raise invalid("body.xml", asked.xml, f"a simple schedule: {error}") from None
    apertures = {one.aperture for each in schedule.packages for one in each.activities}
    for owner in Organisation.objects.filter(stations__antennas__name__in=apertures).distinct():
        _declaring(request, owner)
    made, passed_over = services.import_schedule(
        schedule=schedule, actor=principal.operator, at=clock.now()
    )
    return ImportedScheduleOut(
        originator=schedule.originator,
        version=schedule.version,
        outages=[each.pk for each in made],
        passed_over=passed_over,
    )


def _named(asked: OutageIn) -> Antenna | Spacecraft:
    if (asked.antenna is None) == (asked.spacecraft is None):
        raise invalid("body.antenna", asked.antenna, "an antenna or a spacecraft, one of the two")
    if asked.spacecraft is not None:
        return spacecraft_in_field(asked.spacecraft, "body.spacecraft")
    antenna = Antenna.objects.filter(name=asked.antenna).select_related("station__owner").first()
    if antenna is None:
        raise invalid("body.antenna", asked.antenna, "an antenna's name; GET /stations has them")
    return antenna


def _declaring(request: HttpRequest, owner: Organisation) -> Principal:
    """Return who asks, who acts for the owner of what is out or plans for the mission."""
    principal = principal_of(request)
    principal.require(Action.OUTAGE_DECLARE)  # the scope of a token, for planners too
    if principal.may(Action.PLAN_PROPOSE):
        return principal
    return permitted(request, Action.OUTAGE_DECLARE, owner)


def _get(outage_id: int) -> Outage:
    found = selectors.outages().filter(pk=outage_id).first()
    if found is None:
        raise NotFoundError(f"There is no outage {outage_id}.")
    return found


def _out(row: Outage) -> OutageOut:
    return OutageOut(
        id=row.pk,
        antenna=row.antenna.name if row.antenna is not None else None,
        spacecraft=row.spacecraft.name if row.spacecraft is not None else None,
        owner=row.owner.slug,
        begins=row.begins,
        ends=row.ends,
        planned=row.planned,
        reason=row.reason,
        declared_by=row.declared_by.username if row.declared_by is not None else "",
        declared_at=row.declared_at,
        lifted_at=row.lifted_at,
    )
