"""A round of questions to providers: what is due is claimed, asked, and the answers noted.

Questions go out side by side in threads that never touch the database; no
transaction is open meanwhile. A round that is killed leaves reservations that
are asked for again under the same token.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from django.conf import settings
from django.db import IntegrityError

from missioncontrol.reservations import services
from missioncontrol.reservations.models import Reservation
from missioncontrol.reservations.providers.configuration import ConfiguredProviders
from missioncontrol.reservations.providers.interface import (
    Provider,
    ProviderContact,
    ProviderUnavailableError,
    ReservationRefusedError,
    WantedContact,
)
from missioncontrol.reservations.selectors import is_left_alone
from missioncontrol.scheduling.services import MAX_HORIZON

SIDE_BY_SIDE: Final = 8
BATCH: Final = 64

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Given:
    contact: ProviderContact


@dataclass(frozen=True, slots=True)
class _GivenBack:
    pass


@dataclass(frozen=True, slots=True)
class _Refused:
    reason: str


@dataclass(frozen=True, slots=True)
class _Unknown:
    fault: str
    retry_after_s: float | None

    def not_before(self, wall_at: datetime) -> datetime | None:
        if self.retry_after_s is None:
            return None
        return wall_at + timedelta(seconds=self.retry_after_s)


_Outcome = _Given | _GivenBack | _Refused | _Unknown


def ask_providers(*, now: Callable[[], datetime], wall_now: Callable[[], datetime]) -> int:
    """Ask for what is due, until nothing is.

    Args:
        now: Mission time.
        wall_now: The machine's time.

    Returns:
        How many questions were asked.
    """
    asked = 0
    begun_at = wall_now()  # what fails in this round is left to the next
    with (
        closing(ConfiguredProviders()) as providers,
        ThreadPoolExecutor(SIDE_BY_SIDE, "station-providers") as threads,
    ):
        ask = partial(_ask, providers=providers, silent={})
        while claimed := services.claim_reservations(wall_at=begun_at, limit=BATCH):
            outcomes = list(zip(claimed, threads.map(ask, claimed), strict=True))
            for row, outcome in outcomes:
                _note(row, outcome, at=now(), wall_at=wall_now())
            _note_standings(outcomes, wall_at=wall_now())
            asked += len(claimed)
    return asked


def compare_with_providers(
    *, now: Callable[[], datetime], wall_now: Callable[[], datetime]
) -> int:
    """Hold each provider's list against the rows; one that gives none is left for later.

    Returns:
        How many reservations differ.
    """
    return sum(
        _compare(name, now=now, wall_now=wall_now)
        for name in settings.STATION_PROVIDERS
        if not is_left_alone(name, wall_at=wall_now())
    )


def _compare(name: str, *, now: Callable[[], datetime], wall_now: Callable[[], datetime]) -> int:
    at, asked_at = now(), wall_now()
    until = at + MAX_HORIZON  # nothing is booked further ahead
    try:
        with closing(ConfiguredProviders()) as providers:
            listed = providers.of(name).contacts(at, until)
    except ProviderUnavailableError as fault:
        logger.warning("%s gives no list of our contacts: %s", name, fault)
        _note_standing(name, _unknown(fault), wall_at=wall_now())
        return 0
    _note_standing(name, None, wall_at=wall_now())
    return services.compare_list(
        provider=name,
        listed=listed,
        until=until,
        asked_at=asked_at,
        at=now(),
        wall_at=wall_now(),
    )


def _ask(
    row: Reservation, *, providers: ConfiguredProviders, silent: dict[str, _Unknown]
) -> _Outcome:
    """Ask about one reservation; a provider that gave no answer is left alone for this round."""
    if row.provider in silent:
        return silent[row.provider]
    provider = providers.of(row.provider)
    try:
        if row.state == Reservation.State.CANCELLING:
            _give_back(provider, row)
            return _GivenBack()
        return _Given(provider.reserve(_wanted(row)))
    except ReservationRefusedError as refusal:
        return _Refused(str(refusal))
    except ProviderUnavailableError as fault:
        silent[row.provider] = _unknown(fault)
        return silent[row.provider]


def _unknown(fault: ProviderUnavailableError) -> _Unknown:
    return _Unknown(str(fault), fault.retry_after_s)


def _wanted(row: Reservation) -> WantedContact:
    contact = row.contact
    assert contact is not None  # only what we wanted is asked for
    return WantedContact(
        token=row.token,
        satellite=row.satellite,
        ground_station=contact.antenna.station.name,
        antenna=row.antenna,
        begins=row.begins,
        ends=row.ends,
        pre_pass_s=max(contact.pre_pass_s, contact.antenna.setup_s),
        post_pass_s=max(contact.post_pass_s, contact.antenna.teardown_s),
    )


def _give_back(provider: Provider, row: Reservation) -> None:
    if row.provider_contact_id:
        provider.cancel(row.provider_contact_id)
        return
    # Its answer was lost: if it is there, it is found by its token.
    for one in provider.contacts(row.begins, row.ends):
        if one.token == row.token:
            provider.cancel(one.contact_id)


def _note(row: Reservation, outcome: _Outcome, *, at: datetime, wall_at: datetime) -> None:
    match outcome:
        case _Given(contact):
            try:
                services.note_answer(reservation_id=row.pk, found=contact, at=at, wall_at=wall_at)
            except IntegrityError:
                fault = f"It gives the contact_id {contact.contact_id} to two of our contacts."
                services.note_fault(reservation=row, fault=fault, not_before=None, wall_at=wall_at)
        case _GivenBack():
            services.note_cancelled(reservation_id=row.pk, at=at)
        case _Refused(reason):
            services.note_refusal(reservation_id=row.pk, reason=reason, at=at)
        case _Unknown(fault):
            logger.warning("%s: %s", row, fault)
            services.note_fault(
                reservation=row,
                fault=fault,
                not_before=outcome.not_before(wall_at),
                wall_at=wall_at,
            )


def _note_standings(
    outcomes: Sequence[tuple[Reservation, _Outcome]], *, wall_at: datetime
) -> None:
    """Note how each provider took it; one that left a single question open has a fault."""
    faults: dict[str, _Unknown | None] = {}
    for row, outcome in outcomes:
        silent = outcome if isinstance(outcome, _Unknown) else None
        faults[row.provider] = faults.get(row.provider) or silent
    for provider, fault in faults.items():
        if provider in settings.STATION_PROVIDERS:  # the others are not asked
            _note_standing(provider, fault, wall_at=wall_at)


def _note_standing(provider: str, fault: _Unknown | None, *, wall_at: datetime) -> None:
    services.note_standing(
        provider=provider,
        fault=fault.fault if fault is not None else "",
        not_before=fault.not_before(wall_at) if fault is not None else None,
        wall_at=wall_at,
    )
