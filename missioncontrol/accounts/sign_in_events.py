"""What allauth and axes tell of signing in, brought into the consortium log."""

from __future__ import annotations

import hashlib
from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.account.signals import password_changed, password_reset, password_set
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_removed
from axes.signals import user_locked_out
from django.conf import settings
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.core.cache import cache
from django.dispatch import receiver
from django.http import HttpRequest

from missioncontrol.accounts import services
from missioncontrol.accounts.models import Operator
from missioncontrol.kernel import clock


@receiver(user_logged_in)
def _signed_in(request: HttpRequest, user: Any, **_: Any) -> None:
    if not isinstance(user, Operator):
        return
    records = get_authentication_records(request, user)
    method = str(records[-1].get("type") or records[-1]["method"]) if records else "session"
    services.note_sign_in(operator=user, method=method, at=clock.now())


@receiver(user_logged_out)
def _signed_out(user: Any, **_: Any) -> None:
    if isinstance(user, Operator):
        services.note_sign_out(operator=user, at=clock.now())


@receiver(user_locked_out)
def _locked_out(username: str | None = None, ip_address: str = "", **_: Any) -> None:
    # Told at every further attempt; the log is no place where a stranger can write at will.
    name = hashlib.sha256(f"{username} {ip_address}".encode()).hexdigest()
    if cache.add(f"lock-noted:{name}", "", timeout=settings.AXES_COOLOFF_TIME.total_seconds()):
        services.note_lockout(username=username or "", at=clock.now())


@receiver([password_changed, password_reset, password_set])
def _has_new_password(request: HttpRequest, user: Any, **_: Any) -> None:
    own = request.session.session_key if request.user == user else None
    services.note_password(operator=user, session_key=own or "", at=clock.now())


@receiver(authenticator_added)
def _authenticator_added(user: Any, authenticator: Authenticator, **_: Any) -> None:
    services.note_authenticator(
        operator=user, kind=authenticator.type, is_new=True, at=clock.now()
    )


@receiver(authenticator_removed)
def _authenticator_removed(user: Any, authenticator: Authenticator, **_: Any) -> None:
    services.note_authenticator(
        operator=user, kind=authenticator.type, is_new=False, at=clock.now()
    )
