"""How many octets may go up now: one budget for commands, files and retransmissions.

Over-driving an uplink loses frames on board and never ends in repairs, so
everything that is radiated draws on one budget. The rate is that of mission
time: a rehearsal that runs thirty times as fast radiates thirty times as fast.
"""

from __future__ import annotations

_OCTET_BITS = 8


class LinkPacer:
    """A bucket that fills at the link's rate; what does not fit waits.

    A CLTU is sent whole when there is any credit, and the debt is paid before
    the next one, so that the rate holds whatever the CLTUs' lengths are.
    """

    def __init__(self, *, rate_bps: float, burst_s: float = 0.5) -> None:
        """Make a full bucket.

        Args:
            rate_bps: The link's rate, bits in a mission second.
            burst_s: How much unused time is kept as credit, mission seconds at
                a factor of 1 and as many more as mission time runs faster, for
                the sender wakes by the wall clock.
        """
        self._rate_octets_s = rate_bps / _OCTET_BITS
        self._burst_s = burst_s
        self._credit_octets = self._rate_octets_s * burst_s
        self._refilled_at_s: float | None = None

    def ready_octets(self, *, wall_s: float, factor: float) -> int:
        """Return how many octets may be sent now, 0 while a debt is paid.

        Args:
            wall_s: A monotonic clock, seconds.
            factor: Mission seconds in a wall second.
        """
        elapsed_s = 0.0 if self._refilled_at_s is None else wall_s - self._refilled_at_s
        self._refilled_at_s = wall_s
        most = self._rate_octets_s * self._burst_s * max(1.0, factor)
        earned = self._rate_octets_s * elapsed_s * factor
        self._credit_octets = min(most, self._credit_octets + earned)
        return max(0, int(self._credit_octets))

    def spend(self, octets: int) -> None:
        """Take *octets* that were sent off the credit."""
        self._credit_octets -= octets
