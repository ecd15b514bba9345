"""What a member remembers of a log: the last checkpoint that it verified."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from typing import Final

from missioncontrol.audit.merkle.checkpoint import SignedCheckpoint, open_checkpoint
from missioncontrol.audit.merkle.keys import VerifierKey
from missioncontrol.audit.merkle.succession import LogHead
from missioncontrol.client.durable_files import make_folder, write_file

_CHECKPOINT_FILE: Final = "checkpoint"
_KEYS_FILE: Final = "keys"


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
        return open_checkpoint(
            octets, origin=self._origin, log_keys=[self._key, *self._followed()]
        )

    def _followed(self) -> list[VerifierKey]:
        """Return the keys that the log was followed to before."""
        try:
            text = (self.folder / _KEYS_FILE).read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        return [VerifierKey.from_vkey(line) for line in text.splitlines()]

    def keep(self, head: LogHead) -> None:
        """Remember *head*, which was verified and continues what was kept before."""
        make_folder(self.folder)
        others = [key.to_vkey() for key in head.keys if key != self._key]
        if others:  # before the checkpoint, which one of them may have signed
            write_file(self.folder / _KEYS_FILE, "".join(f"{each}\n" for each in others).encode())
        write_file(self.folder / _CHECKPOINT_FILE, head.signed.note.format())

    def keep_evidence(self, head: SignedCheckpoint) -> Path:
        """Store a signed checkpoint that contradicts the one kept; return its file."""
        make_folder(self.folder)
        checkpoint = head.checkpoint
        file = self.folder / f"evidence-{checkpoint.size}-{checkpoint.root[:8].hex()}"
        write_file(file, head.note.format())
        return file
