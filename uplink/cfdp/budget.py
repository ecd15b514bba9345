"""How much one pull of PDUs may put on the link."""

from __future__ import annotations

from uplink.cfdp.codec import pdu_length
from uplink.cfdp.pdu import Pdu


class PullBudget:
    """Room for PDUs, used up as they are taken.

    One budget covers first sends, retransmissions and acknowledgements, so the
    caller's rate limiter covers them too. The room should be allowed to grow
    to ``CfdpProfile.largest_pdu_octets``: a PDU that does not fit
    whole waits for a later pull.
    """

    __slots__ = ("_count", "_octets")

    def __init__(self, *, max_octets: int, max_count: int | None = None) -> None:
        self._octets = max_octets
        self._count = max_count

    @property
    def spent(self) -> bool:
        """Whether no PDU at all can be taken any more."""
        return self._count == 0 or self._octets <= 0

    def take(self, pdu: Pdu) -> bool:
        """Use room for *pdu* and return True, or return False and use none."""
        length = pdu_length(pdu)
        if self.spent or length > self._octets:
            return False
        self._octets -= length
        if self._count is not None:
            self._count -= 1
        return True
