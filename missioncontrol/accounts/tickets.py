"""Tickets for websockets: each opens one socket, once, within half a minute.

A browser sends cookies with a websocket that another site opens, and cannot
send a header of its own. So whoever may have a socket asks for a ticket first,
by a request that other sites cannot make, and shows it in the socket's address.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from redis.exceptions import RedisError

from missioncontrol.accounts.models import Operator
from missioncontrol.accounts.principals import (
    Principal,
    principal_of_session,
    principal_of_token,
    valid_token,
)
from missioncontrol.kernel import broker
from missioncontrol.kernel.errors import RefusedError

LIFETIME_S: Final = 30
_KEY: Final = "ticket:"


class TicketRefusedError(RefusedError):
    """No ticket can be given out now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketHolder:
    """Who was given a ticket: an operator, by a session or by a token."""

    operator_id: int
    session_key: str  # empty: by a token
    token_id: int | None


def issue_ticket(principal: Principal, *, session_key: str) -> str:
    """Return a ticket for *principal*.

    Args:
        principal: Who asks.
        session_key: Of the session that it asks by; empty for a token.

    Raises:
        TicketRefusedError: the broker, which keeps tickets, is away.
    """
    ticket = secrets.token_urlsafe(24)
    holder = {
        "operator_id": principal.operator.pk,
        "session_key": session_key,
        "token_id": principal.token.pk if principal.token is not None else None,
    }
    try:
        broker.connection().set(_key(ticket), json.dumps(holder), ex=LIFETIME_S)
    except RedisError as error:
        raise TicketRefusedError(
            "The broker is away, so no live connection can be opened. Try again in a moment."
        ) from error
    return ticket


def redeem_ticket(ticket: str) -> TicketHolder | None:
    """Return who holds *ticket*, which is used up by this; None: unknown, used or too old.

    Raises:
        RedisError: the broker is away.
    """
    kept = broker.connection().getdel(_key(ticket))
    return TicketHolder(**json.loads(kept)) if kept else None


def principal_of_ticket(ticket: str, *, wall_at: datetime) -> Principal | None:
    """Return who asks by a ticket, which is used up by this; None: it opens nothing.

    Raises:
        RedisError: the broker is away.
    """
    holder = redeem_ticket(ticket) if ticket else None
    if holder is None:
        return None
    operator = Operator.objects.filter(pk=holder.operator_id, is_active=True).first()
    if operator is None:
        return None
    if holder.token_id is None:
        return principal_of_session(operator, confirmed_at=None)
    token = valid_token(holder.token_id, wall_at=wall_at)
    return None if token is None else principal_of_token(token)


def _key(ticket: str) -> str:
    # Whoever can look into the broker must not find a ticket that still opens something.
    return _KEY + hashlib.sha256(ticket.encode()).hexdigest()
