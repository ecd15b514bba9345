"""How the supervised processes are: the supervisor tells it on the broker, others read it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from missioncontrol.kernel import broker

PROCESSES_KEY: Final = "supervisor"  # a hash: process name -> JSON
# The supervisor tells every two seconds; longer silence means that it is gone.
SILENT_AFTER: Final = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessState:
    """One supervised process as it was last told; ``seen`` is on the machine's clock."""

    name: str
    state: str
    pid: int | None
    restarts: int
    last_exit: int | None
    seen: datetime


def tell_processes(states: Iterable[ProcessState]) -> None:
    """Note how the processes are.

    Raises:
        RedisError: the broker is away.
    """
    for each in states:
        row = {**asdict(each), "seen": each.seen.isoformat(timespec="seconds")}
        name = row.pop("name")
        broker.connection().hset(PROCESSES_KEY, name, json.dumps(row))


def told_processes() -> list[ProcessState]:
    """Return how the processes were when the supervisor last told; none where none runs.

    Raises:
        RedisError: the broker is away.
    """
    rows: Any = broker.connection().hgetall(PROCESSES_KEY)
    return [_read(name.decode(), json.loads(row)) for name, row in rows.items()]


def _read(name: str, row: dict[str, Any]) -> ProcessState:
    return ProcessState(**{**row, "name": name, "seen": datetime.fromisoformat(row["seen"])})
