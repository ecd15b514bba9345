"""Webhooks: those of one's organisations, one with what was sent to it, making and changing."""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from missioncontrol.accounts.models import Organisation
from missioncontrol.accounts.policy import Action
from missioncontrol.console import selectors as reads
from missioncontrol.console.access import confirmed, own, page, viewer_of
from missioncontrol.console.paging import page_links, page_number
from missioncontrol.console.presentation.webhooks import delivery_rows, webhook_row
from missioncontrol.events.event_types import EventTypesError
from missioncontrol.kernel import clock
from missioncontrol.webhooks import selectors, services
from missioncontrol.webhooks.endpoint import EndpointError
from missioncontrol.webhooks.models import Delivery, Webhook

_PAGE: Final = 50


@page(Action.WEBHOOK_VIEW)
def webhooks(request: HttpRequest) -> HttpResponse:
    """Show the webhooks of the organisations that one sees them of."""
    viewer = viewer_of(request)
    wall_at = clock.wall_now()
    seen = viewer.organisations_with(Action.WEBHOOK_VIEW)
    context = {
        "section": "webhooks",
        "rows": [webhook_row(each, wall_at=wall_at) for each in selectors.webhooks_of(seen)],
        "organisations": seen,
        "may_make": bool(viewer.organisations_with(Action.WEBHOOK_MANAGE)),
        "most": services.MAX_WEBHOOKS,
    }
    return render(request, "console/webhooks.html", context)


@page(Action.WEBHOOK_VIEW)
def webhook(request: HttpRequest, webhook_id: int) -> HttpResponse:
    """Show one webhook, and what was sent to it."""
    viewer = viewer_of(request)
    found = webhook_seen(request, webhook_id, Action.WEBHOOK_VIEW)
    state = request.GET.get("state", "")
    if state not in Delivery.State.values:
        state = ""
    number = page_number(request)
    begin = (number - 1) * _PAGE
    rows = list(selectors.deliveries_of(found, state=state)[begin : begin + _PAGE + 1])
    context = {
        "section": "webhooks",
        "webhook": webhook_row(found, wall_at=clock.wall_now()),
        "deliveries": delivery_rows(rows[:_PAGE]),
        "states": Delivery.State.values,
        "chosen_state": state,
        "page": page_links(request, number=number, has_older=len(rows) > _PAGE),
        "may_manage": viewer.may(Action.WEBHOOK_MANAGE, found.organisation),
        "audit_url": reverse("console:audit", query={"subject": found.audit_subject}),
    }
    return render(request, "console/webhook.html", context)


def webhook_seen(request: HttpRequest, webhook_id: int, action: Action) -> Webhook:
    """Return a webhook on which *action* is granted; another member's is not there.

    Raises:
        Webhook.DoesNotExist: there is none, or it is another member's.
        NotPermittedError: no role grants *action* at all.
    """
    principal = viewer_of(request).principal
    principal.require(action)
    return selectors.get_webhook(webhook_id, of=principal.organisations_with(action))


@require_http_methods(["GET", "HEAD", "POST"])
@own
def new_webhook(request: HttpRequest) -> HttpResponse:
    """Make a webhook; its secret is shown once."""
    viewer = viewer_of(request)
    viewer.principal.require(Action.WEBHOOK_MANAGE)
    organisations = viewer.organisations_with(Action.WEBHOOK_MANAGE)
    wanted = request.POST.get("organisation", "")
    organisation = next((each for each in organisations if each.slug == wanted), organisations[0])
    errors: dict[str, str] = {}
    if request.method == "POST":
        confirmed(request, Action.WEBHOOK_MANAGE)
        try:
            made, secret = _create(request, organisation)
        except services.WebhookRefusedError as refusal:
            errors = {_field_of(refusal): str(refusal)}
        else:
            return secret_shown(request, made, secret, is_new=True)
    form = {name: request.POST.get(name, "") for name in ("name", "url", "types")}
    return _form(request, form, errors, organisation=organisation, organisations=organisations)


def _create(request: HttpRequest, organisation: Organisation) -> tuple[Webhook, str]:
    return services.create_webhook(
        organisation=organisation,
        name=request.POST.get("name", "").strip(),
        url=request.POST.get("url", "").strip(),
        types=_types(request),
        actor=viewer_of(request).operator,
        at=clock.now(),
        wall_at=clock.wall_now(),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@own
def change_webhook(request: HttpRequest, webhook_id: int) -> HttpResponse:
    """Give a webhook another name, address or choice of events."""
    try:
        found = webhook_seen(request, webhook_id, Action.WEBHOOK_MANAGE)
    except Webhook.DoesNotExist as error:
        raise Http404 from error
    errors: dict[str, str] = {}
    if request.method == "POST":
        confirmed(request, Action.WEBHOOK_MANAGE)
        try:
            services.change_webhook(
                webhook_id=webhook_id,
                changes=services.Changes(
                    name=request.POST.get("name", "").strip(),
                    url=request.POST.get("url", "").strip(),
                    types=_types(request),
                ),
                actor=viewer_of(request).operator,
                at=clock.now(),
                wall_at=clock.wall_now(),
            )
        except services.WebhookRefusedError as refusal:
            errors = {_field_of(refusal): str(refusal)}
        else:
            messages.success(request, f"The webhook {request.POST.get('name')} is changed.")
            return redirect("console:webhook", webhook_id)
    form = {"name": found.name, "url": found.url, "types": "\n".join(found.types)}
    if errors:
        form = {name: request.POST.get(name, "") for name in form}
    return _form(request, form, errors, webhook=found, organisation=found.organisation)


def _types(request: HttpRequest) -> list[str]:
    return request.POST.get("types", "").replace(",", " ").split()


def _field_of(refusal: services.WebhookRefusedError) -> str:
    """Return which field of the form a refusal is about."""
    if isinstance(refusal.__cause__, EndpointError):
        return "url"
    return "types" if isinstance(refusal.__cause__, EventTypesError) else "name"


def _form(
    request: HttpRequest, form: dict[str, str], errors: dict[str, str], **more: Any
) -> HttpResponse:
    context = {
        "section": "webhooks",
        "form": form,
        "errors": errors,
        "event_types": reads.audit_actions(),
        "allowed_hosts": settings.WEBHOOK_ALLOWED_HOSTS,
        **more,
    }
    return render(request, "console/webhook_form.html", context, status=422 if errors else 200)


def secret_shown(
    request: HttpRequest, shown: Webhook, secret: str, *, is_new: bool
) -> HttpResponse:
    """Show a secret in the answer itself: nothing keeps it in clear."""
    context = {
        "section": "webhooks",
        "webhook": shown,
        "secret": secret,
        "is_new": is_new,
        "overlap_h": int(services.SECRETS_OVERLAP.total_seconds() // 3600),
        "page_url": reverse("console:webhook", args=[shown.pk]),
    }
    answer = render(request, "console/webhook_secret.html", context)
    answer.headers["Cache-Control"] = "no-store"
    return answer
