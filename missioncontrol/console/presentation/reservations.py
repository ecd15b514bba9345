"""Reservations at station providers, and how it stands with these, as the page shows them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from missioncontrol.accounts.models import Organisation
from missioncontrol.reservations.models import Reservation
from missioncontrol.reservations.selectors import ProviderOverview

_STATE = Reservation.State
# With these, what was said of the last question still matters.
_WAITING: Final = (_STATE.SCHEDULING, _STATE.CANCELLING)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderRow:
    """A provider; times are of the machine's clock."""

    slug: str
    name: str
    status: str
    word: str
    answered_at: datetime | None
    fault: str
    silent_since: datetime | None
    next_attempt_at: datetime | None  # None: nothing waits for an answer
    left_alone: bool  # until then, as it asked
    counts: list[tuple[int, str]]  # how many, in which state


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservationRow:
    """A reservation in the table."""

    pk: int
    provider: str
    provider_contact_id: str
    satellite: str
    antenna: str
    begins: datetime
    ends: datetime
    status: str
    word: str
    state: str
    said: str  # the provider's reason, or why it gave no answer
    contact: int | None
    may_give_back: bool


def provider_rows(
    overviews: Iterable[ProviderOverview], *, wall_at: datetime
) -> list[ProviderRow]:
    """Return providers in the order given."""
    names = dict(Organisation.objects.values_list("slug", "name"))
    return [_provider(each, names, wall_at) for each in overviews]


def reservation_rows(
    reservations: Sequence[Reservation], *, may_give_back: bool, at: datetime
) -> list[ReservationRow]:
    """Return reservations in the order given."""
    return [_reservation(each, may_give_back, at) for each in reservations]


def _provider(overview: ProviderOverview, names: dict[str, str], wall_at: datetime) -> ProviderRow:
    standing = overview.standing
    status, word = _how_it_stands(overview)
    not_before = _still_to_come(standing.not_before, wall_at) if standing is not None else None
    return ProviderRow(
        slug=overview.provider,
        name=names.get(overview.provider, overview.provider),
        status=status,
        word=word,
        answered_at=standing.answered_at if standing is not None else None,
        fault=standing.fault if standing is not None else "",
        silent_since=standing.silent_since if standing is not None else None,
        next_attempt_at=overview.next_attempt_at or not_before,
        left_alone=not_before is not None,
        counts=[
            (overview.counts[state], str(state.label))
            for state in Reservation.State
            if state in overview.counts
        ],
    )


def _still_to_come(instant: datetime | None, wall_at: datetime) -> datetime | None:
    return instant if instant is not None and instant > wall_at else None


def _how_it_stands(overview: ProviderOverview) -> tuple[str, str]:
    if not overview.configured:
        return "off", "not asked"
    if overview.standing is None:
        return "standby", "not asked yet"
    return ("serious", "no answer") if overview.standing.fault else ("normal", "answers")


def _reservation(row: Reservation, may_give_back: bool, at: datetime) -> ReservationRow:
    to_come = row.ends > at
    unknown_held = row.contact_id is None and row.state == _STATE.SCHEDULED and to_come
    waits = row.state in _WAITING and bool(row.fault)
    return ReservationRow(
        pk=row.pk,
        provider=row.provider,
        provider_contact_id=row.provider_contact_id,
        satellite=row.satellite,
        antenna=row.antenna,
        begins=row.begins,
        ends=row.ends,
        status="caution" if unknown_held or waits else row.state,
        word="held" if unknown_held else str(row.get_state_display()),
        state=row.state,
        said=row.fault if waits else row.reason,
        contact=row.contact_id,
        may_give_back=unknown_held and may_give_back,
    )
