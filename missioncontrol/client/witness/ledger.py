"""What a witness must never forget: the last checkpoint of each log that it cosigned.

A witness without its ledger could be led to cosign a second history. So a
ledger is made once, with its key, and never again for that key; and only one
process works with it at a time.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final

from missioncontrol.audit.log_folder import announcement_path
from missioncontrol.audit.merkle.keys import VerifierKey
from missioncontrol.client.durable_files import make_folder, write_file
from missioncontrol.client.errors import UsageError

_OWNER_FILE: Final = "witness"
_LOCK_FILE: Final = "lock"
# Only what a trusted log signed is kept; a log gone mad must not fill the disk.
MAX_EVIDENCE_FILES: Final = 100


class Ledger:
    """The folder of one witness. Callers hold one lock for each log."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def create(self, owner: VerifierKey) -> None:
        """Make the ledger of a new key.

        Raises:
            UsageError: There is one already.
        """
        make_folder(self.folder)
        if (self.folder / _OWNER_FILE).exists():
            raise UsageError(f"{self.folder} is the ledger of a witness already.")
        write_file(self.folder / _OWNER_FILE, f"{owner.to_vkey()}\n".encode())

    @contextmanager
    def opened(self, owner: VerifierKey) -> Iterator[None]:
        """Hold the ledger for this process, whose key must be the one it was made for.

        Raises:
            UsageError: No ledger, another key's, or another process holds it.
        """
        try:
            written = (self.folder / _OWNER_FILE).read_text(encoding="utf-8").strip()
        except FileNotFoundError as error:
            raise UsageError(
                f"{self.folder} is not the ledger of a witness. Name the folder that `mc witness "
                "init` made. If it is lost, retire this key and make a new one: a witness that "
                "forgot what it cosigned can be led to cosign a fork."
            ) from error
        if written != owner.to_vkey():
            raise UsageError(f"{self.folder} is the ledger of {written}, not of this key.")
        with (self.folder / _LOCK_FILE).open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise UsageError(f"Another process works with {self.folder}.") from error
            yield

    def read(self, origin: str) -> bytes | None:
        """Return the signed note cosigned last, or None where there is none."""
        try:
            return self._file(origin).read_bytes()
        except FileNotFoundError:
            return None

    def keep(self, origin: str, note: bytes) -> None:
        """Store the note; when this returns it has reached the disk."""
        write_file(self._file(origin), note)

    def keep_evidence(self, origin: str, request: bytes) -> None:
        """Store a request that the log signed and that contradicts its history."""
        folder = self._file(origin).with_suffix(".evidence")
        make_folder(folder)
        if len(list(folder.iterdir())) < MAX_EVIDENCE_FILES:
            write_file(folder / sha256(request).hexdigest()[:32], request)

    def read_announcement(self, key: VerifierKey) -> bytes | None:
        """Return what a log's key said of its successor, or None where it was not taken over."""
        try:
            return (self.folder / announcement_path(key.key_id.hex())).read_bytes()
        except FileNotFoundError:
            return None

    def keep_announcement(self, key: VerifierKey, octets: bytes) -> None:
        """Store what a log's key said of its successor."""
        file = self.folder / announcement_path(key.key_id.hex())
        make_folder(file.parent)
        write_file(file, octets)

    def _file(self, origin: str) -> Path:
        return self.folder / f"{sha256(origin.encode()).hexdigest()}.checkpoint"
