"""A round of questions to providers: what is due is claimed, asked, and the answers noted.

Questions go out side by side in threads that never touch the database; no
transaction is open meanwhile. A round that is killed leaves reservations that
are asked for again under the same token.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
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
            for row, outcome in zip(claimed, threads.map(ask, claimed), strict=True):
                _note(row, outcome, at=now(), wall_at=wall_now())
            asked += len(claimed)
    return asked


def compare_with_providers(
    *, now: Callable[[], datetime], wall_now: Callable[[], datetime]
) -> int:
    """Hold each provider's list against the rows; one that gives none is left for later.

    Returns:
        How many reservations differ.
    """
    changed = 0
    for name in settings.STATION_PROVIDERS:
        at, asked_at = now(), wall_now()
        until = at + MAX_HORIZON  # nothing is booked further ahead
        try:
            with closing(ConfiguredProviders()) as providers:
                listed = providers.of(name).contacts(at, until)
        except ProviderUnavailableError as fault:
            logger.warning("%s gives no list of our contacts: %s", name, fault)
            continue
        changed += services.compare_list(
            provider=name,
            listed=listed,
            until=until,
            asked_at=asked_at,
            at=now(),
            wall_at=wall_now(),
        )
    return changed


def _ask(row: Reservation, *, providers: ConfiguredProviders, silent: dict[str, str]) -> _Outcome:
    """Ask about one reservation; a provider that gave no answer is left alone for this round."""
    if row.provider in silent:
        return _Unknown(silent[row.provider])
    provider = providers.of(row.provider)
    try:
        if row.state == Reservation.State.CANCELLING:
            _give_back(provider, row)
            return _GivenBack()
        return _Given(provider.reserve(_wanted(row)))
    except ReservationRefusedError as refusal:
        return _Refused(str(refusal))
    except ProviderUnavailableError as fault:
        silent[row.provider] = str(fault)
        return _Unknown(str(fault))


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
                services.note_fault(reservation=row, fault=fault, wall_at=wall_at)
        case _GivenBack():
            services.note_cancelled(reservation_id=row.pk, at=at)
        case _Refused(reason):
            services.note_refusal(reservation_id=row.pk, reason=reason, at=at)
        case _Unknown(fault):
            logger.warning("%s: %s", row, fault)
            services.note_fault(reservation=row, fault=fault, wall_at=wall_at)
