"""What an authenticator app shows, computed from the standards, not by the product's library."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time

PERIOD_S = 30


def one_time_code(secret: str, *, periods_ahead: int = 0) -> str:
    """Return the six digits for a secret in base 32 (RFC 4226, RFC 6238 with SHA-1)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    counter = int(time.time()) // PERIOD_S + periods_ahead
    digest = hmac.new(key, counter.to_bytes(8, "big"), hashlib.sha1).digest()
    offset = digest[-1] & 0xF
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"
