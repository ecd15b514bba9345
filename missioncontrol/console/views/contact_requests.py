"""Contact requests: those of one's organisations, asking for contacts, and asking no longer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from missioncontrol.accounts.models import Organisation
from missioncontrol.accounts.policy import Action
from missioncontrol.console.access import deed, go_back, own, page, viewer_of
from missioncontrol.console.paging import page_links, page_number
from missioncontrol.console.presentation.contact_requests import request_rows
from missioncontrol.fleet import selectors as fleet
from missioncontrol.fleet.models import Spacecraft
from missioncontrol.kernel import clock
from missioncontrol.kernel.errors import RefusedError
from missioncontrol.scheduling import selectors, services
from missioncontrol.scheduling.models import ContactRequest

_BACK: Final = "console:contact_requests"
_PAGE: Final = 50
_DIGITS: Final = 9
# The fields of the form, with what they say when it is opened; the times are set then.
_OFFERED: Final = {
    "organisation": "",
    "spacecraft": "",
    "kind": str(ContactRequest.Kind.DATA),
    "earliest": "",
    "deadline": "",
    "latest": "",
    "priority": "3",
    "minimum_duration_s": "240",
    "minimum_count": "1",
    "maximum_count": "",
    "value": "100",
    "value_per_s": "0",
    "missing_cost": "1000",
}


@page(Action.CONTACT_REQUEST_VIEW)
def contact_requests(request: HttpRequest) -> HttpResponse:
    """Show what one's organisations ask for, and what others ask of their spacecraft."""
    viewer, number = viewer_of(request), page_number(request)
    state = request.GET.get("state", "")
    rows = selectors.contact_requests(viewer.organisations_with(Action.CONTACT_REQUEST_VIEW))
    if state in ContactRequest.State.values:
        rows = rows.filter(state=state)
    begin = (number - 1) * _PAGE
    found = list(rows.prefetch_related("contacts")[begin : begin + _PAGE + 1])
    context = {
        "section": "passes",
        "rows": request_rows(found[:_PAGE], viewer, at=clock.now()),
        "states": ContactRequest.State.values,
        "chosen_state": state if state in ContactRequest.State.values else "",
        "may_ask": bool(viewer.organisations_with(Action.CONTACT_REQUEST_MANAGE)),
        "page": page_links(request, number=number, has_older=len(found) > _PAGE),
    }
    return render(request, "console/contact_requests.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@own
def new_contact_request(request: HttpRequest) -> HttpResponse:
    """Ask for contacts of a spacecraft; the next plan looks for them."""
    viewer, at = viewer_of(request), clock.now()
    viewer.principal.require(Action.CONTACT_REQUEST_MANAGE)
    organisations = viewer.organisations_with(Action.CONTACT_REQUEST_MANAGE)
    form = _OFFERED | {
        "earliest": f"{at:%Y-%m-%dT%H:%M}",
        "deadline": f"{at + timedelta(days=1):%Y-%m-%dT%H:%M}",
    }
    refusal = ""
    if request.method == "POST":
        form = {name: request.POST.get(name, "").strip() for name in _OFFERED}
        try:
            made = _ask(request, form, organisations, at)
        except RefusedError as error:
            refusal = str(error)
        else:
            messages.success(
                request,
                f"Contact request {made.pk} is filed. The next plan looks for it.",
            )
            return redirect(_BACK)
    context = {
        "section": "passes",
        "form": form,
        "refusal": refusal,
        "organisations": organisations,
        "spacecraft_names": [craft.name for craft in fleet.active_spacecraft()],
        "kinds": ContactRequest.Kind.choices,
        "priorities": range(1, 6),
    }
    status = 422 if refusal else 200
    return render(request, "console/contact_request_form.html", context, status=status)


@deed(Action.CONTACT_REQUEST_MANAGE, back=_BACK)
def withdraw_contact_request(request: HttpRequest, request_id: int) -> HttpResponse:
    """Ask no longer; what is booked for it stays booked."""
    principal = viewer_of(request).principal
    seen = selectors.contact_requests(principal.organisations_with(Action.CONTACT_REQUEST_VIEW))
    found = seen.get(pk=request_id)  # another member's is not there
    services.withdraw_request(request_id=found.pk, actor=principal.operator, at=clock.now())
    messages.success(
        request, f"Contact request {found.pk} is withdrawn. What is booked for it stays booked."
    )
    return go_back(request, _BACK)


def _ask(
    request: HttpRequest,
    form: Mapping[str, str],
    organisations: list[Organisation],
    at: datetime,
) -> ContactRequest:
    wanted = form["organisation"]
    organisation = next((each for each in organisations if each.slug == wanted), organisations[0])
    return services.request_contact(
        organisation=organisation,
        spacecraft=_spacecraft(form["spacecraft"]),
        terms=_terms(form),
        actor=viewer_of(request).operator,
        at=at,
    )


def _spacecraft(name: str) -> Spacecraft:
    try:
        return fleet.get_spacecraft(name=name)
    except Spacecraft.DoesNotExist:
        raise RefusedError(f"{name!r} is no spacecraft; choose one.") from None


def _terms(form: Mapping[str, str]) -> services.RequestTerms:
    if form["kind"] not in ContactRequest.Kind.values:
        raise RefusedError(
            f"The kind is {form['kind']!r}; choose {', '.join(ContactRequest.Kind.values)}."
        )
    return services.RequestTerms(
        kind=ContactRequest.Kind(form["kind"]),
        earliest=_instant("earliest begin", form["earliest"]),
        deadline=_instant("deadline", form["deadline"]),
        latest=_instant("latest begin", form["latest"]) if form["latest"] else None,
        priority=_whole("priority", form["priority"]),
        minimum_duration_s=_whole("shortest contact", form["minimum_duration_s"]),
        minimum_count=_whole("least number of contacts", form["minimum_count"]),
        maximum_count=(
            _whole("greatest number of contacts", form["maximum_count"])
            if form["maximum_count"]
            else None
        ),
        value=_figure("value of a contact", form["value"]),
        value_per_s=_figure("value of a second", form["value_per_s"]),
        missing_cost=_figure("cost of a missing contact", form["missing_cost"]),
    )


def _instant(label: str, text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        raise RefusedError(
            f"The {label} is {text!r}; give a date and a time in UTC, as 2026-12-01T18:00."
        ) from None


def _whole(label: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= _DIGITS):
        raise RefusedError(
            f"The {label} is {text!r}; give a whole number of at most {_DIGITS} digits."
        )
    return int(text)


def _figure(label: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise RefusedError(f"The {label} is {text!r}; give a number, as 100 or 0.5.") from None
