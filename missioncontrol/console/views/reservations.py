"""Reservations at station providers: how they stand, and giving back what nobody asked for."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.conf import settings
from django.contrib import messages
from django.db.models import BooleanField, ExpressionWrapper, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from missioncontrol.accounts.policy import Action
from missioncontrol.console.access import deed, go_back, page, viewer_of
from missioncontrol.console.paging import page_links, page_number
from missioncontrol.console.presentation.reservations import provider_rows, reservation_rows
from missioncontrol.kernel import clock
from missioncontrol.reservations import selectors, services
from missioncontrol.reservations.models import Reservation

_BACK: Final = "console:reservations"
_PAGE: Final = 50


@page(Action.RESERVATION_VIEW)
def reservations(request: HttpRequest) -> HttpResponse:
    """Show how it stands with each provider, and what it holds; first what nobody asked for."""
    viewer, number, at = viewer_of(request), page_number(request), clock.now()
    past = request.GET.get("when") == "past"
    rows = selectors.reservations_seen_by(viewer.principal)
    begin = (number - 1) * _PAGE
    found = list(_in_order(rows, past=past, at=at)[begin : begin + _PAGE + 1])
    overviews = selectors.provider_overviews(viewer.principal, at=at)
    context = {
        "section": "stations",
        "providers": provider_rows(overviews, wall_at=clock.wall_now()),
        "configured": bool(settings.STATION_PROVIDERS),
        "rows": reservation_rows(
            found[:_PAGE], may_give_back=viewer.may(Action.RESERVATION_GIVE_BACK), at=at
        ),
        "unknown": selectors.unknown_held(viewer.principal, at=at),
        "past": past,
        "page": page_links(request, number=number, has_older=len(found) > _PAGE),
    }
    return render(request, "console/reservations.html", context)


@deed(Action.RESERVATION_GIVE_BACK, back=_BACK)
def give_back_reservation(request: HttpRequest, reservation_id: int) -> HttpResponse:
    """Give back what a provider holds and nobody here asked for."""
    row = services.give_back_reservation(
        reservation_id=reservation_id,
        actor=viewer_of(request).operator,
        at=clock.now(),
        wall_at=clock.wall_now(),
    )
    messages.success(
        request, f"Reservation {row.pk} is given back: a worker tells {row.provider} so."
    )
    return go_back(request, _BACK)


def _in_order(rows: QuerySet[Reservation], *, past: bool, at: datetime) -> QuerySet[Reservation]:
    if past:
        return rows.filter(ends__lte=at).order_by("-begins", "-pk")
    unknown = ExpressionWrapper(selectors.UNKNOWN_HELD, output_field=BooleanField())
    return rows.filter(ends__gt=at).alias(unknown=unknown).order_by("-unknown", "begins", "pk")
