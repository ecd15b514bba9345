"""An organisation's own identity provider: set up, tried, taken away."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from missioncontrol.accounts import services
from missioncontrol.accounts.models import Organisation, SingleSignOn
from missioncontrol.accounts.policy import Action
from missioncontrol.accounts.provider_discovery import check_provider
from missioncontrol.accounts.selectors import get_organisation
from missioncontrol.console.access import deed, freshly_confirmed, go_back, viewer_of
from missioncontrol.kernel import clock


@require_http_methods(["GET", "HEAD", "POST"])
@freshly_confirmed  # no deed: it would keep the secret in the session until the proof is there
def single_sign_on(request: HttpRequest, slug: str) -> HttpResponse:
    """Say how the organisation's people sign in with its identity provider."""
    organisation = get_organisation(slug=slug)
    viewer_of(request).principal.require(Action.SINGLE_SIGN_ON_MANAGE, organisation)
    row = SingleSignOn.objects.filter(organisation=organisation).first()
    errors: dict[str, str] = {}
    if request.method == "POST":
        try:
            return _set(request, organisation)
        except services.AccountRefusedError as refusal:
            errors = {refusal.field: str(refusal)}
    typed = request.POST if errors else None
    context = {
        "section": "consortium",
        "organisation": organisation,
        "is_set": row is not None,
        "form": {
            "issuer": typed.get("issuer", "") if typed else row.issuer if row else "",
            "client_id": typed.get("client_id", "") if typed else row.client_id if row else "",
        },
        "errors": errors,
        "callback_url": request.build_absolute_uri(
            reverse("openid_connect_callback", args=[organisation.slug])
        ),
    }
    return render(request, "console/single_sign_on.html", context, status=422 if errors else 200)


def _set(request: HttpRequest, organisation: Organisation) -> HttpResponse:
    row = services.set_single_sign_on(
        organisation=organisation,
        issuer=request.POST.get("issuer", "").strip(),
        client_id=request.POST.get("client_id", "").strip(),
        client_secret=request.POST.get("client_secret") or None,
        actor=viewer_of(request).operator,
        at=clock.now(),
    )
    messages.success(request, f"People of {organisation} sign in at {row.issuer} from now on.")
    return _try(request, row)


@deed(Action.SINGLE_SIGN_ON_MANAGE, back="console:consortium")
def try_single_sign_on(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask the identity provider for its configuration and say whether it fits."""
    organisation = get_organisation(slug=slug)
    viewer_of(request).principal.require(Action.SINGLE_SIGN_ON_MANAGE, organisation)
    return _try(request, SingleSignOn.objects.get(organisation=organisation))


def _try(request: HttpRequest, row: SingleSignOn) -> HttpResponse:
    try:
        check_provider(row.issuer)
    except services.AccountRefusedError as refusal:
        messages.warning(request, str(refusal))
    else:
        messages.success(
            request,
            "The provider answers and says what a sign-in takes. Whether it knows the client "
            "shows when somebody signs in: try it in a private window.",
        )
    return go_back(request, reverse("console:single_sign_on", args=[row.organisation.slug]))


@deed(Action.SINGLE_SIGN_ON_MANAGE, back="console:consortium")
def remove_single_sign_on(request: HttpRequest, slug: str) -> HttpResponse:
    """Take the identity provider away."""
    organisation = get_organisation(slug=slug)
    services.remove_single_sign_on(
        organisation=organisation, actor=viewer_of(request).operator, at=clock.now()
    )
    messages.success(request, f"People of {organisation} sign in here only, from now on.")
    return redirect("console:organisation", slug)
