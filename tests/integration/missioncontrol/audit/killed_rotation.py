"""A program for tests: kills a change of the log's key at every step that it takes.

For each step a log of three entries changes its key, in a process that dies at
that step. At once after that, whoever knows the first key must find the log
whole; a second process runs the commands again, and the change must come to its
end with each of its entries once. Prints the steps that were tried.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection, transaction  # noqa: E402

from missioncontrol.audit.folder_verification import verify_folder  # noqa: E402
from missioncontrol.audit.log_folder import LogFolder  # noqa: E402
from missioncontrol.audit.models import AuditEntry, Checkpoint  # noqa: E402
from missioncontrol.audit.services import (  # noqa: E402
    announce_log_key,
    append_entry,
    retire_log_key,
    sequence_entries,
)
from missioncontrol.audit.verification import verify_database  # noqa: E402
from missioncontrol.kernel.organisations import process_acts_for_everybody  # noqa: E402
from tests.integration.missioncontrol.audit.killing import (  # noqa: E402
    Beginnings,
    Steps,
    in_child,
)

AT = datetime(2026, 12, 1, tzinfo=UTC)
STEPS_LOGGED = ["log.key.announce", "log.key.begin", "log.key.retire"]


def log() -> LogFolder:
    return LogFolder(settings.LOG_DIR)


def append(number: int) -> None:
    with transaction.atomic():
        append_entry(action="test.write", subject=f"n:{number}", actor="process:t", at=AT)


def fill() -> None:
    for number in range(3):
        append(number)
    sequence_entries(at=AT)


def change_key() -> None:
    announce_log_key(actor="operator:root", at=AT)
    retire_log_key(actor="operator:root", at=AT)


def watched_change(fatal: int) -> None:
    steps = Steps(fatal=fatal)
    steps.watch_all()
    steps.watch(Checkpoint.objects, "create")
    connection.ensure_connection()
    change_key()


def go_on(first) -> None:
    """Find the log whole, let the sequencer work as ever, then run the commands again."""
    verify_folder(log(), key=first)
    append(3)
    while sequence_entries(at=AT):
        pass
    if log().read_signing_key().verifier == first:
        change_key()
    append(4)
    sequence_entries(at=AT)
    check(first)


def check(first) -> None:
    last = log().read_signing_key().verifier
    assert last != first
    assert log().read_verifier_key() == last
    assert log().read_next_signing_key() is None
    for key in (first, last):
        found = verify_database(log(), key=key)
        assert found.waiting == 0
        assert found.head.signers == (last,)
    steps = AuditEntry.objects.filter(action__startswith="log.key.").order_by("log_index")
    assert list(steps.values_list("action", flat=True)) == STEPS_LOGGED
    written = AuditEntry.objects.filter(action="test.write").order_by("log_index")
    assert [row.subject for row in written] == [f"n:{number}" for number in range(5)]


def main() -> None:
    process_acts_for_everybody()
    beginnings = Beginnings(Path(sys.argv[1]), fill)
    fatal, ended = 0, False
    while not ended:
        fatal += 1
        beginnings.begin(fatal)
        first = log().read_verifier_key()
        ended = in_child(lambda: watched_change(fatal))  # noqa: B023
        in_child(lambda: go_on(first))  # noqa: B023
    print(fatal - 1)


main()
