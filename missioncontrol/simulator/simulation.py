"""Spacecraft and stations of one mission, moved on together. No sockets, no clock."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from missioncontrol.fleet.ephemeris import OemEphemeris
from missioncontrol.fleet.mission_file import MissionFile, SpacecraftEntry
from missioncontrol.fleet.profiles import LinkProfile
from missioncontrol.orbits.elements import MeanElements
from missioncontrol.orbits.sites import Site
from missioncontrol.simulator.antenna import Antenna, Connection, ForwardSession, Session
from missioncontrol.simulator.ground_segment import GroundSegment
from missioncontrol.simulator.journal import RadiationJournal
from missioncontrol.simulator.link import Link
from missioncontrol.simulator.link_faults import FaultRates, LinkFaults
from missioncontrol.simulator.spacecraft import Spacecraft, SpacecraftSetup
from missioncontrol.stationlink.messages import Cltu, Hello

# A clock that was set back by more than this begins another stretch of time; by
# less, everything waits until it has caught up.
_SET_BACK: Final = timedelta(minutes=10)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _GroundOf:
    """The ground as one spacecraft meets it."""

    ground: GroundSegment
    spacecraft: str

    def link(self, at: datetime) -> Link:
        return self.ground.link(self.spacecraft, at)

    def hear(self, frame: bytes, at: datetime) -> None:
        self.ground.hear(self.spacecraft, frame, at)


class Simulation:
    """Everything that is simulated, from its state folder on."""

    def __init__(
        self,
        *,
        mission: MissionFile,
        folder: Path,
        at: datetime,
        rates: FaultRates | None = None,
        seed: int = 0,
    ) -> None:
        self.at = at
        self._rng = random.Random(seed)  # noqa: S311  # noise and link faults, no secret
        self._setups = list(setups_of(mission, folder, at))
        self._spacecraft = self._launch(at)
        elements = {setup.name: setup.elements for setup in self._setups}
        self.ground = GroundSegment(
            antennas=antennas_of(mission, elements),
            uplink_rates_bps={
                setup.name: setup.link_profile.tc.rate_bps for setup in self._setups
            },
            journal=RadiationJournal(folder / "journal"),
            faults=LinkFaults(rates or FaultRates(), self._rng),
            receive_cltu=self._receive_cltu,
        )

    def _launch(self, at: datetime) -> dict[str, Spacecraft]:
        return {setup.name: Spacecraft(setup, at=at, rng=self._rng) for setup in self._setups}

    def advance(self, at: datetime) -> None:
        """Live through the time up to *at*; a clock that was set back is waited for."""
        if at < self.at - _SET_BACK:
            self._go_back_to(at)
        if at <= self.at:
            return
        for spacecraft in self._spacecraft.values():
            spacecraft.advance(at, _GroundOf(self.ground, spacecraft.name))
        self.ground.advance(at)
        self.at = at

    def _go_back_to(self, at: datetime) -> None:
        """Continue at an earlier time with everything as it is now."""
        logger.warning("mission time was set back from %s to %s", self.at, at)
        self.ground.close_all("the mission clock was set back", at)
        self.close()
        self._spacecraft = self._launch(at)
        self.at = at

    def open(self, hello: Hello, connection: Connection, at: datetime) -> Session | None:
        """Answer a client's HELLO."""
        return self.ground.open(hello, connection, max(at, self.at))

    def take_cltu(self, session: ForwardSession, cltu: Cltu, at: datetime) -> None:
        """Take a CLTU from a client."""
        self.ground.take_cltu(session, cltu, max(at, self.at))

    def _receive_cltu(self, spacecraft: str, octets: bytes, at: datetime) -> None:
        self._spacecraft[spacecraft].receive_cltu(octets, at)

    def save(self) -> None:
        """Save the state of every spacecraft."""
        for spacecraft in self._spacecraft.values():
            spacecraft.save()

    def close(self) -> None:
        """Save, and end what works in the background."""
        for spacecraft in self._spacecraft.values():
            spacecraft.close()


def setups_of(mission: MissionFile, folder: Path, at: datetime) -> Iterator[SpacecraftSetup]:
    """Yield the spacecraft that can be flown: those with frames and file delivery.

    Raises:
        ValueError: One has no ephemeris in force.
    """
    for entry in mission.spacecraft:
        profile, cfdp = entry.link_profile, entry.cfdp_profile
        if not isinstance(profile, LinkProfile) or cfdp is None:
            logger.warning("%s uses no transfer frames or no CFDP; not simulated", entry.name)
            continue
        yield SpacecraftSetup(
            name=entry.name,
            ccsds_id=entry.ccsds_id,
            link_profile=profile,
            cfdp_profile=cfdp,
            telecommands=entry.telecommands,
            dictionary=mission.attachment(entry.telemetry_dictionary),
            elements=elements_of(entry, at),
            folder=folder / entry.name,
        )


def elements_of(entry: SpacecraftEntry, at: datetime) -> MeanElements:
    """Return the elements that the simulated spacecraft flies by: those in force at *at*.

    Raises:
        ValueError: All are disabled or expired; a table of states does not count.
    """
    in_force = [
        one
        for one in entry.ephemerides
        if not isinstance(one, OemEphemeris)
        and one.enabled
        and (one.expires_at is None or one.expires_at > at)
    ]
    if not in_force:
        raise ValueError(f"{entry.name} has no elements that are enabled and in force at {at}.")
    # Of equal priorities the last one counts.
    return max(reversed(in_force), key=lambda one: one.priority).mean_elements()


def antennas_of(mission: MissionFile, elements: dict[str, MeanElements]) -> Iterable[Antenna]:
    """Yield every antenna of the mission that is reached through the simulator."""
    for station in mission.stations:
        site = Site(
            name=station.name,
            latitude_deg=station.latitude_deg,
            longitude_deg=station.longitude_deg,
            height_m=station.height_m,
            mask_deg=station.mask_deg,
            horizon_mask=tuple((azimuth, mask) for azimuth, mask in station.horizon_mask),
        )
        for antenna in station.antennas:
            if antenna.link == "simulator":
                yield Antenna(
                    name=antenna.name, station=station.name, site=site, elements=elements
                )
