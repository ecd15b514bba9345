"""Where the octets of transferred files lie: one folder, names that are ours."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Final

from django.conf import settings

_CHUNK_OCTETS: Final = 1 << 20


def path_of(stored_name: str) -> Path:
    """Return the path of a stored file.

    Raises:
        ValueError: the name leads out of the folder.
    """
    root = Path(settings.FILES_DIR).resolve()
    path = (root / stored_name).resolve()
    if not path.is_relative_to(root):
        raise ValueError(f"the stored name {stored_name!r} leads out of {root}")
    return path


def store(stored_name: str, content: bytes) -> None:
    """Write a whole file so that it is on the disk, under its name, or not there at all."""
    path = path_of(stored_name)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".new")
    with part.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(path)
    _sync_folder(path.parent)


def read(stored_name: str, offset: int = 0, length: int = -1) -> bytes:
    """Return *length* octets at *offset*; fewer where the file ends, all with -1."""
    with path_of(stored_name).open("rb") as stream:
        stream.seek(offset)
        return stream.read(length)


def write_segments(stored_name: str, segments: list[tuple[int, bytes]]) -> None:
    """Write (offset, octets) pairs into a growing file; on the disk when this returns."""
    path = path_of(stored_name)
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o640)
    try:
        for offset, data in segments:
            os.pwrite(descriptor, data, offset)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    _sync_folder(path.parent)


def sha256_of(stored_name: str) -> str:
    """Return the digest of a stored file, in hex; of nothing, where none was written."""
    digest = hashlib.sha256()
    path = path_of(stored_name)
    if path.exists():
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK_OCTETS):
                digest.update(chunk)
    return digest.hexdigest()


def remove(stored_name: str) -> None:
    """Delete a stored file, if it is there."""
    path_of(stored_name).unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
