"""What one member's business is: shown to those entitled, erased for ever, proved at any time."""

from __future__ import annotations

import json
from contextlib import contextmanager

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import IntegrityError, connection, transaction

from missioncontrol.audit import selectors
from missioncontrol.audit.merkle.canonical import EntryError
from missioncontrol.audit.merkle.errors import VerificationError
from missioncontrol.audit.merkle.opening import commitment_in, verify_opening
from missioncontrol.audit.merkle.receipt import parse_receipt, verify_receipt
from missioncontrol.audit.models import AuditEntry, Opening, OpeningReader
from missioncontrol.audit.services import (
    ErasureRefusedError,
    erase_opening,
    sequence_entries,
)
from missioncontrol.audit.verification import verify_database
from missioncontrol.kernel import organisations
from missioncontrol.kernel.organisations import (
    NoOrganisationContextError,
    acting_for,
    acting_for_everybody,
)
from tests.integration.missioncontrol.audit.log_entries import AT, append, publish
from tests.log_guards import changes_allowed, deletion_guarded

pytestmark = pytest.mark.django_db

PRIVATE = {"program": "SHA256", "input_sha256": "ab" * 32}
OWNER, READER, STRANGER = "laboratory", "operations", "rival"


def slug(*slugs):
    return acting_for([(number, each) for number, each in enumerate(slugs)])


@contextmanager
def nobody():
    """As in a web process before anything was said."""
    token = organisations._said.set(None)
    try:
        yield
    finally:
        organisations._said.reset(token)


def append_private(**fields):
    values = {"organisation": OWNER, "private": PRIVATE, "readers": [READER], **fields}
    [row] = append(1, action="job.submit", subject="job:17", **values)
    return row


@pytest.fixture
def entry():
    row = append_private()
    while sequence_entries(at=AT):
        pass
    row.refresh_from_db()
    return row


def erase(entry, *, reason="the member asked for it", actor="operator:alice"):
    erase_opening(entry=entry, reason=reason, actor=actor, at=AT)


class TestAppend:
    def test_leaves_a_commitment_in_the_entry_and_nothing_else(self, entry):
        octets = bytes(entry.entry)
        assert b"SHA256" not in octets
        assert commitment_in(octets) is not None
        assert set(json.loads(octets)) == {
            *("version", "nonce", "action", "subject", "actor", "at", "organisation"),
            *("details", "commitment"),
        }

    def test_draws_another_salt_for_each_entry(self):
        first, second = append_private(), append_private()
        assert commitment_in(bytes(first.entry)) != commitment_in(bytes(second.entry))

    def test_leaves_entries_without_a_private_part_as_they_were(self):
        [row] = append(1, organisation=OWNER)
        assert "commitment" not in json.loads(bytes(row.entry))
        with acting_for_everybody():
            assert not Opening.objects.exists()

    def test_keeps_nothing_when_the_change_is_rolled_back(self):
        with transaction.atomic():
            append_private()
            transaction.set_rollback(True)
        with acting_for_everybody():
            assert not Opening.objects.exists()

    @pytest.mark.parametrize("context", [lambda: slug(STRANGER), nobody])
    def test_needs_nobody_to_be_worked_for(self, context):
        """A process writes for members; that must not open what it never reads."""
        with context():
            row = append_private()
        assert verify_opening(selectors.opening(row), entry=bytes(row.entry)) == PRIVATE

    @pytest.mark.parametrize(
        ("fields", "error", "text"),
        [
            ({"organisation": ""}, ValueError, "no organisation that it belongs to"),
            ({"private": {"at": AT}}, EntryError, "The private payload cannot be logged: /at is"),
            ({"private": {"a": "x" * 70_000}}, EntryError, "The private payload has 70008 octets"),
        ],
    )
    def test_refuses_what_could_not_be_opened_again(self, fields, error, text):
        with pytest.raises(error, match=text), transaction.atomic():
            append_private(**fields)
        assert not AuditEntry.objects.exists()


class TestSelector:
    @pytest.mark.parametrize("who", [[OWNER], [READER], [STRANGER, READER]])
    def test_shows_it_to_the_owner_and_the_readers(self, entry, who):
        with slug(*who):
            opened = selectors.opening(entry)
        assert verify_opening(opened, entry=bytes(entry.entry)) == PRIVATE

    def test_shows_it_to_work_for_the_whole_mission(self, entry):
        with acting_for_everybody():
            assert verify_opening(selectors.opening(entry), entry=bytes(entry.entry)) == PRIVATE

    @pytest.mark.parametrize("who", [[], [STRANGER], [OWNER.upper()], [OWNER[:-1]]])
    def test_shows_it_to_nobody_else(self, entry, who):
        with slug(*who), pytest.raises(selectors.NotEntitledError, match="belongs to laboratory"):
            selectors.opening(entry)

    def test_shows_nothing_where_nobody_said_for_whom(self, entry):
        with nobody():
            for read in (lambda: selectors.opening(entry), Opening.objects.count):
                with pytest.raises(NoOrganisationContextError):
                    read()

    def test_says_that_an_entry_is_all_public(self):
        [row] = publish(1)
        with slug(OWNER), pytest.raises(selectors.NoOpeningError, match="all of it is public"):
            selectors.opening(row)

    def test_shows_each_row_once_to_somebody_entitled_twice(self, entry):
        with slug(OWNER, READER):
            assert Opening.objects.count() == 1
            assert Opening.objects.get() == Opening.objects.select_for_update().get()


