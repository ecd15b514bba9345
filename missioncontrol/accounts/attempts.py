"""Who tries to sign in, and from where, as django-axes counts it."""

from __future__ import annotations

from collections.abc import Mapping

from allauth.account.adapter import get_adapter
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """Return where a request comes from, behind as many proxies as the settings trust."""
    address: str = get_adapter().get_client_ip(request)
    return address


def attempted_name(request: HttpRequest, credentials: Mapping[str, str] | None) -> str:
    """Return the name that is tried: what is authenticated with, or what the form says."""
    shown = (credentials or {}).get("username") or request.POST.get("login", "")
    return shown[:150]
