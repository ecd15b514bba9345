"""What of a file is here, what is missing, and what of that to ask for now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from uplink.cfdp.intervals import Interval, IntervalSet
from uplink.cfdp.pdu import Nak, PduBody

_METADATA_REQUEST: Interval = (0, 0)  # section 4.6.4.2.3


class MissingData:
    """The lost-segment bookkeeping of a receiving end (section 4.6.4).

    Asking works by scope: :meth:`ask_for` notes a scope, and each NAK is made
    when it is pulled, of what is missing at that moment. A long list goes out
    in several NAKs whose scopes join.
    """

    __slots__ = ("_received", "_scope")

    def __init__(self) -> None:
        self._received = IntervalSet()
        self._scope: Interval | None = None

    @property
    def received_octets(self) -> int:
        return self._received.total

    @property
    def end(self) -> int:
        """One past the last octet received: the progress of section 4.6.1.2.7."""
        return self._received.end

    @property
    def nak_due(self) -> bool:
        return self._scope is not None

    def is_complete(self, size_octets: int) -> bool:
        return not self._received.gaps(0, size_octets, limit=1)

    def note_received(self, start: int, end: int) -> list[Interval]:
        """Note a segment and return the parts of it that are new."""
        new = self._received.gaps(start, end)
        self._received.add(start, end)
        return new

    def ask_for(self, start: int, end: int) -> None:
        """Have a NAK sent for what is missing from *start* up to *end*, and of earlier wishes."""
        if self._scope is not None:
            start, end = min(start, self._scope[0]), max(end, self._scope[1])
        self._scope = (start, end)

    def ask_no_more(self) -> None:
        self._scope = None

    def next_nak(self, *, metadata_missing: bool, large_file: bool, max_octets: int) -> Nak:
        """Return the next NAK of the scope due; :meth:`note_nak_sent` moves on."""
        start, end = self._scope or (0, 0)
        requests = [_METADATA_REQUEST] if metadata_missing and start == 0 else []
        count = _requests_in(max_octets, large_file=large_file)
        gaps = self._received.gaps(start, end, limit=count + 1 - len(requests))
        requests += gaps[: count - len(requests)]
        more = len(gaps) > 0 and requests[-1] != gaps[-1]
        return Nak(
            scope_start=start,
            scope_end=requests[-1][1] if more else end,
            requests=tuple(requests),
        )

    def note_nak_sent(self, nak: PduBody) -> None:
        if isinstance(nak, Nak) and self._scope is not None:
            end = self._scope[1]
            self._scope = (nak.scope_end, end) if nak.scope_end < end else None

    def snapshot(self) -> dict[str, Any]:
        return {
            "received": [list(interval) for interval in self._received],
            "scope": None if self._scope is None else list(self._scope),
        }

    @classmethod
    def restore(cls, snapshot: Mapping[str, Any]) -> MissingData:
        missing = cls()
        missing._received = IntervalSet((start, end) for start, end in snapshot["received"])
        if snapshot["scope"] is not None:
            start, end = snapshot["scope"]
            missing._scope = (start, end)
        return missing


def _requests_in(max_octets: int, *, large_file: bool) -> int:
    """Return how many segment requests a NAK body of *max_octets* holds.

    Two at the least, or a NAK for the Metadata could not move its scope on.
    """
    pair = 16 if large_file else 8
    return max(2, (max_octets - 1 - pair) // pair)
