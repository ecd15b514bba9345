"""Whether an organisation's identity provider can be used: what it says of itself.

Source: OpenID Connect Discovery 1.0, section 4.
"""

from __future__ import annotations

import json
from itertools import islice
from typing import Any, Final

from allauth.socialaccount.adapter import get_adapter

from missioncontrol.accounts.services import AccountRefusedError

_NEEDED: Final = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri")
_CHUNK_OCTETS: Final = 16 * 1024
_MOST_CHUNKS: Final = 16


def check_provider(issuer: str) -> None:
    """Ask an identity provider for its configuration and look whether it fits.

    Raises:
        AccountRefusedError: it does not answer, or not with what a sign-in takes.
    """
    url = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    configuration = _fetched(url)
    named = configuration.get("issuer")
    if named != issuer.rstrip("/") and named != issuer:
        raise AccountRefusedError(
            f"The provider calls itself {str(named)[:200]!r}, not {issuer!r}. Give its address as "
            "it does.",
            field="issuer",
        )
    missing = [name for name in _NEEDED if not isinstance(configuration.get(name), str)]
    if missing:
        raise AccountRefusedError(
            f"The configuration at {url} lacks {', '.join(missing)}.", field="issuer"
        )


def _fetched(url: str) -> dict[str, Any]:
    try:
        # What a redirect leads to is not what the administrator named.
        with (
            get_adapter().get_requests_session() as session,
            session.get(url, allow_redirects=False, stream=True) as answer,
        ):
            status = answer.status_code
            octets = b"".join(islice(answer.iter_content(_CHUNK_OCTETS), _MOST_CHUNKS))
    except OSError as error:
        raise AccountRefusedError(
            f"{url} cannot be reached ({type(error).__name__}). Is the address right, and may "
            "this installation reach it?",
            field="issuer",
        ) from error
    try:
        configuration = json.loads(octets) if status == 200 else None
    except ValueError:
        configuration = None
    if not isinstance(configuration, dict):
        raise AccountRefusedError(
            f"{url} answered {status} and no configuration of OpenID Connect. Is the address the "
            "issuer's?",
            field="issuer",
        )
    return configuration
