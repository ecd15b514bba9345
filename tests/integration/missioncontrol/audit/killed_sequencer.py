"""A program for tests: kills the sequencer at every step that it takes, one after another.

For each step a fresh log of 300 entries is published in two batches (they cross
the border of a tile), by a process that dies at that step. A second process
then goes on; the log must come out whole. Prints the steps that were tried.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection, transaction  # noqa: E402

from missioncontrol.audit import selectors  # noqa: E402
from missioncontrol.audit.log_folder import LogFolder  # noqa: E402
from missioncontrol.audit.models import AuditEntry, Checkpoint  # noqa: E402
from missioncontrol.audit.services import append_entry, sequencing  # noqa: E402
from missioncontrol.audit.verification import verify_database  # noqa: E402
from missioncontrol.kernel.organisations import process_acts_for_everybody  # noqa: E402
from tests.integration.missioncontrol.audit.killing import (  # noqa: E402
    Beginnings,
    Steps,
    in_child,
)

AT = datetime(2026, 12, 1, tzinfo=UTC)
ENTRIES = 300
sequencing.MAX_BATCH = 200


def sequence_all() -> None:
    while sequencing.sequence_entries(at=AT):
        pass


def watched_run(fatal: int) -> None:
    steps = Steps(fatal=fatal)
    steps.watch_all()
    steps.watch(Checkpoint.objects, "create")
    connection.ensure_connection()
    sequence_all()


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


def fill() -> None:
    with transaction.atomic():
        for number in range(ENTRIES):
            append(number)


def main() -> None:
    process_acts_for_everybody()
    beginnings = Beginnings(Path(sys.argv[1]), fill)
    fatal, ended = 0, False
    while not ended:
        fatal += 1
        beginnings.begin(fatal)
        ended = in_child(lambda: watched_run(fatal))  # noqa: B023
        in_child(recover)
    print(fatal - 1)


main()
