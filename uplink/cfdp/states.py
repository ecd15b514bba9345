"""Where each end of a transaction stands."""

from __future__ import annotations

from enum import StrEnum


class SourceState(StrEnum):
    """Where the sending end stands.

    ====================  =======================================================
    SENDING               Metadata, file data and the first EOF are being pulled
    AWAITING_EOF_ACK      EOF sent; repeats it until acknowledged
    AWAITING_FINISHED     EOF acknowledged; serves NAKs, waits for the verdict
    CANCELLING            EOF (cancel) due or sent; repeats it until acknowledged
    CANCEL_ACKNOWLEDGED   gives the peer a moment to report what it did
    EOF_SENT              class 1: everything is sent, nothing will come back
    FINISHED              closed, with the condition that was announced
    ABANDONED             closed, the peer does not answer
    ====================  =======================================================
    """

    SENDING = "SENDING"
    AWAITING_EOF_ACK = "AWAITING_EOF_ACK"
    AWAITING_FINISHED = "AWAITING_FINISHED"
    CANCELLING = "CANCELLING"
    CANCEL_ACKNOWLEDGED = "CANCEL_ACKNOWLEDGED"
    EOF_SENT = "EOF_SENT"
    FINISHED = "FINISHED"
    ABANDONED = "ABANDONED"


class DestinationState(StrEnum):
    """Where the receiving end stands.

    ================  ===========================================================
    RECEIVING         no EOF yet
    AWAITING_MISSING  EOF is here, segments or the Metadata are missing
    VERIFYING         everything is here; the runtime computes the checksum
    FINISHING         Finished due or sent; repeats it until acknowledged
    FINISHED          closed, with the verdict that was announced
    ABANDONED         closed, the peer does not answer
    ================  ===========================================================
    """

    RECEIVING = "RECEIVING"
    AWAITING_MISSING = "AWAITING_MISSING"
    VERIFYING = "VERIFYING"
    FINISHING = "FINISHING"
    FINISHED = "FINISHED"
    ABANDONED = "ABANDONED"
