"""What can be done with the consortium log: append to it, and put it in order."""

from __future__ import annotations

from missioncontrol.audit.services.append import Actor, append_entry
from missioncontrol.audit.services.sequencing import (
    MAX_BATCH,
    LogRefusedError,
    sequence_entries,
)

__all__ = ["MAX_BATCH", "Actor", "LogRefusedError", "append_entry", "sequence_entries"]
