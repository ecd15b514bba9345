"""What a pass needs of the rest of the product, and where a test puts its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from django.conf import settings

from missioncontrol.fleet.models import Antenna, Spacecraft
from missioncontrol.fleet.profiles import LinkProfile
from missioncontrol.scheduling.leases import Lease
from missioncontrol.scheduling.models import Contact
from missioncontrol.stationlink.addresses import station_address
from telemetry.streams import ClcwReader, StreamedClcw
from uplink.commanding.services import process_verification
from uplink.jobs.services import advance_jobs
from uplink.transfers.runtime import TransferRuntime


class ClcwSource(Protocol):
    """The CLCWs as telemetry receives them."""

    def read(self, *, block_ms: int) -> list[StreamedClcw]:
        """Return what came since the last call, waiting at most *block_ms* for the first."""
        ...


class Transfers(Protocol):
    """The file entity of one spacecraft."""

    def next_packets(self, at: datetime, max_octets: int) -> list[bytes]: ...

    def receive(self, at: datetime) -> int: ...

    def suspend(self, at: datetime) -> None: ...


class Pusher(Protocol):
    """A service that brings rows on and says how many it changed."""

    def __call__(self, *, spacecraft: Spacecraft, at: datetime) -> int: ...


def _read_clcws(spacecraft: Spacecraft) -> ClcwSource:
    return ClcwReader(spacecraft.pk)


def _verify(*, spacecraft: Spacecraft, at: datetime) -> int:
    return process_verification(spacecraft=spacecraft, at=at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """The doors out of a pass."""

    clcw_source: Callable[[Spacecraft], ClcwSource] = _read_clcws
    transfers: Callable[[Spacecraft, datetime], Transfers] = TransferRuntime
    advance_jobs: Pusher = advance_jobs
    process_verification: Pusher = _verify
    simulator_address: str = field(default_factory=lambda: settings.SIMULATOR_ADDRESS)


@dataclass(frozen=True, slots=True)
class PassSubject:
    """Which pass: the contact and all that is fixed for it."""

    contact: Contact
    lease: Lease
    profile: LinkProfile
    simulator_address: str

    @classmethod
    def of(cls, contact: Contact, lease: Lease, surroundings: Surroundings) -> PassSubject:
        """Return the pass of *contact*, its spacecraft's link profile read."""
        return cls(
            contact,
            lease,
            # As JSON: its rules let a date be a string.
            LinkProfile.model_validate_json(json.dumps(contact.spacecraft.link_profile)),
            surroundings.simulator_address,
        )

    def address_of(self, antenna: Antenna) -> tuple[str, int]:
        """Return where the station of *antenna* listens; ValueError: its link is no address."""
        return station_address(antenna.link_url, simulator_address=self.simulator_address)

    @property
    def spacecraft(self) -> Spacecraft:
        return self.contact.spacecraft

    @property
    def epoch(self) -> int:
        return self.lease.epoch
