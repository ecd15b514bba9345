"""What is booked and what is out, in memory: many windows are looked at without a query each.

The rules are those of ``bookings.contacts_in_the_way`` and ``bookings.is_out``, which ask the
database about one window; a test makes the two agree.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final

from missioncontrol.contacts.models import ContactWindow
from missioncontrol.fleet.models import Antenna, MissionProfile, Spacecraft
from missioncontrol.scheduling.bookings import occupied, occupied_by
from missioncontrol.scheduling.models import Contact, Outage

_HOUR: Final = timedelta(hours=1)
_Interval = tuple[datetime, datetime]
_Key = tuple[str, int, datetime]  # of what, its row, an hour


class Occupancy:
    """Contacts by the hours in which they occupy an antenna or a spacecraft, and outages."""

    def __init__(self, contacts: Iterable[Contact], outages: Iterable[Outage]) -> None:
        self._outages = list(outages)
        self._by_hour: defaultdict[_Key, list[Contact]] = defaultdict(list)
        for contact in contacts:
            self.add(contact)

    def add(self, contact: Contact) -> None:
        """Take a contact in."""
        for key in _keys_of(contact):
            self._by_hour[key].append(contact)

    def remove(self, contact: Contact) -> None:
        """Let go of a contact that was taken in."""
        for key in _keys_of(contact):
            self._by_hour[key].remove(contact)

    def in_the_way(
        self, antenna: Antenna, profile: MissionProfile, window: ContactWindow
    ) -> list[Contact]:
        """Return the contacts that a window cannot be booked beside."""
        on_antenna = occupied(antenna, profile, window.aos, window.los)
        in_flight = window.aos, window.los
        found = [
            *self._meeting("antenna", antenna.pk, on_antenna, occupied_by),
            *self._meeting("spacecraft", window.spacecraft_id, in_flight, _flown),
        ]
        return list({id(one): one for one in found}.values())  # some are in no row yet

    def is_out(
        self,
        antenna: Antenna,
        profile: MissionProfile,
        window: ContactWindow,
        *,
        relay: Spacecraft | None = None,
    ) -> bool:
        """Return whether an outage of the antenna, the spacecraft or its relay meets a window."""
        flown = {window.spacecraft_id, *([relay.pk] if relay is not None else [])}
        on_antenna = occupied(antenna, profile, window.aos, window.los)
        in_flight = window.aos, window.los
        return any(
            (one.antenna_id == antenna.pk and _overlap((one.begins, one.ends), on_antenna))
            or (one.spacecraft_id in flown and _overlap((one.begins, one.ends), in_flight))
            for one in self._outages
        )

    def _meeting(
        self, of: str, pk: int, interval: _Interval, taken: Callable[[Contact], _Interval]
    ) -> Iterator[Contact]:
        for hour in _hours(interval):
            for contact in self._by_hour.get((of, pk, hour), ()):
                if _overlap(taken(contact), interval):
                    yield contact


def _keys_of(contact: Contact) -> Iterator[_Key]:
    for hour in _hours(occupied_by(contact)):
        yield "antenna", contact.antenna_id, hour
    for hour in _hours(_flown(contact)):
        yield "spacecraft", contact.spacecraft_id, hour


def _flown(contact: Contact) -> _Interval:
    return contact.aos, contact.los


def _hours(interval: _Interval) -> Iterator[datetime]:
    hour = interval[0].replace(minute=0, second=0, microsecond=0)
    while hour <= interval[1]:
        yield hour
        hour += _HOUR


def _overlap(one: _Interval, other: _Interval) -> bool:
    return one[0] < other[1] and one[1] > other[0]
