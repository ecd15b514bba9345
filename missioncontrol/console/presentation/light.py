"""How the console tells sunlight, penumbra and umbra apart, and samples an orbit by them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from missioncontrol.orbits.eclipse import Shadow, ShadowSpan


def light_of(shadow: Shadow | None) -> str:
    """Return "sunlight", "penumbra" or "umbra"."""
    return shadow.value if shadow is not None else "sunlight"


def instants_of(spans: Sequence[ShadowSpan], step: timedelta) -> list[list[datetime]]:
    """Return instants in each span, evenly spaced and both ends with them."""
    return [_evenly(span.begin, span.end, step) for span in spans]


def _evenly(begin: datetime, end: datetime, step: timedelta) -> list[datetime]:
    parts = max(1, round((end - begin) / step))
    return [begin + (end - begin) * part / parts for part in range(parts + 1)]


def slices_of(groups: Sequence[Sequence[object]]) -> Iterator[slice]:
    """Yield where each group lies once all are joined into one."""
    first = 0
    for group in groups:
        yield slice(first, first + len(group))
        first += len(group)
