"""Why a transfer frame, or a packet, was rejected, whatever the protocol."""

from __future__ import annotations

from enum import StrEnum


class FrameFault(StrEnum):
    """The key that the archive of bad frames counts by."""

    LENGTH = "length"
    VERSION = "version"
    FECF = "fecf"
    OCF_FLAG = "ocf_flag"
    SECONDARY_HEADER = "secondary_header"
    HEADER_ERROR_CONTROL = "header_error_control"
    REED_SOLOMON = "reed_solomon"
    SPACECRAFT = "spacecraft"
    NO_PACKETS = "no_packets"
    REPEATED = "repeated"
    FIRST_HEADER_POINTER = "first_header_pointer"
    PACKET_VERSION = "packet_version"
    PARTIAL_PACKET = "partial_packet"
    PACKET = "packet"
    UNDECODED = "undecoded"  # a whole packet that the dictionary does not fit
    BITSTREAM_POINTER = "bitstream_pointer"


class FrameError(ValueError):
    """The octets are not a valid transfer frame of this channel."""

    def __init__(self, *, fault: FrameFault, reason: str) -> None:
        self.fault = fault
        self.reason = reason
        super().__init__(reason)