class TestErasure:
    def test_removes_payload_and_salt_and_logs_who_and_why(self, entry):
        with slug(OWNER):
            erase(entry, reason="  the member asked for it ")
            row = Opening.objects.get()
            with pytest.raises(selectors.OpeningErasedError, match="erased by operator:alice at"):
                selectors.opening(entry)
        assert (row.payload, row.salt, row.erased_at, row.erased_by, row.erasure_reason) == (
            *(None, None, AT),
            *("operator:alice", "the member asked for it"),
        )
        told = AuditEntry.objects.get(action="opening.erase")
        assert (told.subject, told.actor, told.organisation, told.at) == (
            f"entry:{bytes(entry.leaf_hash).hex()}",
            *("operator:alice", OWNER, AT),
        )
        assert selectors.entry_content(told)["details"] == {
            "action": "job.submit",
            "subject": "job:17",
            "reason": "the member asked for it",
        }

    def test_leaves_tree_receipts_and_verification_whole(self, entry):
        key = selectors.log_folder().read_verifier_key()
        before = selectors.receipt(entry)
        verify_database(selectors.log_folder(), key=key)
        with slug(OWNER):
            erase(entry)
        sequence_entries(at=AT)
        for receipt in (before, selectors.receipt(entry)):
            verify_receipt(
                parse_receipt(receipt.encode()),
                entry=bytes(entry.entry),
                origin=key.name,
                log_keys=[key],
            )
        found = verify_database(selectors.log_folder(), key=key)
        assert (found.checkpoint.size, found.private, found.erased) == (2, 1, 1)

    def test_is_refused_the_second_time(self, entry):
        with slug(OWNER):
            erase(entry)
            with pytest.raises(selectors.OpeningErasedError, match="the member asked for it"):
                erase(entry)
        assert AuditEntry.objects.filter(action="opening.erase").count() == 1

    @pytest.mark.parametrize(
        ("who", "error", "text"),
        [
            (READER, ErasureRefusedError, "belongs to laboratory, which alone"),
            (STRANGER, selectors.NotEntitledError, "belongs to laboratory"),
        ],
    )
    def test_is_the_owner_s_alone(self, entry, who, error, text):
        with slug(who), pytest.raises(error, match=text):
            erase(entry)
        with slug(OWNER):
            assert selectors.opening(entry)

    @pytest.mark.parametrize("reason", ["", "   ", "x" * 301])
    def test_needs_a_reason(self, entry, reason):
        with slug(OWNER), pytest.raises(ErasureRefusedError, match="1 to 300 characters"):
            erase(entry, reason=reason)

    def test_of_an_entry_without_a_private_part_is_refused(self):
        [row] = append(1)
        with slug(OWNER), pytest.raises(selectors.NoOpeningError):
            erase(row)

    @pytest.mark.only_on("sqlite")
    @pytest.mark.django_db(transaction=True)
    def test_leaves_no_octet_of_it_in_the_database_file(self, entry):
        with acting_for_everybody():
            salt = bytes(Opening.objects.get().salt)
        assert salt in database_octets()
        with slug(OWNER):
            erase(entry)
        assert salt not in database_octets()
        assert PRIVATE["input_sha256"].encode() not in database_octets()

    def test_command_erases_at_the_owner_s_request(self, entry, capsys):
        call_command("erase_opening", "0", reason="letter of 2026-11-30")
        assert "The private part of entry 0 (job.submit job:17 by" in capsys.readouterr().out
        with acting_for_everybody(), pytest.raises(selectors.OpeningErasedError, match="letter"):
            selectors.opening(entry)
        with pytest.raises(CommandError, match="letter of 2026-11-30"):
            call_command("erase_opening", "0", reason="again")
        with pytest.raises(CommandError, match="no entry 99"):
            call_command("erase_opening", "99", reason="x")


