"""The forward service of a station: CLTUs up, reports and the antenna's pointing back."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Final, Self

from missioncontrol.stationlink.messages import (
    Bye,
    Cltu,
    CltuReport,
    Hello,
    Journal,
    Service,
    Status,
    Welcome,
)
from uplink.links.connection import StationConnection
from uplink.links.pacing import LinkPacer

ANSWER_TIMEOUT_S: Final = 3.0

StationReport = CltuReport | Status | Bye


class ForwardLink:
    """A forward service that the station has granted. One thread uses it.

    What is radiated draws on one budget, ``ready_octets``; ``send_cltu`` does
    not wait, so that its caller goes on listening while a debt is paid.
    """

    def __init__(
        self,
        connection: StationConnection,
        *,
        welcome: Welcome,
        epoch: int,
        pacer: LinkPacer,
    ) -> None:
        self.welcome = welcome
        self._connection = connection
        self._epoch = epoch
        self._pacer = pacer

    @classmethod
    def connect(
        cls,
        address: tuple[str, int],
        *,
        spacecraft: str,
        antenna: str,
        contact: int,
        epoch: int,
        rate_bps: float,
        relay: str = "",
    ) -> Self:
        """Ask the station at *address* for the forward service of a contact.

        Args:
            address: Host and port.
            spacecraft: Its name.
            antenna: Its name.
            contact: Number of the contact.
            epoch: Of the executor's lease; rides on every CLTU.
            rate_bps: The uplink's rate in mission time.
            relay: Whom the station is to look at, if not the spacecraft itself.

        Raises:
            StationRefusedError: with the station's reason.
            StationUnreachableError: no connection or no answer.
        """
        hello = Hello(
            service=Service.FORWARD,
            spacecraft=spacecraft,
            antenna=antenna,
            contact=contact,
            epoch=epoch,
            relay=relay,
        )
        connection = StationConnection.open(address, hello)
        try:
            welcome = connection.answer(Welcome, timeout_s=ANSWER_TIMEOUT_S)
        except BaseException:
            connection.close()
            raise
        return cls(connection, welcome=welcome, epoch=epoch, pacer=LinkPacer(rate_bps=rate_bps))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def ready_octets(self, *, factor: float) -> int:
        """Return how many octets the link's rate allows now, at *factor* mission s in a wall s."""
        return self._pacer.ready_octets(wall_s=time.monotonic(), factor=factor)

    def send_cltu(self, item: int, octets: bytes) -> None:
        """Hand one CLTU to the station, which radiates it once and reports on *item*.

        Raises:
            StationUnreachableError: the connection broke; whether the CLTU
                was radiated is for the journal to say.
        """
        self._pacer.spend(len(octets))
        self._connection.send(Cltu(item=item, epoch=self._epoch, octets=octets))

    def poll(self, timeout_s: float) -> list[StationReport]:
        """Return what the station reports within *timeout_s*.

        Raises:
            StationUnreachableError: the connection is gone.
        """
        messages = self._connection.receive(timeout_s)
        return [m for m in messages if isinstance(m, CltuReport | Status | Bye)]

    def close(self) -> None:
        """End the service."""
        self._connection.close()


def fetch_journal(
    address: tuple[str, int], *, spacecraft: str, antenna: str, contact: int, epoch: int
) -> Journal:
    """Return which items of *contact* the station radiated.

    Raises:
        StationRefusedError: the station gives no journal of this contact.
        StationUnreachableError: no connection or no answer.
    """
    hello = Hello(
        service=Service.JOURNAL,
        spacecraft=spacecraft,
        antenna=antenna,
        contact=contact,
        epoch=epoch,
    )
    with StationConnection.open(address, hello) as connection:
        return connection.answer(Journal, timeout_s=ANSWER_TIMEOUT_S)
