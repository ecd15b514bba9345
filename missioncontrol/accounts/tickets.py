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
from typing import Final

from redis.exceptions import RedisError

from missioncontrol.accounts.principals import Principal
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


def _key(ticket: str) -> str:
    # Whoever can look into the broker must not find a ticket that still opens something.
    return _KEY + hashlib.sha256(ticket.encode()).hexdigest()
