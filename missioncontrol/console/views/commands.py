from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from missioncontrol.accounts.policy import Action
from missioncontrol.console import selectors as reads
from missioncontrol.console.access import deed, go_back, page, viewer_of
from missioncontrol.console.paging import page_links, page_number
from missioncontrol.console.presentation.telecommands import (
    TelecommandForm,
    telecommand_form,
    telecommand_row,
)
from missioncontrol.fleet import selectors as fleet
from missioncontrol.fleet.models import Spacecraft
from missioncontrol.kernel import clock
from missioncontrol.kernel.errors import NotPermittedError, RefusedError
from uplink.commanding import selectors, services
from uplink.commanding.definitions import parse_definitions
from uplink.commanding.models import Telecommand
from uplink.commanding.packets import ArgumentsError

_ARGUMENT: Final = "argument-"


@page(Action.TELECOMMAND_VIEW)
def commands(request: HttpRequest) -> HttpResponse:
    """Show the telecommands that wait and that were sent, and the form for a new one."""
    mine = viewer_of(request).spacecraft(Action.TELECOMMAND_SUBMIT)
    wanted = request.GET.get("for", "")
    craft = next((each for each in mine if each.name == wanted), mine[0] if mine else None)
    form = _blank_form(craft, request.GET.get("telecommand", ""))
    return _page(request, mine, craft, form)


def _blank_form(spacecraft: Spacecraft | None, name: str) -> TelecommandForm | None:
    if spacecraft is None or not name:
        return None
    definition = parse_definitions(spacecraft.telecommands).get(name)
    return telecommand_form(definition, spacecraft) if definition is not None else None


def _page(
    request: HttpRequest,
    mine: Sequence[Spacecraft],
    craft: Spacecraft | None,
    form: TelecommandForm | None,
    **more: Any,
) -> HttpResponse:
    viewer = viewer_of(request)
    visible = viewer.spacecraft(Action.TELECOMMAND_VIEW)
    filters = {name: request.GET.get(name, "") for name in ("spacecraft", "state")}
    narrowed = [each for each in visible if filters["spacecraft"] in {"", each.name}]
    found = reads.telecommands(narrowed, state=filters["state"], page=page_number(request))
    context = {
        "section": "commands",
        "telecommands": [telecommand_row(each, viewer) for each in found.rows],
        "waiting": selectors.awaiting_approval_count(),
        "filters": filters,
        "states": Telecommand.State.values,
        "spacecraft_names": [each.name for each in visible],
        "page": page_links(request, number=found.number, has_older=found.has_older),
        "may_submit": bool(mine),
        "commandable_names": [each.name for each in mine],
        "chosen_spacecraft": craft.name if craft is not None else "",
        "command_names": list(parse_definitions(craft.telecommands).values()) if craft else [],
        "form": form,
        **more,
    }
    return render(request, "console/commands.html", context, status=422 if more else 200)


@deed(Action.TELECOMMAND_SUBMIT, back="console:commands")
def submit_telecommand(request: HttpRequest) -> HttpResponse:
    """Ask for a telecommand; a refusal shows the form again with what was typed."""
    viewer = viewer_of(request)
    craft = fleet.get_spacecraft(name=request.POST.get("spacecraft", ""))
    name = request.POST.get("telecommand", "")
    arguments = {
        key.removeprefix(_ARGUMENT): value
        for key, value in request.POST.items()
        if key.startswith(_ARGUMENT) and isinstance(value, str)
    }
    try:
        telecommand = services.submit_telecommand(
            spacecraft=craft,
            name=name,
            arguments=arguments,
            submitted_by=viewer.operator,
            at=clock.now(),
        )
    except NotPermittedError:
        raise
    except RefusedError as refusal:
        return _refused(request, craft, name, arguments, refusal)
    messages.success(
        request, f"{telecommand.name} #{telecommand.pk} waits for a second operator's approval."
    )
    return redirect("console:commands")


def _refused(
    request: HttpRequest,
    craft: Spacecraft,
    name: str,
    arguments: dict[str, str],
    refusal: RefusedError,
) -> HttpResponse:
    definition = parse_definitions(craft.telecommands).get(name)
    if definition is None:
        messages.error(request, str(refusal))
        return redirect("console:commands")
    cause = refusal.__cause__
    problems = cause.problems if isinstance(cause, ArgumentsError) else ()
    named = {argument.name for argument in definition.arguments}
    beside_fields = all(problem.argument in named for problem in problems) and problems
    form = telecommand_form(
        definition,
        craft,
        given=arguments,
        problems=problems,
        error="" if beside_fields else str(refusal),
    )
    mine = viewer_of(request).spacecraft(Action.TELECOMMAND_SUBMIT)
    return _page(request, mine, craft, form, page_url=reverse("console:commands"))


@deed(Action.TELECOMMAND_APPROVE, back="console:commands")
def approve_telecommand(request: HttpRequest, telecommand_id: int) -> HttpResponse:
    """Approve somebody else's telecommand; a hazardous one with its hazard checked."""
    telecommand = selectors.get_telecommand(telecommand_id)
    if telecommand.hazardous and request.POST.get("hazard_checked") != "on":
        raise RefusedError(
            f"{telecommand} is hazardous and was not approved: tick that you have checked "
            "its hazard, then approve."
        )
    services.approve_telecommand(
        telecommand_id=telecommand_id, approver=viewer_of(request).operator, at=clock.now()
    )
    messages.success(request, f"{telecommand.name} #{telecommand.pk} is approved.")
    return go_back(request, "console:commands")


@deed(Action.TELECOMMAND_VIEW, back="console:commands")
def reject_telecommand(request: HttpRequest, telecommand_id: int) -> HttpResponse:
    """Stop a telecommand that has not been released, with a reason."""
    telecommand = services.reject_telecommand(
        telecommand_id=telecommand_id,
        approver=viewer_of(request).operator,
        reason=request.POST.get("reason", ""),
        at=clock.now(),
    )
    messages.success(request, f"{telecommand.name} #{telecommand.pk} is rejected.")
    return go_back(request, "console:commands")
