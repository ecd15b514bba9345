"""Where packets are missing, by the counts of those that are there."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
import numpy.typing as npt

from missioncontrol.fleet.models import Spacecraft
from telemetry.ccsds.space_packet import SEQUENCE_COUNT_MODULUS
from telemetry.selectors.archives import archive_reader, instant

MAX_GAPS: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Packets of one APID that are not in the archive, between two that are."""

    apid: int
    after: datetime  # generation time of the last packet before it
    before: datetime  # and of the first after it
    missing: int  # modulo 16,384


@dataclass(frozen=True, slots=True, kw_only=True)
class ApidCounts:
    """What the archive has of one APID in an interval, and what is missing in it."""

    apid: int
    packets: int  # each counted once
    repeats: int
    gaps: int
    missing: int
    newest_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketAccount:
    """Packets by APID, and the gaps between them by time."""

    apids: list[ApidCounts]
    gaps: list[Gap]


def packet_gaps(
    spacecraft: Spacecraft, *, start: datetime, end: datetime, limit: int = MAX_GAPS
) -> list[Gap]:
    """Return the gaps between packets generated from *start* to before *end*, by time.

    The first *limit* of them are returned.

    Late packets that filled a gap have filled it; a step back of the count is a new
    beginning of the counter, and no gap.
    """
    return packet_account(spacecraft, start=start, end=end).gaps[:limit]


def packet_account(spacecraft: Spacecraft, *, start: datetime, end: datetime) -> PacketAccount:
    """Return what is there and what is missing of packets generated in an interval."""
    parts: dict[int, list[npt.NDArray[np.int64]]] = defaultdict(list)
    with archive_reader(spacecraft) as reader:
        for rows in reader.rows_between(spacecraft=spacecraft.name, start=start, end=end):
            timed = np.stack([rows.generated_us, rows.sequence_counts.astype(np.int64)])
            for apid in np.unique(rows.apids).tolist():
                parts[apid].append(timed[:, rows.apids == apid])
    counts: list[ApidCounts] = []
    gaps: list[Gap] = []
    for apid, own in sorted(parts.items()):
        timed = np.concatenate(own, axis=1)
        timed = timed[:, np.lexsort(timed[::-1])]
        found = _gaps_of(apid, timed)
        repeats = int(_is_repeat(timed).sum())
        gaps += found
        counts.append(
            ApidCounts(
                apid=apid,
                packets=timed.shape[1] - repeats,
                repeats=repeats,
                gaps=len(found),
                missing=sum(gap.missing for gap in found),
                newest_at=instant(timed[0, -1]),
            )
        )
    return PacketAccount(apids=counts, gaps=sorted(gaps, key=lambda gap: gap.after))


def _is_repeat(timed: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Say of each packet but the first, in order, whether it is the one before it again."""
    same: npt.NDArray[np.bool_] = (np.diff(timed, axis=1) == 0).all(axis=0)
    return same


def _gaps_of(apid: int, timed: npt.NDArray[np.int64]) -> list[Gap]:
    times_us, counts = timed
    missing = (np.diff(counts) - 1) % SEQUENCE_COUNT_MODULUS
    # The same packet again has a step of nothing, which is no long step back.
    is_gap = (missing > 0) & (missing < SEQUENCE_COUNT_MODULUS // 2) & ~_is_repeat(timed)
    return [
        Gap(
            apid=apid,
            after=instant(times_us[place]),
            before=instant(times_us[place + 1]),
            missing=int(missing[place]),
        )
        for place in np.flatnonzero(is_gap).tolist()
    ]
