"""What somebody showed when they came in, looked at again while they stay.

A request is over before a right can be taken away. A live connection stays
open for hours, so it is asked every second whether what opened it still holds.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.contrib.sessions.models import Session

from missioncontrol.accounts.models import ApiToken, Membership, Operator
from missioncontrol.accounts.principals import Principal
from missioncontrol.kernel.organisations import acting_for_everybody


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A session or a token of an operator."""

    operator_id: int
    session_key: str  # empty: a token
    token_id: int | None


def credential_of(principal: Principal, *, session_key: str) -> Credential:
    """Return what *principal* came in with.

    Args:
        principal: Who asks.
        session_key: Of the session that it asks by; empty for a token.
    """
    token = principal.token
    return Credential(
        operator_id=principal.operator.pk,
        session_key=session_key if token is None else "",
        token_id=token.pk if token is not None else None,
    )


def principals_in_force(
    credentials: Collection[Credential], *, wall_at: datetime
) -> dict[Credential, Principal]:
    """Return who comes with each credential, with the rights that they have now.

    One that was signed out, revoked, has expired or belongs to a closed account
    is left out. None of them counts as freshly confirmed. It takes the same few
    queries however many are asked for.

    Args:
        credentials: What was shown.
        wall_at: Now, on the machine's clock.
    """
    operators = {
        row.pk: row
        for row in Operator.objects.filter(
            pk__in={each.operator_id for each in credentials}, is_active=True
        )
    }
    roles = _roles(operators)
    sessions = _sessions({each.session_key for each in credentials} - {""}, wall_at)
    tokens = _tokens({each.token_id for each in credentials if each.token_id}, wall_at)
    found = {}
    for each in credentials:
        operator, token = operators.get(each.operator_id), tokens.get(each.token_id)
        if operator is None or (token is None and each.session_key not in sessions):
            continue
        held = (
            role
            for role in roles[operator.pk]
            if token is None or role.organisation_id == token.organisation_id
        )
        found[each] = Principal(operator=operator, memberships=tuple(held), token=token)
    return found


def _roles(operators: Collection[int]) -> dict[int, list[Membership]]:
    roles: dict[int, list[Membership]] = {operator: [] for operator in operators}
    for row in Membership.objects.filter(operator__in=operators).select_related("organisation"):
        roles[row.operator_id].append(row)
    return roles


def _sessions(keys: Collection[str], wall_at: datetime) -> set[str]:
    if not keys:
        return set()
    rows = Session.objects.filter(session_key__in=keys, expire_date__gt=wall_at)
    return set(rows.values_list("pk", flat=True))


def _tokens(keys: Collection[int], wall_at: datetime) -> dict[int | None, ApiToken]:
    if not keys:
        return {}
    with acting_for_everybody():  # all that are shown to this process, whoever shows them
        rows = ApiToken.objects.select_related("organisation").filter(
            pk__in=keys, revoked_at=None, expires_at__gt=wall_at
        )
        return {row.pk: row for row in rows}
