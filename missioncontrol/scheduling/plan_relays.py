"""Paths of two hops, spacecraft over relay to station, as plans and bookings have them.

To a plan a relay is a resource of its own beside the spacecraft that carries
it: so many contacts at once (``relay_links``). The station's antenna looks at
the relay, and is occupied as by any contact.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from missioncontrol.contacts.models import ContactWindow, RelayPath
from missioncontrol.fleet import selectors as fleet
from missioncontrol.fleet.models import GroundStation, Spacecraft
from missioncontrol.orbits.elements import ElementsError
from missioncontrol.orbits.look_angles import look_angles
from missioncontrol.orbits.trajectory import PropagationError
from missioncontrol.scheduling.models import Contact
from missioncontrol.scheduling.solver import problem as words

_PREFIX: Final = "relay:"
_INSTANTS: Final = 61  # of a path, among which its relay's culmination is looked for


def relay_resource(relay: str) -> str:
    """Return how a problem names what a relay spacecraft carries for others."""
    return f"{_PREFIX}{relay}"


def path_of(contact: Contact) -> tuple[str, ...]:
    """Return what a booked contact occupies, as a problem names it."""
    if contact.relay is None:
        return (contact.antenna.name,)
    return relay_resource(contact.relay.name), contact.antenna.name


def relay_of(path: Iterable[str]) -> str | None:
    """Return the relay that a path goes over, by name."""
    first = next(iter(path))
    return first.removeprefix(_PREFIX) if first.startswith(_PREFIX) else None


def relays_in_service() -> dict[int, Spacecraft]:
    """Return the spacecraft that plans may use as relays, by primary key."""
    return {one.pk: one for one in fleet.active_spacecraft() if one.relay_links}


def relay_in_words(relay: Spacecraft) -> words.Antenna:
    """Return a relay as a problem has it."""
    # One that carries nobody any more may still have contacts that are booked.
    return words.Antenna(
        name=relay_resource(relay.name), station=relay.name, capacity=max(relay.relay_links, 1)
    )


def paths_within(
    begins: datetime, ends: datetime, *, spacecraft: Iterable[int], relays: Iterable[int]
) -> list[RelayPath]:
    """Return the whole paths within an interval, by AOS."""
    return list(
        RelayPath.objects.filter(
            aos__gte=begins, los__lte=ends, spacecraft__in=spacecraft, relay__in=relays
        ).order_by("aos")
    )


def path_about(
    spacecraft: str, relay: Spacecraft, station: GroundStation, aos: datetime, los: datetime
) -> RelayPath | None:
    """Return the path that a contact lies in, or that has moved since."""
    paths = RelayPath.objects.filter(
        spacecraft__name=spacecraft, relay=relay, station=station, aos__lt=los, los__gt=aos
    )
    return paths.select_related("spacecraft").order_by("aos").first()


def relayed_window(
    spacecraft: str, relay: Spacecraft, station: GroundStation, aos: datetime, los: datetime
) -> ContactWindow | None:
    """Return a part of a path as a window that can be booked; its angles are the relay's.

    Returns:
        The window, which is in no row; None where the path is gone, or the relay's orbit.
    """
    path = path_about(spacecraft, relay, station, aos, los)
    ephemeris = fleet.ephemeris_in_force(relay, aos)
    if path is None or ephemeris is None:
        return None
    instants = [aos + (los - aos) * number / (_INSTANTS - 1) for number in range(_INSTANTS)]
    try:
        angles = look_angles(fleet.trajectory(ephemeris), fleet.site(station), instants)
    except (ElementsError, PropagationError):
        return None
    highest = int(angles.elevation_deg.argmax())
    return ContactWindow(
        spacecraft=path.spacecraft,
        station=station,
        aos=aos,
        tca=instants[highest],
        los=los,
        max_elevation_deg=float(angles.elevation_deg[highest]),
        aos_azimuth_deg=float(angles.azimuth_deg[0]),
        los_azimuth_deg=float(angles.azimuth_deg[-1]),
    )


class RelayLoad:
    """Who is carried by relays when: contacts of which some may be cancelled, and others added."""

    def __init__(self, contacts: Iterable[Contact]) -> None:
        """Take the contacts that are booked."""
        self._contacts = [one for one in contacts if one.relay_id is not None]

    def add(self, contact: Contact) -> None:
        """Take in a contact that is to be booked; it may be in no row yet."""
        if contact.relay_id is not None:
            self._contacts.append(contact)

    def remove(self, contact: Contact) -> None:
        """Let go of a contact that was taken in, and is cancelled."""
        self._contacts = [one for one in self._contacts if one is not contact]

    def is_full(self, relay: Spacecraft, aos: datetime, los: datetime) -> bool:
        """Return whether a relay carries as many as it can at some time in an interval."""
        carried = [*self._meeting(relay, aos, los)]
        # The load is greatest as one of them begins, or as the interval does.
        instants = {aos, *(one.aos for one in carried if one.aos > aos)}
        return any(
            sum(one.aos <= at < one.los for one in carried) >= relay.relay_links for at in instants
        )

    def _meeting(self, relay: Spacecraft, aos: datetime, los: datetime) -> Iterator[Contact]:
        for one in self._contacts:
            if one.relay_id == relay.pk and one.aos < los and one.los > aos:
                yield one
