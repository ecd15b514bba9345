"""Losses by virtual channel and APID, from the sequence counts of a batch."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from telemetry.ccsds.count_ledger import CountChange, CountLedger
from telemetry.ccsds.space_packet import MAX_APID, SEQUENCE_COUNT_MODULUS
from telemetry.pipeline.packets import ReceivedPackets

_APID_BITS = MAX_APID.bit_length()
_CHANNELS = 1 << 8  # 0 stands for no channel


class LossAccounting:
    """One ledger for each station, virtual channel and APID."""

    def __init__(self) -> None:
        self._ledgers: dict[tuple[str, int, int], CountLedger] = {}

    def begin_contact(self, station: str) -> None:
        """Forget what a station was in the middle of."""
        for (name, _, _), ledger in self._ledgers.items():
            if name == station:
                ledger.forget()

    def note(self, packets: ReceivedPackets) -> dict[tuple[int, int], CountChange]:
        """Return what the packets' counts came to, by (virtual channel, APID)."""
        changes: dict[tuple[int, int], CountChange] = {}
        channels = packets.virtual_channels.astype(np.int64) + 1
        keys = (packets.stations * _CHANNELS + channels) << _APID_BITS | packets.apids
        for key, rows in _groups(keys):
            station, rest = divmod(key, _CHANNELS << _APID_BITS)
            channel, apid = divmod(rest, 1 << _APID_BITS)
            name = packets.station_names[station]
            ledger = self._ledgers.setdefault(
                (name, channel - 1, apid), CountLedger(SEQUENCE_COUNT_MODULUS)
            )
            times = packets.generated_us[rows] if packets.has_own_time[rows].all() else None
            change = ledger.note(packets.sequence_counts[rows], times)
            known = changes.setdefault((channel - 1, apid), CountChange())
            known.add(change)
        return changes


def _groups(
    keys: npt.NDArray[np.int64],
) -> list[tuple[int, npt.NDArray[np.intp]]]:
    """Return each different key with the rows that have it, in their order."""
    order = np.argsort(keys, kind="stable")
    edges = np.flatnonzero(np.diff(keys[order])) + 1
    parts = np.split(order, edges) if len(keys) else []
    return [(int(keys[rows[0]]), rows) for rows in parts]
