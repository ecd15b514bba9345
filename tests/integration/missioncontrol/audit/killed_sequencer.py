"""A program for tests: kills the sequencer at every step that it takes, one after another.

For each step a fresh log of 300 entries is published in two batches (they cross
the border of a tile), by a process that dies at that step. A second process
then goes on; the log must come out whole. Prints the steps that were tried.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection, connections, transaction  # noqa: E402

from missioncontrol.audit import selectors  # noqa: E402
from missioncontrol.audit.log_folder import LogFolder  # noqa: E402
from missioncontrol.audit.models import AuditEntry, Checkpoint  # noqa: E402
from missioncontrol.audit.services import append_entry, sequencing  # noqa: E402
from missioncontrol.audit.verification import verify_database  # noqa: E402

AT = datetime(2026, 12, 1, tzinfo=UTC)
ENTRIES = 300
sequencing.MAX_BATCH = 200


class Steps:
    """Counts what reaches the disk or the database, and dies before one of them."""

    def __init__(self, *, fatal: int) -> None:
        self.fatal = fatal
        self.taken = 0

    def watch(self, place: object, name: str) -> None:
        original = getattr(place, name)

        def stepped(*arguments, **named):
            self.taken += 1
            if self.taken == self.fatal:
                os.kill(os.getpid(), signal.SIGKILL)
            return original(*arguments, **named)

        setattr(place, name, stepped)


def sequence_all() -> None:
    while sequencing.sequence_entries(at=AT):
        pass


def watched_run(fatal: int) -> None:
    steps = Steps(fatal=fatal)
    for name in ("open", "fsync", "replace"):
        steps.watch(os, name)
    steps.watch(shutil, "rmtree")
    steps.watch(Path, "mkdir")
    steps.watch(type(connections["default"]), "commit")
    steps.watch(Checkpoint.objects, "create")
    connection.ensure_connection()
    sequence_all()


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
        sys.exit("the sequencer failed instead of being killed, or did not recover")
    return True


def check() -> None:
    log = LogFolder(settings.LOG_DIR)
    found = verify_database(log, key=log.read_verifier_key())
    assert (found.checkpoint.size, found.waiting) == (ENTRIES + 1, 0), found
    assert selectors.published_size() == ENTRIES + 1
    order = list(AuditEntry.objects.order_by("log_index").values_list("subject", flat=True))
    assert order == [f"n:{number}" for number in range(ENTRIES + 1)], "the order was changed"


def append(number: int) -> None:
    with transaction.atomic():
        append_entry(action="test.write", subject=f"n:{number}", actor="process:t", at=AT)


def recover() -> None:
    append(ENTRIES)
    sequence_all()
    check()


def prepare(folder: Path, fatal: int) -> None:
    """Begin again with a new log folder and with the 300 entries alone in the database."""
    settings.LOG_DIR = folder / f"log-{fatal}"
    file = Path(connection.settings_dict["NAME"])
    fresh = file.with_name("fresh.sqlite3")
    connection.close()
    if not fresh.exists():
        with transaction.atomic():
            for number in range(ENTRIES):
                append(number)
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        shutil.copy(file, fresh)
    for leftover in file.parent.glob(f"{file.name}*"):
        leftover.unlink()
    shutil.copy(fresh, file)


def main() -> None:
    fatal, ended = 0, False
    while not ended:
        fatal += 1
        prepare(Path(sys.argv[1]), fatal)
        ended = in_child(lambda: watched_run(fatal))  # noqa: B023
        in_child(recover)
    print(fatal - 1)


main()
