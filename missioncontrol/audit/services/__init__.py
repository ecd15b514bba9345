"""What can be done with the consortium log: append to it, put it in order, have it witnessed."""

from __future__ import annotations

from missioncontrol.audit.services.append import (
    Actor,
    PublicFact,
    append_entries,
    append_entry,
)
from missioncontrol.audit.services.collecting import (
    collecting_before_commit,
    collecting_entries,
    still_standing,
)
from missioncontrol.audit.services.key_rotation import (
    RotationRefusedError,
    announce_log_key,
    retire_log_key,
)
from missioncontrol.audit.services.openings import ErasureRefusedError, erase_opening
from missioncontrol.audit.services.sequencing import (
    MAX_BATCH,
    LogRefusedError,
    sequence_entries,
)
from missioncontrol.audit.services.witness_rounds import WitnessRounds
from missioncontrol.audit.services.witnesses import (
    WitnessRefusedError,
    register_witness,
    retire_witness,
)

__all__ = [
    "MAX_BATCH",
    "Actor",
    "ErasureRefusedError",
    "LogRefusedError",
    "PublicFact",
    "RotationRefusedError",
    "WitnessRefusedError",
    "WitnessRounds",
    "announce_log_key",
    "append_entries",
    "append_entry",
    "collecting_before_commit",
    "collecting_entries",
    "erase_opening",
    "register_witness",
    "retire_log_key",
    "retire_witness",
    "sequence_entries",
    "still_standing",
]
