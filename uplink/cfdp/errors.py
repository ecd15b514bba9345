"""Errors of the CFDP entity. What the sky sends wrong is a PduError; the rest is ours."""

from __future__ import annotations


class PduError(ValueError):
    """Octets received are not a PDU that this entity can read."""


class ProfileError(ValueError):
    """A CFDP profile holds a value that the protocol or this entity cannot use."""


class FileReadError(ValueError):
    """The ``read`` callable gave another number of octets than asked for."""

    def __init__(self, *, offset: int, length: int, got: int) -> None:
        super().__init__(
            f"Reading {length} octets at offset {offset} of the file to send gave {got} octets. "
            f"The file must not change during its transfer: cancel it and send the file again."
        )


class SnapshotError(ValueError):
    """A snapshot cannot be restored."""
