"""What a station radiated, contact by contact, kept on disk.

One file for each contact, one JSON array a line: ``["epoch", 3]`` or
``["item", 17]``. Lines are only ever added, and before they are reported.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_CONTACTS_KEPT: Final = 500


@dataclass(slots=True)
class _Contact:
    epoch: int = 0  # the highest seen
    items: dict[int, None] = field(default_factory=dict)  # in the order they were radiated


class RadiationJournal:
    """The journal of all antennas of this ground segment."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._contacts: dict[int, _Contact] = {}
        by_age = sorted(folder.glob("*.jsonl"), key=lambda path: path.stat().st_mtime)
        for path in by_age[:-_CONTACTS_KEPT]:
            path.unlink()

    def radiated(self, contact: int) -> tuple[int, ...]:
        """Return the items radiated in a contact, in their order."""
        return tuple(self._contact(contact).items)

    def has(self, contact: int, item: int) -> bool:
        return item in self._contact(contact).items

    def add(self, contact: int, item: int) -> None:
        """Note that an item was radiated."""
        self._contact(contact).items[item] = None
        self._append(contact, "item", item)

    def highest_epoch(self, contact: int) -> int:
        return self._contact(contact).epoch

    def note_epoch(self, contact: int, epoch: int) -> None:
        """Note an epoch; only a higher one changes anything."""
        known = self._contact(contact)
        if epoch > known.epoch:
            known.epoch = epoch
            self._append(contact, "epoch", epoch)

    def _append(self, contact: int, kind: str, number: int) -> None:
        with self._path(contact).open("a") as file:
            file.write(json.dumps([kind, number]) + "\n")

    def _contact(self, contact: int) -> _Contact:
        if contact not in self._contacts:
            self._contacts[contact] = self._load(contact)
        return self._contacts[contact]

    def _load(self, contact: int) -> _Contact:
        loaded = _Contact()
        path = self._path(contact)
        for line in path.read_text().splitlines() if path.exists() else []:
            try:
                kind, number = json.loads(line)
            except ValueError:
                continue  # the last line, cut off by a kill; it was never reported
            if kind == "epoch":
                loaded.epoch = max(loaded.epoch, number)
            else:
                loaded.items[number] = None
        return loaded

    def _path(self, contact: int) -> Path:
        return self._folder / f"{contact}.jsonl"
