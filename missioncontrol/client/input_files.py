"""Files that a user names on the command line."""

from __future__ import annotations

from pathlib import Path

from missioncontrol.client.errors import UsageError


def read_input(file: Path, *, limit: int) -> bytes:
    """Return the file's octets, at most *limit*.

    Raises:
        UsageError: It cannot be read, or is longer.
    """
    try:
        with file.open("rb") as stream:
            octets = stream.read(limit + 1)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from error
    if len(octets) > limit:
        raise UsageError(f"{file} is longer than {limit} octets, the limit here.")
    return octets
