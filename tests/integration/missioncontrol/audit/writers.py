"""A program for tests: writes entries from several threads, one transaction each.

Arguments: name, threads, entries for each. Every fifth transaction is rolled
back; each one that commits is printed as its subject.
"""

from __future__ import annotations

import sys
import threading
import time
from datetime import UTC, datetime

import django

django.setup()

from django.db import connection, transaction  # noqa: E402

from missioncontrol.audit.services import append_entry  # noqa: E402

AT = datetime(2026, 12, 1, tzinfo=UTC)


def write(name: str, count: int, committed: list[str]) -> None:
    for number in range(count):
        subject = f"{name}:{number}"
        with transaction.atomic():
            append_entry(action="test.write", subject=subject, actor=f"process:{name}", at=AT)
            if number % 7 == 0:
                time.sleep(0.002)  # ids of others overtake this one
            if number % 5 == 4:
                transaction.set_rollback(True)
        if number % 5 != 4:
            committed.append(subject)
    connection.close()


def main() -> None:
    name, threads, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    committed: list[str] = []
    running = [
        threading.Thread(target=write, args=(f"{name}-{each}", count, committed))
        for each in range(threads)
    ]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    print("\n".join(committed))


main()
