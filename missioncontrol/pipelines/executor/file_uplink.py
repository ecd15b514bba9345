"""Packets of the file protocol on their way up, in what the link's rate leaves.

They need no intent rows: CFDP repairs its losses itself, and a PDU that comes
twice changes nothing on board.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from missioncontrol.pipelines.executor.pace import Every
from missioncontrol.pipelines.executor.station import StationService
from missioncontrol.pipelines.executor.surroundings import Transfers
from missioncontrol.stationlink.messages import CltuReport, CltuState
from uplink.links.items import Item, ItemKind
from uplink.links.uplink_channel import UplinkChannel

# More than this without a report means that the station does not keep up.
_MAX_UNREPORTED: Final = 256
_ASK_EVERY_S: Final = 0.02  # wall


@dataclass(slots=True)
class FileCounts:
    """What a pass's report tells of the file uplink."""

    packets: int = 0
    cltus: int = 0
    octets: int = 0
    radiated: int = 0
    refused: int = 0


class FileUplink:
    """Takes packets from the file entity as the station can take their CLTUs."""

    def __init__(
        self,
        *,
        epoch: int,
        channel: UplinkChannel,
        station: StationService,
        transfers: Transfers,
    ) -> None:
        self.counts = FileCounts()
        self._epoch = epoch
        self._channel = channel
        self._station = station
        self._transfers = transfers
        self._unreported = 0
        self._ask = Every(_ASK_EVERY_S)

    def begin(self) -> None:
        """Start over: the station has just granted its service anew."""
        self._unreported = 0

    def on_report(self, report: CltuReport) -> None:
        """Count what the station did with a file CLTU."""
        self._unreported = max(0, self._unreported - 1)
        if report.state is CltuState.RADIATED:
            self.counts.radiated += 1
        else:
            self.counts.refused += 1

    def send(self, at: datetime, budget_octets: int) -> None:
        """Send what the file entity has for now, within the budget."""
        if budget_octets <= 0 or self._unreported >= _MAX_UNREPORTED or not self._ask.is_due():
            return
        for packet in self._transfers.next_packets(at, budget_octets):
            self.counts.packets += 1
            for cltu in self._channel.file_cltus(packet):
                self._send_cltu(cltu)

    def _send_cltu(self, cltu: bytes) -> None:
        self.counts.cltus += 1
        item = Item(kind=ItemKind.FILE, number=self.counts.cltus, epoch=self._epoch)
        if self._station.send(item.encode(), cltu):
            self._unreported += 1
            self.counts.octets += len(cltu)
