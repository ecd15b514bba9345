from __future__ import annotations

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_POST

from missioncontrol.accounts.tickets import TicketRefusedError, issue_ticket
from missioncontrol.console.access import viewer_of


@require_POST
def live_ticket(request: HttpRequest) -> HttpResponse:
    """Answer with a ticket that opens this session's live connection once."""
    try:
        ticket = issue_ticket(
            viewer_of(request).principal, session_key=request.session.session_key or ""
        )
    except TicketRefusedError as refusal:
        return JsonResponse({"refused": str(refusal)}, status=HTTPStatus.SERVICE_UNAVAILABLE)
    return JsonResponse({"ticket": ticket}, headers={"Cache-Control": "no-store"})
