from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from django.db import transaction

from missioncontrol.accounts.models import Operator, Organisation
from missioncontrol.accounts.policy import Action, require
from missioncontrol.audit.services import append_entry
from missioncontrol.fleet.models import Spacecraft
from missioncontrol.scheduling.models import ContactRequest
from missioncontrol.scheduling.services.errors import RequestRefusedError
from missioncontrol.scheduling.solver.problem import HIGHEST_PRIORITY, LOWEST_PRIORITY

_MAX_COUNT: Final = 1000
_MAX_DURATION_S: Final = 86_400
_MAX_VALUE: Final = 1e9  # beyond it a plan's objective loses its last digits


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestTerms:
    """What is asked for; see ``solver/problem.py`` for what it is worth.

    Without ``maximum_count`` the least count is enough.
    """

    kind: ContactRequest.Kind
    earliest: datetime
    deadline: datetime
    latest: datetime | None = None
    priority: int = 3
    minimum_duration_s: int = 0
    minimum_count: int = 1
    maximum_count: int | None = None
    value: float = 100.0
    value_per_s: float = 0.0
    missing_cost: float = 1000.0


@transaction.atomic
def request_contact(
    *,
    organisation: Organisation,
    spacecraft: Spacecraft,
    terms: RequestTerms,
    actor: Operator,
    at: datetime,
) -> ContactRequest:
    """Ask for contacts of a spacecraft; the next plan looks for them.

    Raises:
        NotPermittedError: no role of *actor* grants it for *organisation*.
        RequestRefusedError: the terms cannot be met by any plan, or contradict themselves.
    """
    require(actor, Action.CONTACT_REQUEST_MANAGE, organisation)
    if not spacecraft.active:
        raise RequestRefusedError(
            f"{spacecraft} is retired; ask for contacts of one that the mission flies."
        )
    faults = [*_faults(terms, at)]
    if faults:
        raise RequestRefusedError(" ".join(faults))
    if terms.maximum_count is None:
        terms = replace(terms, maximum_count=max(1, terms.minimum_count))
    request = ContactRequest.objects.create(
        organisation=organisation,
        spacecraft=spacecraft,
        asked_by=actor,
        asked_at=at,
        **{name: getattr(terms, name) for name in RequestTerms.__dataclass_fields__},
    )
    _log(
        "contact_request.submit",
        request,
        actor,
        at,
        private={
            "earliest": terms.earliest.isoformat(),
            "deadline": terms.deadline.isoformat(),
            "priority": terms.priority,
            "minimum_count": terms.minimum_count,
            "value": terms.value,
        },
    )
    return request


@transaction.atomic
def withdraw_request(*, request_id: int, actor: Operator, at: datetime) -> ContactRequest:
    """Ask no longer; contacts that are booked for it stay booked.

    Raises:
        ContactRequest.DoesNotExist: no such request.
        NotPermittedError: no role of *actor* grants it.
        RequestRefusedError: it was withdrawn before.
    """
    request = ContactRequest.objects.select_for_update().get(pk=request_id)
    require(actor, Action.CONTACT_REQUEST_MANAGE, request.organisation)
    if request.state != ContactRequest.State.OPEN:
        raise RequestRefusedError(
            f"Contact request {request.pk} was withdrawn at {request.withdrawn_at:%Y-%m-%d %H:%MZ}"
            " already."
        )
    request.state = ContactRequest.State.WITHDRAWN
    request.withdrawn_at = at
    request.save(update_fields=["state", "withdrawn_at"])
    _log("contact_request.withdraw", request, actor, at)
    return request


def _faults(terms: RequestTerms, at: datetime) -> Iterator[str]:
    if terms.deadline <= max(terms.earliest, at):
        yield (
            f"The deadline {terms.deadline:%Y-%m-%dT%H:%M:%SZ} must be after the earliest begin "
            f"{terms.earliest:%Y-%m-%dT%H:%M:%SZ} and after mission time {at:%Y-%m-%dT%H:%M:%SZ}."
        )
    if terms.latest is not None and not terms.earliest <= terms.latest < terms.deadline:
        yield (
            f"The latest begin {terms.latest:%Y-%m-%dT%H:%M:%SZ} must lie between the earliest "
            "and the deadline."
        )
    if not HIGHEST_PRIORITY <= terms.priority <= LOWEST_PRIORITY:
        yield (
            f"The priority is {terms.priority}; it goes from {HIGHEST_PRIORITY}, the highest, to "
            f"{LOWEST_PRIORITY}."
        )
    if not 0 <= terms.minimum_duration_s <= _MAX_DURATION_S:
        yield (
            f"The minimum duration is {terms.minimum_duration_s} s; 0 to {_MAX_DURATION_S} s are "
            "allowed."
        )
    yield from _count_faults(terms)
    for name in ("value", "value_per_s", "missing_cost"):
        figure = getattr(terms, name)
        if not (math.isfinite(figure) and 0.0 <= figure <= _MAX_VALUE):
            yield f"{name} is {figure}; 0 to {_MAX_VALUE:g} are allowed."


def _count_faults(terms: RequestTerms) -> Iterator[str]:
    if not 0 <= terms.minimum_count <= _MAX_COUNT:
        yield f"The minimum count is {terms.minimum_count}; 0 to {_MAX_COUNT} are allowed."
    least = max(1, terms.minimum_count)
    if terms.maximum_count is not None and not least <= terms.maximum_count <= _MAX_COUNT:
        yield f"The maximum count is {terms.maximum_count}; {least} to {_MAX_COUNT} are allowed."


def _log(
    action: str,
    request: ContactRequest,
    actor: Operator,
    at: datetime,
    private: dict[str, object] | None = None,
) -> None:
    append_entry(
        action=action,
        subject=f"contact_request:{request.pk}",
        actor=actor,
        at=at,
        organisation=request.organisation.slug,
        details={"spacecraft": request.spacecraft.name, "kind": request.kind},
        private=private,
        readers=[request.spacecraft.organisation.slug],
    )
