"""The spacecraft's mass memory: files by name, parts of files by transaction."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

CAPACITY_OCTETS: Final = 512 << 20
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class FileStore:
    """Three folders: ``files`` (whole, by name), ``incoming`` and ``outgoing`` (by number)."""

    def __init__(self, folder: Path, *, capacity_octets: int = CAPACITY_OCTETS) -> None:
        self._capacity_octets = capacity_octets
        self._files = folder / "files"
        self._incoming = folder / "incoming"
        self._outgoing = folder / "outgoing"
        for place in (self._files, self._incoming, self._outgoing):
            place.mkdir(parents=True, exist_ok=True)
        self._used_octets = sum(
            _octets_of(path)
            for place in (self._files, self._incoming, self._outgoing)
            for path in place.iterdir()
        )

    @property
    def used_fraction(self) -> float:
        """How full the memory is, with what the flight software itself takes."""
        return min(1.0, 0.061 + self._used_octets / self._capacity_octets)

    def accepts(self, name: str, size_octets: int) -> bool:
        """Return whether a file of that name and size may come aboard."""
        free = self._capacity_octets - self._used_octets
        return _NAME.fullmatch(name) is not None and size_octets <= free

    def write_part(self, key: str, offset: int, data: bytes) -> None:
        """Write octets of a file that is arriving."""
        path = self._incoming / key
        with path.open("r+b" if path.exists() else "w+b") as file:
            before = file.seek(0, 2)
            file.seek(offset)
            file.write(data)
            self._used_octets += max(0, file.tell() - before)

    def read_part(self, key: str, offset: int, length: int) -> bytes:
        """Return octets of a file that is arriving; a file of no octets was never written."""
        return _read(self._incoming / key, offset, length)

    def finish_part(self, key: str, name: str) -> None:
        """Give an arrived file its name; an earlier one of that name is replaced.

        The part stays, as a second name of the same octets: whoever is killed
        before it has noted that the file is whole will read it again.
        """
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no file name of this store")
        part, link, target = (
            self._incoming / key,
            self._incoming / f"{key}.name",
            self._files / name,
        )
        part.touch()
        link.unlink(missing_ok=True)
        link.hardlink_to(part)
        if target.exists():
            self._used_octets -= _octets_of(target)
        link.replace(target)
        link.unlink(missing_ok=True)  # replacing a name of the same octets leaves both

    def discard_part(self, key: str) -> None:
        """Forget what has arrived of a file; a file that has its name stays."""
        self._remove(self._incoming / key)

    def read_file(self, name: str) -> bytes | None:
        """Return a whole file; None when it is not on board."""
        path = self._files / name
        return path.read_bytes() if _NAME.fullmatch(name) and path.exists() else None

    def keep_outgoing(self, key: str, content: bytes) -> None:
        """Keep a file until it has been sent; under its own key, for it must not change."""
        temporary = self._outgoing / f"{key}.new"
        temporary.write_bytes(content)
        temporary.replace(self._outgoing / key)
        self._used_octets += len(content)

    def has_outgoing(self, key: str) -> bool:
        """Return whether a file that is being sent is there."""
        return (self._outgoing / key).exists()

    def read_outgoing(self, key: str, offset: int, length: int) -> bytes:
        """Return octets of a file that is being sent."""
        return _read(self._outgoing / key, offset, length)

    def discard_outgoing(self, key: str) -> None:
        """Forget a file that was sent."""
        self._remove(self._outgoing / key)

    def _remove(self, path: Path) -> None:
        if path.exists():
            self._used_octets -= _octets_of(path)
            path.unlink()


def _octets_of(path: Path) -> int:
    """Return what removing *path* would free: nothing while it has another name."""
    status = path.stat()
    return status.st_size if status.st_nlink == 1 else 0


def _read(path: Path, offset: int, length: int) -> bytes:
    if not path.exists():
        return b""
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(length)