def database_octets():
    """Return all that the database's file holds, the write-ahead log folded in."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        name = connection.settings_dict["NAME"]
        if "memory" in str(name):
            return connection.connection.serialize()
    with open(name, "rb") as file:
        return file.read()


@pytest.mark.only_on("postgresql")
class TestRowSecurity:
    """The database itself keeps an opening from others, whatever the application asks."""

    def seen(self, *slugs):
        with slug(*slugs), connection.cursor() as cursor:
            cursor.execute("SELECT owner FROM audit_opening")
            return [owner for (owner,) in cursor.fetchall()]

    def test_shows_it_to_owner_and_readers(self, entry):
        append_private(organisation=STRANGER, readers=[])
        assert self.seen(OWNER) == self.seen(READER) == [OWNER]
        assert self.seen(STRANGER) == [STRANGER]
        assert sorted(self.seen(OWNER, STRANGER)) == [OWNER, STRANGER]
        assert self.seen() == self.seen("somebody-else") == []

    def test_lets_nobody_else_erase_it(self, entry):
        erasure = (
            "UPDATE audit_opening SET payload = NULL, salt = NULL, erased_at = '2026-12-01',"
            " erased_by = 'x'"
        )
        for who, rows in ((STRANGER, 0), (OWNER, 1)):
            with slug(who), connection.cursor() as cursor:
                cursor.execute(erasure)
                assert cursor.rowcount == rows


class TestTampering:
    """The database is no safe place either: verify_log finds what was done to an opening."""

    def verify(self):
        return verify_database(
            selectors.log_folder(), key=selectors.log_folder().read_verifier_key()
        )

    @pytest.mark.parametrize(
        ("columns", "text"),
        [
            ({"payload": b'{"program":"DOOM"}'}, "its private part leads to"),
            ({"salt": bytes(32)}, "its private part leads to"),
            ({"salt": bytes(31)}, "salt has 31 octets"),
            ({"owner": STRANGER}, "is kept for 'rival', it was written for 'laboratory'"),
            (
                {"payload": None, "salt": None, "erased_at": AT, "erased_by": "nobody"},
                "is gone, and no entry tells of its erasure",
            ),
        ],
    )
    @pytest.mark.parametrize("published", [True, False])
    def test_with_an_opening_is_refused(self, entry, columns, text, published):
        row = entry if published else append_private()
        self.verify()
        with acting_for_everybody(), changes_allowed():
            Opening.objects.filter(pk=row.pk).update(**columns)
        with pytest.raises(VerificationError, match=text) as refusal:
            self.verify()
        assert refusal.value.index == row.log_index

    def test_by_removing_an_opening_is_refused(self, entry):
        OpeningReader.objects.all().delete()
        with acting_for_everybody():
            Opening.objects.all().delete()
        with pytest.raises(VerificationError, match=r"Entry 0 .* private part is missing"):
            self.verify()

    def test_by_adding_an_opening_is_refused(self, entry):
        publish(1)
        with acting_for_everybody():
            own = Opening.objects.get()
            plain = AuditEntry.objects.get(log_index=1)
            Opening.objects.create(entry=plain, owner="", payload=own.payload, salt=own.salt)
        with pytest.raises(VerificationError, match=r"Entry 1 .* private part was added"):
            self.verify()


class TestTriggers:
    REFUSED = "an opening is erased, or never changes"

    def execute(self, sql, *arguments):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, arguments)

    @pytest.mark.parametrize(
        ("change", "value"),
        [
            ("payload = %s", b"{}"),
            ("salt = %s", bytes(32)),
            ("owner = %s", "x"),
            ("erased_by = %s", "x"),
            ("payload = NULL, salt = NULL, owner = %s", "x"),
            ("payload = NULL, salt = NULL, erased_at = '2026-12-01', owner = %s", "x"),
            ("erased_at = '2026-12-01', erased_by = %s", "x"),
        ],
    )
    def test_let_nothing_of_an_opening_be_changed(self, entry, change, value):
        with pytest.raises(IntegrityError, match=self.REFUSED):
            self.execute(f"UPDATE audit_opening SET {change}", value)

    def test_let_it_be_erased_once(self, entry):
        erasure = (
            "UPDATE audit_opening SET payload = NULL, salt = NULL, erased_at = '2026-12-01',"
            " erased_by = %s"
        )
        self.execute(erasure, "operator:alice")
        with pytest.raises(IntegrityError, match=self.REFUSED):
            self.execute(erasure, "operator:mallory")

    def test_let_it_be_erased_by_somebody_only(self, entry):
        with pytest.raises(IntegrityError, match="audit_opening_whole_or_erased"):
            self.execute(
                "UPDATE audit_opening SET payload = NULL, salt = NULL, erased_at = '2026-12-01'"
            )

    def test_let_nobody_become_a_reader_in_another_s_place(self, entry):
        with pytest.raises(IntegrityError, match="who reads an opening never changes"):
            self.execute("UPDATE audit_openingreader SET organisation = 'rival'")

    def test_keep_rows_from_deletion(self, entry):
        with deletion_guarded():
            for table in ("audit_openingreader", "audit_opening"):
                with pytest.raises(IntegrityError, match="never changes"):
                    self.execute(f"DELETE FROM {table}")

    @pytest.mark.only_on("postgresql")
    @pytest.mark.django_db(transaction=True)  # a table with pending checks cannot be emptied
    @pytest.mark.parametrize("table", ["audit_openingreader", "audit_opening"])
    def test_keep_tables_from_truncation(self, entry, table):
        with deletion_guarded(), pytest.raises(IntegrityError, match="never changes"):
            self.execute(f"TRUNCATE {table} CASCADE")

    @pytest.mark.only_on("sqlite")
    def test_keep_rows_from_replacement(self, entry):
        with pytest.raises(IntegrityError, match=self.REFUSED):
            self.execute(
                "INSERT OR REPLACE INTO audit_opening (entry_id, owner, payload, salt, erased_by,"
                " erasure_reason) SELECT entry_id, 'rival', payload, salt, '', ''"
                " FROM audit_opening"
            )
