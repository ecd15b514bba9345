"""Where the installation asks for it: nobody goes on with a password alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from missioncontrol.accounts.models import Operator

# Where a second factor is added, and the way out.
_REACHABLE: Final = ("/account/", "/signout/", "/signin/", "/health")
_HAS_ONE: Final = "has_second_factor"
_TEXT: Final = (
    "This installation takes a second factor: add a passkey or one-time codes, then go on."
)


class SecondFactor:
    """Middleware, behind the gate: leads who has none yet to where one is added."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.SECOND_FACTOR_REQUIRED and _lacks_one(request):
            if request.method not in {"GET", "HEAD"}:
                raise PermissionDenied(_TEXT)
            messages.warning(request, _TEXT)
            return redirect("console:account")
        return self._get_response(request)


def _lacks_one(request: HttpRequest) -> bool:
    principal = getattr(request, "principal", None)
    if principal is None or principal.token is not None or request.path.startswith(_REACHABLE):
        return False
    if request.session.get(_HAS_ONE):
        return False
    operator: Operator = principal.operator
    methods = {each["method"] for each in get_authentication_records(request, operator)}
    if "password" in methods and not Authenticator.objects.filter(user=operator).exists():
        return True
    request.session[_HAS_ONE] = True
    return False
