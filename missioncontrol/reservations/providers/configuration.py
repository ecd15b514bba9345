"""Which provider answers for which stations, as the installation's settings say."""

from __future__ import annotations

import threading

from django.conf import settings

from missioncontrol.reservations.providers.http_provider import HttpProvider
from missioncontrol.reservations.providers.interface import Provider
from missioncontrol.reservations.providers.own_stations import OwnStations


class ConfiguredProviders:
    """Keeps the connections to providers for a while; may be used by several threads."""

    def __init__(self) -> None:
        """Connect to nobody yet."""
        self._lock = threading.Lock()
        self._clients: dict[str, HttpProvider] = {}

    def of(self, owner: str) -> Provider:
        """Return who is asked for the stations of an organisation, by its slug."""
        url = settings.STATION_PROVIDERS.get(owner)
        if url is None:
            return OwnStations()
        with self._lock:
            if owner not in self._clients:
                token = settings.STATION_PROVIDER_TOKENS.get(owner, "")
                self._clients[owner] = HttpProvider(url, token=token)
            return self._clients[owner]

    def close(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            client.close()
