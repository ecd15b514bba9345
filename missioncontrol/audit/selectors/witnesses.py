"""How the members' witnesses stand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from missioncontrol.audit.models import Witness
from missioncontrol.audit.selectors.log import (
    latest_checkpoint,
    published_quorum,
    published_size,
    settled_quorum,
    settled_size,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessState:
    """How one active witness stands."""

    name: str
    organisation: str
    url: str
    size: int  # the largest checkpoint that it cosigned here
    behind: int  # entries published since
    last_seen_at: datetime | None  # mission time of its last good answer
    fault: str  # of the last time it was asked; empty when that went well


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessBoard:
    """Who cosigns, who is away, and how far that lets the log's entries count."""

    witnesses: list[WitnessState]
    away: list[str]  # names of those that gave no good answer when last asked
    published_quorum: int  # 0: the log's own signature is enough
    settled_quorum: int
    signed_size: int  # entries under the newest checkpoint, cosigned or not
    published_size: int
    settled_size: int


def witness_board() -> WitnessBoard:
    """Return how the active witnesses stand, by name."""
    newest = latest_checkpoint()
    signed = 0 if newest is None else newest.size
    rows = list(Witness.objects.filter(active=True).order_by("name"))
    return WitnessBoard(
        witnesses=[
            WitnessState(
                name=row.name,
                organisation=row.organisation,
                url=row.url,
                size=row.cosigned_size,
                behind=signed - row.cosigned_size,
                last_seen_at=row.last_seen_at,
                fault=row.last_error,
            )
            for row in rows
        ],
        away=[row.name for row in rows if row.last_error or row.last_seen_at is None],
        published_quorum=published_quorum(),
        settled_quorum=settled_quorum(),
        signed_size=signed,
        published_size=published_size(),
        settled_size=settled_size(),
    )


def retired_witnesses() -> list[Witness]:
    """Return the witnesses that are asked no longer, the last registered first."""
    return list(Witness.objects.filter(active=False).order_by("-pk"))
