"""Why a transfer frame was rejected, whatever its protocol."""

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


class FrameError(ValueError):
    """The octets are not a valid transfer frame of this channel."""

    def __init__(self, *, fault: FrameFault, reason: str) -> None:
        self.fault = fault
        self.reason = reason
        super().__init__(reason)
