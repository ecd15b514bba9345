"""Checks the webhooks that a receiver gets, with nothing but the standard library.

Source: Standard Webhooks 1.0.0, "Verifying signatures".
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from missioncontrol.webhooks.signature import (
    ID_HEADER,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    signature,
)

TOLERANCE: Final = timedelta(minutes=5)


class WebhookRefusedError(ValueError):
    """Do not believe this message; answer 400."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedWebhook:
    """A message that is from whom it says, and fresh."""

    id: str  # the same for each attempt: keep it, and do not act on one twice
    sent_at: datetime
    event: dict[str, Any]


def verify_webhook(
    secret: str, headers: Mapping[str, str], body: bytes, *, now: datetime
) -> ReceivedWebhook:
    """Return what a message says, after it held.

    While a secret is being changed messages are signed with the old and the new
    one: either is enough here.

    Args:
        secret: As it was shown when the webhook was made, or its secret rotated.
        headers: Of the request; names in upper or lower case.
        body: Of the request, octet for octet as it came.
        now: The receiver's clock. A copy of an old message is refused.

    Raises:
        WebhookRefusedError: it is not signed with *secret*, or too old.
        SecretError: *secret* is none.
    """
    given = {name.lower(): value for name, value in headers.items()}
    message_id, timestamp, signatures = (
        _required(given, name) for name in (ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER)
    )
    sent_at = _checked_time(timestamp, now=now)
    expected = signature(secret, message_id=message_id, timestamp_s=int(timestamp), body=body)
    # All are compared, in constant time: how long it takes says nothing about a forgery.
    matching = [
        hmac.compare_digest(each.encode(), expected.encode()) for each in signatures.split(" ")
    ]
    if not any(matching):
        raise WebhookRefusedError(
            f"The message {message_id} is not signed with this secret: it is from somebody else, "
            "was changed on the way, or the secret was rotated."
        )
    return ReceivedWebhook(id=message_id, sent_at=sent_at, event=json.loads(body))


def _required(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name, "")
    if not value:
        raise WebhookRefusedError(f"The request has no header {name}; it is no webhook of ours.")
    return value


def _checked_time(timestamp: str, *, now: datetime) -> datetime:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 12):
        raise WebhookRefusedError(f"{TIMESTAMP_HEADER} is {timestamp[:20]!r}, no POSIX time.")
    sent_at = datetime.fromtimestamp(int(timestamp), UTC)
    if abs(now - sent_at) > TOLERANCE:
        raise WebhookRefusedError(
            f"The message was signed at {sent_at:%Y-%m-%d %H:%M:%SZ}, here it is "
            f"{now.astimezone(UTC):%H:%M:%SZ}; {TOLERANCE.seconds // 60} minutes are allowed. It "
            "is a copy of an old one, or one of the two clocks is wrong."
        )
    return sent_at
