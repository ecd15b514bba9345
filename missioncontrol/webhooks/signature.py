"""The signature of a webhook, for who sends it and for who receives it.

Source: Standard Webhooks 1.0.0, "Signature scheme" and "Webhook headers".
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Final

ID_HEADER: Final = "webhook-id"
TIMESTAMP_HEADER: Final = "webhook-timestamp"
SIGNATURE_HEADER: Final = "webhook-signature"

SECRET_MARK: Final = "whsec_"  # noqa: S105  # what every secret begins with
SECRET_OCTETS: Final = 32
_LEAST_OCTETS: Final = 24
_MOST_OCTETS: Final = 64
_VERSION: Final = "v1"  # HMAC-SHA256


class SecretError(ValueError):
    """This is no secret of a webhook."""


def write_secret(octets: bytes) -> str:
    """Return a secret as it is shown: marked, in base64."""
    return SECRET_MARK + base64.b64encode(octets).decode()


def read_secret(secret: str) -> bytes:
    """Return the octets of a secret.

    Raises:
        SecretError: it is none; the text does not repeat it.
    """
    try:
        octets = base64.b64decode(secret.removeprefix(SECRET_MARK), validate=True)
    except ValueError as error:
        raise SecretError(f"A webhook's secret is {SECRET_MARK} and base64.") from error
    if not _LEAST_OCTETS <= len(octets) <= _MOST_OCTETS:
        raise SecretError(
            f"This secret has {len(octets)} octets; a webhook's has {_LEAST_OCTETS} to "
            f"{_MOST_OCTETS}."
        )
    return octets


def signature(secret: str, *, message_id: str, timestamp_s: int, body: bytes) -> str:
    """Return a message's signature as it stands in the header.

    Args:
        secret: As it is shown.
        message_id: The header ``webhook-id``; it has no full stop.
        timestamp_s: The header ``webhook-timestamp``: POSIX time of this attempt.
        body: What is sent, octet for octet.

    Raises:
        SecretError: *secret* is none.
    """
    signed = f"{message_id}.{timestamp_s}.".encode() + body
    digest = hmac.new(read_secret(secret), signed, hashlib.sha256).digest()
    return f"{_VERSION},{base64.b64encode(digest).decode()}"
