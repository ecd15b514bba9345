from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse

from missioncontrol.accounts.policy import Action
from missioncontrol.console.access import deed, go_back, viewer_of
from missioncontrol.fleet import services
from missioncontrol.kernel import clock
from missioncontrol.kernel.errors import RefusedError


@deed(Action.CLOCK_SET, back="console:now")
def set_clock(request: HttpRequest) -> HttpResponse:
    """Let a rehearsal's clock run faster or slower."""
    text = request.POST.get("factor", "")
    try:
        factor = float(text)
    except ValueError:
        raise RefusedError(f"The factor {text!r} is no number; give one as 30.") from None
    services.set_clock_factor(factor=factor, actor=viewer_of(request).operator, at=clock.now())
    messages.success(request, f"The clock runs at {factor:g} mission seconds a second.")
    return go_back(request, "console:now")
