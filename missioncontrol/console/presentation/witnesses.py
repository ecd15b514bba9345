"""The members' witnesses as a picture and in words: who cosigns, and what that lets count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from missioncontrol.accounts.models import Organisation
from missioncontrol.audit.selectors import WitnessBoard, WitnessState


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessRow:
    """One active witness; ``state`` is cosigning, behind, away or never."""

    name: str
    organisation: str
    url: str
    size: int
    behind: int
    last_seen_at: datetime | None
    fault: str
    state: str
    status: str  # how that is drawn


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """A member's place in the picture; the furthest stand first."""

    x: int
    label: str  # its number
    title: str  # whose, and how it stands
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """How many must have cosigned: a line in the picture behind that seat."""

    x: int
    needed: int
    name: str
    reached: bool  # by the newest checkpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class QuorumPicture:
    """The seats in one row, and the lines that the quorums draw."""

    width: int
    seats: list[Seat]
    thresholds: list[Threshold]


SEAT_WIDTH = 40
_STATUS_OF = {"cosigning": "normal", "behind": "caution", "away": "serious", "never": "standby"}


def witness_rows(board: WitnessBoard, *, names: Mapping[str, str]) -> list[WitnessRow]:
    """Return the active witnesses, the furthest first; *names* are of members, by slug."""
    rows = [_row(each, names) for each in board.witnesses]
    return sorted(rows, key=lambda row: (-row.size, row.state == "away", row.organisation))


def _row(state: WitnessState, names: Mapping[str, str]) -> WitnessRow:
    word = _word(state)
    return WitnessRow(
        name=state.name,
        organisation=names.get(state.organisation, state.organisation),
        url=state.url,
        size=state.size,
        behind=state.behind,
        last_seen_at=state.last_seen_at,
        fault=state.fault,
        state=word,
        status=_STATUS_OF[word],
    )


def _word(state: WitnessState) -> str:
    if state.fault:
        return "away"
    if state.last_seen_at is None:
        return "never"
    return "behind" if state.behind else "cosigning"


def picture(
    board: WitnessBoard, rows: Sequence[WitnessRow], missing: Sequence[Organisation]
) -> QuorumPicture:
    """Return the seats of all members, those without a witness last."""
    seats = [
        Seat(
            x=place * SEAT_WIDTH,
            label=str(place + 1),
            title=f"{row.organisation}: {row.state}, {row.size} of {board.signed_size} entries",
            status=row.status,
        )
        for place, row in enumerate(rows)
    ]
    seats += [
        Seat(
            x=place * SEAT_WIDTH,
            label=str(place + 1),
            title=f"{member.name}: has registered no witness",
            status="off",
        )
        for place, member in enumerate(missing, start=len(rows))
    ]
    cosigned = sum(row.behind == 0 for row in rows)
    lines = [("published", board.published_quorum), ("settled", board.settled_quorum)]
    width = max(len(seats), board.settled_quorum) * SEAT_WIDTH
    return QuorumPicture(
        width=width,
        seats=seats,
        thresholds=[
            Threshold(
                x=needed * SEAT_WIDTH - 2,
                needed=needed,
                name=name,
                reached=cosigned >= needed,
            )
            for name, needed in lines
            if needed
        ],
    )


def in_words(board: WitnessBoard, rows: Sequence[WitnessRow], members: int) -> list[str]:
    """Return what the board shows, in sentences."""
    if not rows:
        return [
            "No member has registered a witness. What counts is what the log itself has signed, "
            "so members must trust the operator not to show them different histories."
        ]
    cosigned = sum(row.behind == 0 for row in rows)
    told = [
        f"{len(rows)} of {members} members run a witness; {cosigned} "
        f"{'has' if cosigned == 1 else 'have'} cosigned the newest "
        f"checkpoint, of {board.signed_size} entries."
    ]
    if not board.published_quorum:
        return [
            *told,
            "This installation demands no quorum (AUDIT_PUBLISHED_QUORUM): entries count with the "
            "log's own signature, and cosignatures are collected beside it.",
        ]
    return [
        *told,
        _quorum_words("Published", board.published_quorum, cosigned),
        _quorum_words("Settled", board.settled_quorum, cosigned),
    ]


def _quorum_words(name: str, needed: int, cosigned: int) -> str:
    if cosigned >= needed:
        spare = cosigned - needed
        more = f"{spare} more may go away" if spare else "none more may go away"
        return f"{name} takes {needed}: it has them, and {more}."
    missing = needed - cosigned
    return f"{name} takes {needed}: {missing} {'is' if missing == 1 else 'are'} missing."
