"""What can be done with telecommands: ask for them, release them, follow them up."""

from __future__ import annotations

from uplink.commanding.services.release import (
    record_not_radiated,
    record_radiated,
    release_telecommand,
    reserve_sequence_counts,
)
from uplink.commanding.services.requests import (
    ApprovalRefusedError,
    TelecommandRefusedError,
    approve_telecommand,
    reject_telecommand,
    submit_by_policy,
    submit_telecommand,
)
from uplink.commanding.services.verification import expire_overdue, process_verification

__all__ = [
    "ApprovalRefusedError",
    "TelecommandRefusedError",
    "approve_telecommand",
    "expire_overdue",
    "process_verification",
    "record_not_radiated",
    "record_radiated",
    "reject_telecommand",
    "release_telecommand",
    "reserve_sequence_counts",
    "submit_by_policy",
    "submit_telecommand",
]
