"""For programs of tests: die before a given step of all that reach disk or database."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path

from django.conf import settings
from django.db import connection, connections


class Steps:
    """Counts what reaches the disk or the database, and dies before one of them."""

    def __init__(self, *, fatal: int) -> None:
        self.fatal = fatal
        self.taken = 0

    def watch_all(self) -> None:
        """Count every kind of step that the log takes."""
        for name in ("open", "fsync", "replace"):
            self.watch(os, name)
        self.watch(shutil, "rmtree")
        self.watch(Path, "mkdir")
        self.watch(type(connections["default"]), "commit")

    def watch(self, place: object, name: str) -> None:
        original = getattr(place, name)

        def stepped(*arguments, **named):
            self.taken += 1
            if self.taken == self.fatal:
                os.kill(os.getpid(), signal.SIGKILL)
            return original(*arguments, **named)

        setattr(place, name, stepped)


def in_child(action) -> bool:
    """Run *action* in a process of its own; tell whether it came to its end."""
    connection.close()
    child = os.fork()
    if not child:
        try:
            action()
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    _pid, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return False
    if os.WEXITSTATUS(status):
        sys.exit("it failed instead of being killed, or did not recover")
    return True


class Beginnings:
    """Gives each trial the same state to begin from: a database and a log's folder."""

    def __init__(self, folder: Path, fill) -> None:
        self._folder = folder
        self._file = Path(connection.settings_dict["NAME"])
        self._fresh = self._file.with_name("fresh.sqlite3")
        self._fill = fill

    def begin(self, trial: int) -> None:
        connection.close()
        kept = self._folder / "log-fresh"
        if not self._fresh.exists():
            settings.LOG_DIR = kept
            self._fill()
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.close()
            shutil.copy(self._file, self._fresh)
        for leftover in self._file.parent.glob(f"{self._file.name}*"):
            leftover.unlink()
        shutil.copy(self._fresh, self._file)
        settings.LOG_DIR = self._folder / f"log-{trial}"
        if kept.exists():
            shutil.copytree(kept, settings.LOG_DIR)
