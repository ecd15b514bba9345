"""Who is asking, and what becomes of a request that may not or cannot be done."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from missioncontrol.accounts.models import Operator, Organisation
from missioncontrol.accounts.policy import Action, may, require
from missioncontrol.accounts.selectors import organisations_of
from missioncontrol.fleet import selectors as fleet
from missioncontrol.fleet.models import Spacecraft
from missioncontrol.kernel.errors import NotPermittedError, RefusedError

View = Callable[..., HttpResponse]

_VIEWER: Final = "_console_viewer"


class Viewer:
    """The operator behind a request, whose rights are asked for once each."""

    def __init__(self, operator: Operator) -> None:
        self.operator = operator
        self._known: dict[tuple[Action, int | None], bool] = {}
        self._spacecraft: list[Spacecraft] | None = None

    def may(self, action: Action, organisation: Organisation | None = None) -> bool:
        """Return whether a role grants *action* (see ``accounts.policy.may``)."""
        key = action, organisation.pk if organisation is not None else None
        if key not in self._known:
            self._known[key] = may(self.operator, action, organisation)
        return self._known[key]

    def organisations_with(self, action: Action) -> list[Organisation]:
        """Return the organisations for which a role grants *action*."""
        return [each for each in organisations_of(self.operator) if self.may(action, each)]

    def spacecraft(self, action: Action = Action.TELEMETRY_VIEW) -> list[Spacecraft]:
        """Return the spacecraft on which *action* is allowed, by name."""
        if self._spacecraft is None:
            self._spacecraft = fleet.active_spacecraft()
        return [craft for craft in self._spacecraft if self.may(action, craft.organisation)]


def viewer_of(request: HttpRequest) -> Viewer:
    """Return who asks. Only for requests that ``page`` or ``deed`` has let through."""
    viewer = getattr(request, _VIEWER, None)
    if viewer is None:
        if not isinstance(request.user, Operator):
            raise PermissionDenied("Nobody is signed in.")
        viewer = Viewer(request.user)
        setattr(request, _VIEWER, viewer)
    found: Viewer = viewer
    return found


def page(action: Action) -> Callable[[View], View]:
    """Let a view answer GET for those who are signed in and may do *action*.

    Others are sent to sign in, or told which role it takes. What the address
    names and is not there becomes a 404.
    """

    def decorate(view: View) -> View:
        @require_safe
        @login_required
        @wraps(view)
        def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
            try:
                require(viewer_of(request).operator, action)
                return view(request, *args, **kwargs)
            except NotPermittedError as error:
                raise PermissionDenied(str(error)) from error
            except ObjectDoesNotExist as error:
                raise Http404 from error

        return guarded

    return decorate


def deed(action: Action, *, back: str) -> Callable[[View], View]:
    """Let a view act on POST, as ``page``; a refusal becomes a message on the page before.

    Args:
        action: What it takes.
        back: URL name of where to go where the form names no page.
    """

    def decorate(view: View) -> View:
        @require_POST
        @login_required
        @wraps(view)
        def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
            try:
                require(viewer_of(request).operator, action)
                return view(request, *args, **kwargs)
            except NotPermittedError as error:
                raise PermissionDenied(str(error)) from error
            except RefusedError as error:
                messages.error(request, str(error))
                return go_back(request, back)
            except ObjectDoesNotExist as error:
                raise Http404 from error

        return guarded

    return decorate


def go_back(request: HttpRequest, fallback: str) -> HttpResponse:
    """Redirect to the page that the form came from, or to *fallback*."""
    target = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return redirect(target if ours else resolve_url(fallback))
