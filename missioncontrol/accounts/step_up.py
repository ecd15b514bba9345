"""When somebody last proved who they are: at sign-in, or since, by password, code or passkey."""

from __future__ import annotations

from datetime import UTC, datetime

from allauth.account.authentication import get_authentication_records
from django.http import HttpRequest

from missioncontrol.accounts.models import Operator


def confirmed_at(request: HttpRequest) -> datetime | None:
    """Return the wall time of the session's last proof of identity, if it has one."""
    if not isinstance(request.user, Operator):
        return None
    records = get_authentication_records(request, request.user)
    return datetime.fromtimestamp(records[-1]["at"], UTC) if records else None
