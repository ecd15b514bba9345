"""What can be done with reservations. Nothing here asks a provider; ``rounds`` does."""

from __future__ import annotations

from missioncontrol.reservations.services.answers import (
    claim_reservations,
    note_answer,
    note_cancelled,
    note_fault,
    note_refusal,
)
from missioncontrol.reservations.services.comparison import compare_list
from missioncontrol.reservations.services.following import follow_contacts
from missioncontrol.reservations.services.giving_back import (
    GiveBackRefusedError,
    give_back_reservation,
)
from missioncontrol.reservations.services.standings import note_standing

__all__ = [
    "GiveBackRefusedError",
    "claim_reservations",
    "compare_list",
    "follow_contacts",
    "give_back_reservation",
    "note_answer",
    "note_cancelled",
    "note_fault",
    "note_refusal",
    "note_standing",
]
