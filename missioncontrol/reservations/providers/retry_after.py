"""How long a provider asks to be left alone: Retry-After (RFC 9110 section 10.2.3).

Pure: a date in it is read against the Date of the same answer, so that neither
clock need be right.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

LONGEST_S: Final = 3600.0  # who asks for more is asked again all the same
_DELAY_SECONDS: Final = re.compile(r"[0-9]{1,12}")


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return for how many seconds nothing is to be asked; None where the answer does not say.

    What cannot be read says nothing, and so does a date without the answer's own.
    """
    said = headers.get("Retry-After", "").strip()
    if _DELAY_SECONDS.fullmatch(said):
        return min(float(said), LONGEST_S)
    until, sent = _instant(said), _instant(headers.get("Date", ""))
    if until is None or sent is None:
        return None
    return min(max((until - sent).total_seconds(), 0.0), LONGEST_S)


def _instant(text: str) -> datetime | None:
    try:
        read = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return read if read.tzinfo is not None else read.replace(tzinfo=UTC)
