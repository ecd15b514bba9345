from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction

from missioncontrol.audit.services import (
    append_entry,
    collecting_before_commit,
    collecting_entries,
    still_standing,
)
from tests.integration.missioncontrol.audit.log_entries import AT, append

pytestmark = pytest.mark.django_db(transaction=True)


def write(subject):
    return append_entry(action="test.write", subject=subject, actor="process:t", at=AT)


def subjects(entries):
    return [entry.subject for entry in entries]


class TestCollectingEntries:
    def test_gives_what_was_committed_in_order(self):
        with collecting_entries() as entries:
            append(1, subject="n:1")
            append(1, subject="n:2")
        append(1, subject="n:3")
        assert subjects(entries) == ["n:1", "n:2"]
        assert all(len(entry.leaf_hash) == 32 for entry in entries)

    def test_gives_nothing_before_the_commit(self):
        with collecting_entries() as entries, transaction.atomic():
            write("n:1")
            assert entries == []
        assert subjects(entries) == ["n:1"]

    def test_never_gives_what_was_rolled_back(self):
        with collecting_entries() as entries:
            with transaction.atomic():
                write("kept")
                with transaction.atomic():
                    write("undone in a savepoint")
                    transaction.set_rollback(True)
            with transaction.atomic():
                write("undone")
                transaction.set_rollback(True)
        assert subjects(entries) == ["kept"]

    def test_gives_the_same_entries_to_one_inside_and_one_around(self):
        with collecting_entries() as around:
            append(1, subject="n:1")
            with collecting_entries() as inside:
                append(1, subject="n:2")
        assert (subjects(around), subjects(inside)) == (["n:1", "n:2"], ["n:2"])

    def test_gives_nothing_of_others_that_work_at_the_same_time(self):
        def elsewhere():
            append(1, subject="theirs")
            connection.close()

        with collecting_entries() as entries:
            other = threading.Thread(target=elsewhere)
            other.start()
            other.join()
            append(1, subject="mine")
        assert subjects(entries) == ["mine"]


class TestCollectingBeforeCommit:
    def test_gives_at_once_what_is_appended_and_still_stands(self):
        with collecting_before_commit() as entries, transaction.atomic():
            write("kept")
            with transaction.atomic():
                write("undone in a savepoint")
                transaction.set_rollback(True)
            write("kept too")
            assert subjects(entries) == ["kept", "undone in a savepoint", "kept too"]
            assert subjects(still_standing(entries)) == ["kept", "kept too"]

    def test_gives_nothing_of_what_comes_later(self):
        with collecting_before_commit() as entries:
            pass
        append(1)
        assert entries == []
