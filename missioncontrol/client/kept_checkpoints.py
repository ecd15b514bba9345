"""What a member remembers of a log: the last checkpoint that it verified."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from typing import Final

from missioncontrol.audit.merkle.checkpoint import SignedCheckpoint, open_checkpoint
from missioncontrol.audit.merkle.keys import VerifierKey
from missioncontrol.client.durable_files import make_folder, write_file

_CHECKPOINT_FILE: Final = "checkpoint"


def data_folder() -> Path:
    """Return where this user's programs keep data (XDG base directories)."""
    chosen = os.environ.get("XDG_DATA_HOME")
    home = Path(chosen) if chosen else Path.home() / ".local" / "share"
    return home / "missioncontrol"


class KeptCheckpoint:
    """The memory of one log, in a folder of its own."""

    def __init__(self, state: Path, *, key: VerifierKey, origin: str) -> None:
        log = sha256(f"{origin}\n{key.to_vkey()}".encode()).hexdigest()[:16]
        self.folder = state / log
        self._key = key
        self._origin = origin

    def read(self) -> SignedCheckpoint | None:
        """Return what was kept, or None at the first meeting.

        Raises:
            VerificationError: The file was changed since.
        """
        try:
            octets = (self.folder / _CHECKPOINT_FILE).read_bytes()
        except FileNotFoundError:
            return None
        return open_checkpoint(octets, origin=self._origin, log_keys=[self._key])

    def keep(self, head: SignedCheckpoint) -> None:
        """Remember *head*, which was verified and continues what was kept before."""
        make_folder(self.folder)
        write_file(self.folder / _CHECKPOINT_FILE, head.note.format())

    def keep_evidence(self, head: SignedCheckpoint) -> Path:
        """Store a signed checkpoint that contradicts the one kept; return its file."""
        make_folder(self.folder)
        checkpoint = head.checkpoint
        file = self.folder / f"evidence-{checkpoint.size}-{checkpoint.root[:8].hex()}"
        write_file(file, head.note.format())
        return file
