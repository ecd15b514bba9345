from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db.models import Count, Min, Q, QuerySet

from missioncontrol.accounts.policy import Action
from missioncontrol.accounts.principals import Principal
from missioncontrol.reservations.models import ProviderStanding, Reservation
from missioncontrol.scheduling.models import Contact

_STATE = Reservation.State
_WAITING: Final = Q(state__in=[_STATE.SCHEDULING, _STATE.CANCELLING])
UNKNOWN: Final = Q(contact=None)  # nobody here asked for it
# ... and its provider holds it.
UNKNOWN_HELD: Final = UNKNOWN & Q(state=_STATE.SCHEDULED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderOverview:
    """How it stands with one provider. Times are of the machine's clock."""

    provider: str
    configured: bool  # the others' stations are taken as ours, and nobody is asked
    standing: ProviderStanding | None  # None: it was not asked yet
    next_attempt_at: datetime | None  # None: nothing waits for an answer
    counts: dict[Reservation.State, int]  # of what has not ended


def reservation_of(contact: Contact) -> Reservation | None:
    """Return what is reserved for a contact with its station's provider, if anything is."""
    return Reservation.objects.filter(contact=contact).first()


def reservations_seen_by(principal: Principal) -> QuerySet[Reservation]:
    """Return all reservations for who acts for the mission, for a provider those with it."""
    seen = _providers_seen_by(principal)
    return (
        Reservation.objects.all()
        if seen is None
        else Reservation.objects.filter(provider__in=seen)
    )


def unknown_held(principal: Principal, *, at: datetime) -> int:
    """Return how many that have not ended a provider holds though nobody here asked for them."""
    return reservations_seen_by(principal).filter(UNKNOWN_HELD, ends__gt=at).count()


def provider_overviews(principal: Principal, *, at: datetime) -> list[ProviderOverview]:
    """Return how it stands with the providers whose reservations *principal* may see, by name."""
    to_come = reservations_seen_by(principal).filter(ends__gt=at).order_by()
    seen = _providers_seen_by(principal)
    configured = {name for name in settings.STATION_PROVIDERS if seen is None or name in seen}
    counts: dict[str, dict[Reservation.State, int]] = {name: {} for name in configured}
    for provider, state, count in to_come.values_list("provider", "state").annotate(Count("pk")):
        counts.setdefault(provider, {})[_STATE(state)] = count
    standings = {
        each.provider: each for each in ProviderStanding.objects.filter(provider__in=configured)
    }
    due = dict(
        Reservation.objects.filter(_WAITING, provider__in=counts)
        .order_by()
        .values_list("provider")
        .annotate(Min("next_attempt_at"))
    )
    return [
        ProviderOverview(
            provider=name,
            configured=name in configured,
            standing=standings.get(name),
            next_attempt_at=_next_attempt(due.get(name), standings.get(name)),
            counts=counts[name],
        )
        for name in sorted(counts)
    ]


def is_left_alone(provider: str, *, wall_at: datetime) -> bool:
    """Return whether a provider has asked not to be asked anything before some later time."""
    return ProviderStanding.objects.filter(provider=provider, not_before__gt=wall_at).exists()


def _providers_seen_by(principal: Principal) -> list[str] | None:
    """Return the providers that *principal* may know of; None: all."""
    organisations = principal.organisations_with(Action.RESERVATION_VIEW)
    if any(each.operates_the_mission for each in organisations):
        return None
    return [each.slug for each in organisations]


def _next_attempt(due_at: datetime | None, standing: ProviderStanding | None) -> datetime | None:
    if due_at is None or standing is None or standing.not_before is None:
        return due_at
    return max(due_at, standing.not_before)
