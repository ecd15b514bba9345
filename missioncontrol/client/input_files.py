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


def read_secret(file: Path, *, limit: int) -> bytes:
    """Return the octets of a file that its owner alone can read.

    Raises:
        UsageError: It cannot be read, is longer than *limit*, or open to others.
    """
    octets = read_input(file, limit=limit)
    if file.stat().st_mode & 0o077:
        raise UsageError(f"{file} can be read by others. Run: chmod 600 {file}")
    return octets
