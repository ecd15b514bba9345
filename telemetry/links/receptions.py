"""One reception for each spacecraft in this process, whoever has something for it.

A contact and an input may deliver at the same time; the archive has one writer.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from missioncontrol.fleet.models import Spacecraft
from telemetry.services import TelemetryReception


@dataclass(slots=True)
class SharedReception:
    """A reception that several threads use in turn, each holding the lock."""

    reception: TelemetryReception
    lock: threading.RLock = field(default_factory=threading.RLock)
    users: int = 0


_opening: Final = threading.Lock()
_open: Final[dict[int, SharedReception]] = {}


@contextmanager
def shared_reception(spacecraft: Spacecraft) -> Iterator[SharedReception]:
    """Give the reception of a spacecraft; it is closed when the last user leaves.

    Raises:
        ArchiveLockedError: another process receives this spacecraft now.
    """
    with _opening:
        shared = _open.get(spacecraft.pk)
        if shared is None:
            shared = _open[spacecraft.pk] = SharedReception(TelemetryReception(spacecraft))
        shared.users += 1
    try:
        yield shared
    finally:
        with _opening:
            shared.users -= 1
            if not shared.users:
                del _open[spacecraft.pk]
                shared.reception.__exit__()
