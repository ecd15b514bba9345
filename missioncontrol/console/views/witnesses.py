"""The witness board: whose cosignatures the log has, and registering and retiring witnesses."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from missioncontrol.accounts.models import Organisation
from missioncontrol.accounts.policy import Action
from missioncontrol.accounts.selectors import get_organisation
from missioncontrol.audit import selectors, services
from missioncontrol.console.access import deed, page, viewer_of
from missioncontrol.console.presentation.witnesses import in_words, picture, witness_rows
from missioncontrol.console.views.audit import organisation_names
from missioncontrol.kernel import clock

_FIELDS = ("name", "organisation", "vkey", "url")


@page(Action.WITNESS_VIEW)
def witness_board(request: HttpRequest) -> HttpResponse:
    """Show how the witnesses stand, and what that lets count."""
    return _board(request)


def _board(request: HttpRequest, *, status: int = 200, **more: Any) -> HttpResponse:
    board = selectors.witness_board()
    rows = witness_rows(board, names=organisation_names())
    with_one = {each.organisation for each in board.witnesses}
    members = list(Organisation.objects.order_by("name"))
    missing = [each for each in members if each.slug not in with_one]
    context = {
        "section": "audit",
        "page_url": reverse("console:witness_board"),
        "board": board,
        "rows": rows,
        "missing": missing,
        "picture": picture(board, rows, missing),
        # The arithmetic of quorums: docs/consortium-log.md, "Be a witness".
        "in_both": 2 * board.published_quorum - len(members),
        "to_spare": board.settled_quorum - board.published_quorum,
        "words": in_words(board, rows, len(members)),
        "retired": selectors.retired_witnesses(),
        "may_manage": viewer_of(request).may(Action.WITNESS_MANAGE),
        "form": {name: request.POST.get(name, "") for name in _FIELDS},
        "error": "",
        **more,
    }
    return render(request, "console/witnesses.html", context, status=status)


@deed(Action.WITNESS_MANAGE, back="console:witness_board")
def register_witness(request: HttpRequest) -> HttpResponse:
    """Have a member's witness asked from now on."""
    asked = {name: request.POST.get(name, "").strip() for name in _FIELDS}
    try:
        organisation = get_organisation(slug=asked["organisation"])
        witness = services.register_witness(
            name=asked["name"],
            organisation=organisation.slug,
            vkey=asked["vkey"],
            url=asked["url"],
            actor=viewer_of(request).operator,
            at=clock.now(),
        )
    except Organisation.DoesNotExist:
        return _board(request, status=422, error="Choose the member who runs the witness.")
    except services.WitnessRefusedError as refusal:
        return _board(request, status=422, error=str(refusal))
    messages.success(request, f"{witness} of {organisation} is asked for each checkpoint now.")
    return redirect("console:witness_board")


@deed(Action.WITNESS_MANAGE, back="console:witness_board")
def retire_witness(request: HttpRequest) -> HttpResponse:
    """Ask a witness no longer, and count its cosignatures no longer."""
    witness = services.retire_witness(
        name=request.POST.get("name", ""), actor=viewer_of(request).operator, at=clock.now()
    )
    messages.success(request, f"{witness} is retired; its cosignatures count no longer.")
    return redirect("console:witness_board")
