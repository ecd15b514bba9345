"""What providers of leased stations hold for us, and giving back what nobody asked for."""

from __future__ import annotations

from typing import Annotated

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema
from pydantic import Field, WithJsonSchema

from missioncontrol.accounts.policy import Action
from missioncontrol.api.authentication import TOKEN, TOKEN_OR_SESSION, permitted, principal_of
from missioncontrol.api.conditions import CHANGE, READ, tagged, unchanged
from missioncontrol.api.fields import AskedInstant, Instant, Number, Slug, example, utc_text
from missioncontrol.api.paging import Page, PageQuery, by_time
from missioncontrol.api.problems import NotFoundError, invalid
from missioncontrol.kernel import clock
from missioncontrol.reservations import selectors, services
from missioncontrol.reservations.models import Reservation

router = Router(tags=["planning"])

# Written out: two enumerations of one name would overwrite each other in the description.
State = Annotated[
    Reservation.State,
    WithJsonSchema({"type": "string", "enum": Reservation.State.values}),
]


class ReservationOut(Schema):
    """What a provider holds, or is asked to hold, for us on one of its antennas.

    One without a contact was found at the provider, and nobody here asked for it.
    """

    model_config = example(
        id=31,
        contact=17,
        provider="station-provider-1",
        provider_contact_id="c-204",
        satellite="DD-1",
        antenna="SVALBARD-1",
        begins="2026-12-01T12:21:00Z",
        ends="2026-12-01T12:33:06Z",
        state="SCHEDULED",
        reason="",
        fault="",
        made_at="2026-12-01T11:40:00Z",
        changed_at="2026-12-01T11:40:08Z",
    )

    id: int
    contact: int | None
    provider: str = Field(description="the organisation that owns the station")
    provider_contact_id: str = Field(description="the provider's name for it, once it has one")
    satellite: str = Field(description="whom the antenna tracks, in the provider's words")
    antenna: str
    begins: Instant
    ends: Instant
    state: State
    reason: str = Field(description="the provider's, of a refusal")
    fault: str = Field(description="why there was no answer when it was asked last")
    made_at: Instant
    changed_at: Instant


class ReservationQuery(PageQuery):
    """Which reservations; ``begins`` and ``ends`` select what touches that interval."""

    provider: Slug | None = None
    state: State | None = None
    unknown: Annotated[
        bool, Field(description="only those without a contact, which nobody here asked for")
    ] = False
    begins: AskedInstant | None = None
    ends: AskedInstant | None = None


@router.get(
    "/reservations",
    auth=TOKEN_OR_SESSION,
    response=Page[ReservationOut],
    summary="Reservations at station providers",
)
def list_reservations(
    request: HttpRequest, asked: Query[ReservationQuery]
) -> Page[ReservationOut]:
    """Return reservations by their begin, the earliest first.

    Who acts for the mission sees all, a provider those with it.
    """
    principal = principal_of(request)
    principal.require(Action.RESERVATION_VIEW)
    rows = _selected(selectors.reservations_seen_by(principal), asked)
    found, cursor = by_time(rows, field="begins", cursor=asked.cursor, limit=asked.limit)
    return Page(items=[_out(each) for each in found], next=cursor)


@router.get(
    "/reservations/{reservation_id}",
    auth=TOKEN_OR_SESSION,
    response=ReservationOut,
    summary="One reservation",
    openapi_extra=READ,
)
def get_reservation(
    request: HttpRequest, response: HttpResponse, reservation_id: Number
) -> ReservationOut:
    """Return one reservation."""
    principal = principal_of(request)
    principal.require(Action.RESERVATION_VIEW)
    rows = selectors.reservations_seen_by(principal)
    return tagged(request, response, _out(_get(rows, reservation_id)))


@router.post(
    "/reservations/{reservation_id}/give-back",
    auth=TOKEN,
    response=ReservationOut,
    summary="Give a reservation back",
    openapi_extra=CHANGE,
)
def give_back_reservation(
    request: HttpRequest, response: HttpResponse, reservation_id: Number
) -> ReservationOut:
    """Give back what a provider holds for us and nobody here asked for.

    It is CANCELLING until the provider has it back. That of a contact goes back
    when the contact is cancelled.
    """
    principal = permitted(request, Action.RESERVATION_GIVE_BACK)
    rows = Reservation.objects.all()  # who may give them back acts for the mission

    def show() -> ReservationOut:
        return _out(_get(rows, reservation_id))

    show()  # or there is none
    with unchanged(request, rows.filter(pk=reservation_id), show):
        services.give_back_reservation(
            reservation_id=reservation_id,
            actor=principal.operator,
            at=clock.now(),
            wall_at=clock.wall_now(),
        )
    return tagged(request, response, show())


def _selected(rows: QuerySet[Reservation], asked: ReservationQuery) -> QuerySet[Reservation]:
    if asked.provider is not None:
        rows = rows.filter(provider=asked.provider)
    if asked.state is not None:
        rows = rows.filter(state=asked.state)
    if asked.unknown:
        rows = rows.filter(selectors.UNKNOWN)
    if asked.begins is not None:
        rows = rows.filter(ends__gt=asked.begins)
    if asked.ends is not None:
        rows = rows.filter(begins__lt=asked.ends)
    if asked.begins is not None and asked.ends is not None and asked.ends <= asked.begins:
        allowed = f"a time after the begin {utc_text(asked.begins)}"
        raise invalid("query.ends", utc_text(asked.ends), allowed)
    return rows


def _get(rows: QuerySet[Reservation], reservation_id: int) -> Reservation:
    """Return one of *rows*; another's is answered like one that does not exist."""
    found = rows.filter(pk=reservation_id).first()
    if found is None:
        raise NotFoundError(f"There is no reservation {reservation_id}, or it is another's.")
    return found


def _out(row: Reservation) -> ReservationOut:
    return ReservationOut(
        id=row.pk,
        contact=row.contact_id,
        provider=row.provider,
        provider_contact_id=row.provider_contact_id,
        satellite=row.satellite,
        antenna=row.antenna,
        begins=row.begins,
        ends=row.ends,
        state=Reservation.State(row.state),
        reason=row.reason,
        fault=row.fault,
        made_at=row.made_at,
        changed_at=row.changed_at,
    )
