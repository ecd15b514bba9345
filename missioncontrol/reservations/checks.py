"""What `manage.py check` says of the providers that stations are leased from."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import checks

from missioncontrol.kernel.checks import INSTALLATION


@checks.register(INSTALLATION)
def every_provider_has_a_token(**_kwargs: Any) -> list[checks.Error]:
    """Refuse a provider without its token, and a token without its provider."""
    urls, tokens = settings.STATION_PROVIDERS.keys(), settings.STATION_PROVIDER_TOKENS.keys()
    return [
        checks.Error(
            f"{owner} stands in one of STATION_PROVIDERS and STATION_PROVIDER_TOKENS only.",
            hint="Name it in both: its address in the one, our token in the other.",
            id="reservations.E001",
        )
        for owner in sorted(urls ^ tokens)
    ]
