"""Stations whose time is ours without asking: own ones, and leased ones agreed on elsewhere."""

from __future__ import annotations

from datetime import datetime

from missioncontrol.reservations.providers.interface import (
    ContactStatus,
    ProviderContact,
    ProviderUnavailableError,
    WantedContact,
)


class OwnStations:
    """Gives every contact at once and keeps no list: what is booked here is all there is."""

    def reserve(self, wanted: WantedContact) -> ProviderContact:
        """Give the contact."""
        return ProviderContact(
            contact_id="",  # nobody else has a name for it
            token=wanted.token,
            satellite=wanted.satellite,
            antenna=wanted.antenna,
            begins=wanted.begins,
            ends=wanted.ends,
            status=ContactStatus.SCHEDULED,
        )

    def contacts(self, begins: datetime, ends: datetime) -> list[ProviderContact]:
        """Return nothing: nobody else keeps a list."""
        return []

    def cancel(self, contact_id: str) -> None:
        """Refuse: what has a name was given by a provider, and it is one that is asked no more."""
        raise ProviderUnavailableError(
            f"STATION_PROVIDERS does not name the provider any more that holds {contact_id}. "
            "Name it again, or give the contact back by telephone."
        )
