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


def packet_gaps(
    spacecraft: Spacecraft, *, start: datetime, end: datetime, limit: int = MAX_GAPS
) -> list[Gap]:
    """Return the gaps between packets generated from *start* to before *end*, by time.

    The first *limit* of them are returned.

    Late packets that filled a gap have filled it; a step back of the count is a new
    beginning of the counter, and no gap.
    """
    parts: dict[int, list[npt.NDArray[np.int64]]] = defaultdict(list)
    with archive_reader(spacecraft) as reader:
        for rows in reader.rows_between(spacecraft=spacecraft.name, start=start, end=end):
            timed = np.stack([rows.generated_us, rows.sequence_counts.astype(np.int64)])
            for apid in np.unique(rows.apids).tolist():
                parts[apid].append(timed[:, rows.apids == apid])
    gaps: list[Gap] = []
    for apid, own in parts.items():
        gaps += _gaps_of(apid, np.concatenate(own, axis=1))
    return sorted(gaps, key=lambda gap: gap.after)[:limit]


def _gaps_of(apid: int, timed: npt.NDArray[np.int64]) -> list[Gap]:
    times_us, counts = timed[:, np.lexsort(timed[::-1])]
    missing = (np.diff(counts) - 1) % SEQUENCE_COUNT_MODULUS
    # The same packet again has a step of nothing, which is no long step back.
    repeats = (np.diff(counts) == 0) & (np.diff(times_us) == 0)
    places = np.flatnonzero((missing > 0) & (missing < SEQUENCE_COUNT_MODULUS // 2) & ~repeats)
    return [
        Gap(
            apid=apid,
            after=instant(times_us[place]),
            before=instant(times_us[place + 1]),
            missing=int(missing[place]),
        )
        for place in places.tolist()
    ]
