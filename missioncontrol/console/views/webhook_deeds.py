"""What is done to a webhook with one press: pause, go on, try, give a new secret, delete."""

from __future__ import annotations

from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from missioncontrol.accounts.policy import Action
from missioncontrol.console.access import deed, go_back, viewer_of
from missioncontrol.console.views.webhooks import secret_shown, webhook_seen
from missioncontrol.kernel import clock
from missioncontrol.kernel.errors import RefusedError
from missioncontrol.webhooks import selectors, services
from missioncontrol.webhooks.models import Webhook

_BACK: Final = "console:webhooks"
_STATES: Final = {
    Webhook.State.ENABLED: "is on: what waited is sent now.",
    Webhook.State.PAUSED: "is paused: events wait until you go on.",
}


@deed(Action.WEBHOOK_MANAGE, back=_BACK)
def set_state(request: HttpRequest, webhook_id: int) -> HttpResponse:
    """Pause a webhook, or let it go on."""
    found = webhook_seen(request, webhook_id, Action.WEBHOOK_MANAGE)
    state = request.POST.get("state", "")
    if state not in _STATES:
        raise RefusedError(f"A webhook is made {' or '.join(_STATES)}, not {state!r}.")
    services.change_webhook(
        webhook_id=found.pk,
        changes=services.Changes(state=state),
        actor=viewer_of(request).operator,
        at=clock.now(),
        wall_at=clock.wall_now(),
    )
    messages.success(request, f"The webhook {found.name} {_STATES[Webhook.State(state)]}")
    return redirect("console:webhook", webhook_id)


@deed(Action.WEBHOOK_MANAGE, back=_BACK)
def rotate_secret(request: HttpRequest, webhook_id: int) -> HttpResponse:
    """Give a webhook a new secret; it is shown once."""
    found = webhook_seen(request, webhook_id, Action.WEBHOOK_MANAGE)
    changed, secret = services.rotate_secret(
        webhook_id=found.pk,
        actor=viewer_of(request).operator,
        at=clock.now(),
        wall_at=clock.wall_now(),
    )
    return secret_shown(request, changed, secret, is_new=False)


@deed(Action.WEBHOOK_MANAGE, back=_BACK)
def ping(request: HttpRequest, webhook_id: int) -> HttpResponse:
    """Send a webhook the event ``webhook.ping``."""
    found = webhook_seen(request, webhook_id, Action.WEBHOOK_MANAGE)
    services.ping_webhook(webhook_id=found.pk, actor=viewer_of(request).operator, at=clock.now())
    messages.success(
        request,
        f"webhook.ping is on its way to {found.name}; it shows below as soon as the log has "
        "published it.",
    )
    return go_back(request, _BACK)


@deed(Action.WEBHOOK_MANAGE, back=_BACK)
def delete(request: HttpRequest, webhook_id: int) -> HttpResponse:
    """Send nothing there any more, and forget what was sent."""
    found = webhook_seen(request, webhook_id, Action.WEBHOOK_MANAGE)
    services.delete_webhook(webhook_id=found.pk, actor=viewer_of(request).operator, at=clock.now())
    messages.success(request, f"The webhook {found.name} is deleted.")
    return redirect("console:webhooks")


@deed(Action.WEBHOOK_MANAGE, back=_BACK)
def redeliver(request: HttpRequest, webhook_id: int, delivery_id: int) -> HttpResponse:
    """Send an event once more, under the same ``webhook-id``."""
    found = webhook_seen(request, webhook_id, Action.WEBHOOK_MANAGE)
    delivery = services.redeliver(
        delivery_id=selectors.get_delivery(found, delivery_id).pk,
        actor=viewer_of(request).operator,
        at=clock.now(),
        wall_at=clock.wall_now(),
    )
    messages.success(request, f"{delivery.event_type} {delivery.log_index} is sent once more.")
    return go_back(request, _BACK)
