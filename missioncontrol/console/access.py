"""Who is asking, and what becomes of a request that may not or cannot be done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import wraps
from typing import Final
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from allauth.core.exceptions import ReauthenticationRequired
from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from missioncontrol.accounts.gate import principal_of
from missioncontrol.accounts.models import Organisation
from missioncontrol.accounts.policy import Action
from missioncontrol.accounts.principals import ConfirmationNeededError, Principal
from missioncontrol.accounts.step_up import confirmed_at
from missioncontrol.fleet import selectors as fleet
from missioncontrol.fleet.models import Spacecraft
from missioncontrol.kernel import clock
from missioncontrol.kernel.errors import NotPermittedError, RefusedError

View = Callable[..., HttpResponseBase]

_VIEWER: Final = "_console_viewer"


class Viewer:
    """Who is behind a request, and what they may see on a page."""

    def __init__(self, principal: Principal) -> None:
        self.principal = principal
        self.operator = principal.operator
        self._spacecraft: list[Spacecraft] | None = None

    def may(self, action: Action, organisation: Organisation | None = None) -> bool:
        """Return whether a role grants *action* (see ``accounts.policy.grants``)."""
        return self.principal.may(action, organisation)

    def organisations_with(self, action: Action) -> list[Organisation]:
        """Return the organisations for which a role grants *action*."""
        return self.principal.organisations_with(action)

    def planning_organisation(self) -> Organisation:
        """Return the organisation that operates the mission, for which this viewer plans.

        Raises:
            NotPermittedError: no role grants it there.
        """
        self.principal.require(Action.PLAN_PROPOSE)
        return next(
            each
            for each in self.organisations_with(Action.PLAN_PROPOSE)
            if each.operates_the_mission
        )

    def spacecraft(self, action: Action = Action.TELEMETRY_VIEW) -> list[Spacecraft]:
        """Return the spacecraft on which *action* is allowed, by name."""
        if self._spacecraft is None:
            self._spacecraft = fleet.active_spacecraft()
        return [craft for craft in self._spacecraft if self.may(action, craft.organisation)]


def viewer_of(request: HttpRequest) -> Viewer:
    """Return who asks; the gate has let them in."""
    viewer = getattr(request, _VIEWER, None)
    if viewer is None:
        viewer = Viewer(principal_of(request))
        setattr(request, _VIEWER, viewer)
    found: Viewer = viewer
    return found


def page(action: Action) -> Callable[[View], View]:
    """Let a view answer GET for those who may do *action*.

    Others are told which role it takes. What the address names and is not
    there becomes a 404.
    """

    def decorate(view: View) -> View:
        @require_safe
        @wraps(view)
        def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            with _as_pages():
                principal_of(request).require(action)
                return view(request, *args, **kwargs)

        return guarded

    return decorate


def own(view: View) -> View:
    """Let a view of one's own account answer to a person who is signed in, not to a token."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        with _as_pages():
            require_person(request)
            return view(request, *args, **kwargs)

    return guarded


def freshly_confirmed(view: View) -> View:
    """Let a view answer only with a fresh proof of identity.

    Who has none is asked for it and then sees the page; unlike with ``deed``,
    what was posted is not kept meanwhile: it may hold a secret.
    """

    @own
    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        return view(request, *args, **kwargs) if is_confirmed(request) else ask_anew(request)

    return guarded


def ask_anew(request: HttpRequest) -> HttpResponse:
    """Lead to where one proves who one is, and from there back to this page."""
    ways = get_adapter().get_reauthentication_methods(request.user)
    way = ways[0]["url"] if ways else resolve_url("account_login")
    return redirect(f"{way}?{urlencode({'next': request.path})}")


def require_person(request: HttpRequest) -> None:
    """Refuse a token: it acts by the API, where its scopes are looked at.

    Raises:
        NotPermittedError: who asks shows a token.
    """
    if principal_of(request).token is not None:
        raise NotPermittedError(
            "This takes a person who is signed in. An API token works at /api/v1/."
        )


def deed(action: Action, *, back: str) -> Callable[[View], View]:
    """Let a view act on POST, as ``page``; a refusal becomes a message on the page before.

    Who must prove once more who they are is asked to, and then the act is done.

    Args:
        action: What it takes.
        back: URL name of where to go where the form names no page.
    """

    def decorate(view: View) -> View:
        @require_POST
        @wraps(view)
        def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            with _as_pages():
                try:
                    require_person(request)
                    principal_of(request).require(action)
                    confirmed(request, action)
                    return view(request, *args, **kwargs)
                except NotPermittedError:
                    raise
                except RefusedError as error:
                    messages.error(request, str(error))
                    return go_back(request, back)

        return guarded

    return decorate


def confirmed(request: HttpRequest, action: Action) -> None:
    """Go on only with a fresh proof of identity, where *action* takes one.

    Raises:
        ReauthenticationRequired: allauth asks for it, then does the request again.
    """
    try:
        _principal_now(request).require_confirmed(action, wall_at=clock.wall_now())
    except ConfirmationNeededError as error:
        raise ReauthenticationRequired from error


def is_confirmed(request: HttpRequest) -> bool:
    """Return whether who asks has just proved who they are."""
    return _principal_now(request).is_confirmed(wall_at=clock.wall_now())


def _principal_now(request: HttpRequest) -> Principal:
    # Asked of the session anew: the proof may have been given in this very request.
    return replace(principal_of(request), confirmed_at=confirmed_at(request))


@contextmanager
def _as_pages() -> Iterator[None]:
    """Turn what was raised into what Django answers with a page."""
    try:
        yield
    except NotPermittedError as error:
        raise PermissionDenied(str(error)) from error
    except ObjectDoesNotExist as error:
        raise Http404 from error


def go_back(request: HttpRequest, fallback: str) -> HttpResponse:
    """Redirect to the page that the form came from, or to *fallback*."""
    target = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return redirect(target if ours else resolve_url(fallback))
