"""State on disk: JSON files that are replaced whole, so that a kill leaves the old or the new."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)


class StateFile:
    """One JSON object in one file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)

    def load(self) -> dict[str, Any] | None:
        """Return what was saved last; None at the first start.

        A file that cannot be read is put aside under another name, with a warning.
        """
        try:
            value = json.loads(self._path.read_text())
        except FileNotFoundError:
            return None
        except ValueError:
            aside = self._path.with_suffix(".unreadable")
            self._path.replace(aside)
            logger.warning("%s cannot be read; it is now %s", self._path, aside.name)
            return None
        return value if isinstance(value, dict) else None

    def save(self, value: dict[str, Any]) -> None:
        """Replace the file's content."""
        temporary = self._path.with_suffix(".new")
        temporary.write_text(json.dumps(value, separators=(",", ":")))
        os.replace(temporary, self._path)
