"""A witness that looks by itself whether a log has announced its next key."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from typing import Final

from missioncontrol.audit.merkle.errors import VerificationError
from missioncontrol.client.errors import UndecidedError
from missioncontrol.client.log_source import LogSource
from missioncontrol.client.witness.witness import Witness

# Both keys of a log sign for days, so nothing hangs on a minute.
EVERY_S: Final = 60.0


def follow_keys(
    witness: Witness, sources: Sequence[LogSource], *, stop: threading.Event | None = None
) -> None:
    """Look once a minute, until stopped; say what was found, and each new trouble once.

    Whatever happens here keeps nobody from being served.
    """
    stop = stop or threading.Event()
    told: set[str] = set()
    while True:
        for source in sources:
            told |= _look(witness, source, told)
        if stop.wait(EVERY_S):
            return


def _look(witness: Witness, source: LogSource, told: set[str]) -> set[str]:
    try:
        for key in witness.log_keys():
            octets = source.read_announcement(key)
            successor = None if octets is None else witness.follow(key, octets)
            if successor is not None:
                print(f"log {key.name}: follows to the key {successor.to_vkey()}", flush=True)
    except (VerificationError, UndecidedError, OSError) as fault:
        text = f"mc: looking for the log's next key: {fault}"
        if text not in told:
            print(text, file=sys.stderr, flush=True)
        return {text}
    return set()
