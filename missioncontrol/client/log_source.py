"""Where a log is read from: its folder, or a server of it."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from missioncontrol.audit.log_folder import LogFolder, MissingFileError
from missioncontrol.audit.merkle.keys import VerifierKey
from missioncontrol.audit.merkle.succession import LogHead, open_head
from missioncontrol.audit.merkle.tiles import EntryBundle, Tile
from missioncontrol.client.errors import UsageError
from missioncontrol.client.http_log import HttpLog


class LogSource(Protocol):
    """Reads the files of one log. ``LogFolder`` and ``HttpLog`` are such."""

    def read_checkpoint(self) -> bytes | None:
        """Return the signed note, or None where there is none."""

    def read_announcement(self, key: VerifierKey) -> bytes | None:
        """Return what *key* said of its successor, or None where there is nothing."""

    def read_tile(self, tile: Tile) -> bytes:
        """Return a tile's octets, or raise ``MissingFileError``."""

    def read_bundle(self, bundle: EntryBundle) -> bytes:
        """Return a bundle's octets, or raise ``MissingFileError``."""


def open_source(text: str, *, token: str | None = None) -> LogSource:
    """Return the log at *text*, a folder or an http(s) address.

    Args:
        text: As given on the command line.
        token: What a server is shown.

    Raises:
        UsageError: Neither; or the token would travel in the clear.
    """
    if "://" in text:
        return HttpLog(text, token=token)
    path = Path(text)
    if not path.is_dir():
        raise UsageError(
            f"{text} is not a folder. Give the folder of a log, or its address "
            "(https://.../log), below which tile/ and checkpoint lie."
        )
    return LogFolder(path)


def read_head(source: LogSource, *, key: VerifierKey, origin: str) -> LogHead:
    """Return the log's checkpoint as now published, after its signature held.

    Raises:
        MissingFileError: There is none.
        VerificationError: It is not a checkpoint of *origin* signed by *key*, or
            by a key that announcements lead to from there.
    """
    octets = source.read_checkpoint()
    if octets is None:
        raise MissingFileError("There is no checkpoint: not a log, or one before its first start.")
    return open_head(octets, origin=origin, key=key, read_announcement_of=source.read_announcement)
