from __future__ import annotations

import re
import shutil
import subprocess
import sys
from datetime import timedelta
from io import StringIO

import pytest
from django.conf import settings as product_settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from missioncontrol.audit import selectors
from missioncontrol.audit.merkle.hashing import leaf_hash
from missioncontrol.audit.merkle.text_fields import write_base64
from missioncontrol.audit.models import AuditEntry, Checkpoint
from missioncontrol.audit.services import sequence_entries
from tests.integration.missioncontrol.audit.log_entries import AT, append, publish, tamper
from tests.log_guards import changes_allowed

pytestmark = pytest.mark.django_db


def verify(*arguments):
    output = StringIO()
    call_command("verify_log", *arguments, stdout=output)
    return output.getvalue()


def found_wrong(text):
    return pytest.raises(CommandError, match=text)


def in_log(path):
    return product_settings.LOG_DIR / path


def overwrite(path, at, octets):
    file = in_log(path)
    old = file.read_bytes()
    file.write_bytes(old[:at] + octets + old[at + len(octets) :])


class TestWholeLog:
    def test_is_verified_and_counted_in_the_database(self):
        publish(3)
        publish(297)
        append(2)
        output = verify()
        root = write_base64(bytes(selectors.latest_checkpoint().root))
        key = "+".join(selectors.verification_key().split("+")[:2])
        assert output.splitlines()[1:] == [
            "checkpoint file: signature and origin hold, 300 entries",
            "checkpoints in the database: 3 signatures and roots",
            "rows: 300, octets, hash, columns and place of each",
            "private parts: 0, what each entry was committed to; 0 of them erased",
            "files: 3 tiles, 2 entry bundles",
            "not yet in the tree: 2 entries",
            f"log of 300 entries verified, root {root}, signed by {key}",
        ]

    def test_is_verified_from_a_copy_of_its_folder_alone(self, tmp_path):
        publish(300)
        copy = tmp_path / "copy"
        copy.mkdir()
        for name in ("checkpoint", "tile"):
            source = in_log(name)
            shutil.copytree(source, copy / name) if source.is_dir() else shutil.copy(source, copy)
        vkey = selectors.verification_key()
        AuditEntry.objects.all().delete()
        output = verify("--folder", str(copy), "--vkey", vkey)
        assert "files: 3 tiles, 2 entry bundles" in output
        assert "log of 300 entries verified" in output
        with found_wrong("There is no verifier-key in"):
            verify("--folder", str(copy))

    def test_may_be_empty(self):
        sequence_entries(at=AT)
        assert "log of 0 entries verified" in verify()
        assert "log of 0 entries verified" in verify("--folder", str(product_settings.LOG_DIR))

    def test_is_verified_while_indices_are_given_but_not_published(self):
        publish(2)
        [row] = append()
        AuditEntry.objects.filter(pk=row.pk).update(log_index=2)
        assert "not yet in the tree: 1 entries" in verify()


class TestTamperingWithARow:
    @pytest.mark.parametrize("index", [0, 5, 299])
    def test_is_named_at_its_index_when_the_octets_change(self, index):
        row = publish(300)[index]
        tamper(row, entry=bytes(row.entry).replace(b"alice", b"alicf"))
        with found_wrong(rf"Entry {index} \(row {row.pk}\): its octets hash to"):
            verify()

    def test_is_named_when_octets_and_hash_change_together(self):
        row = publish(20)[7]
        forged = bytes(row.entry).replace(b"alice", b"malle")
        tamper(row, entry=forged, leaf_hash=leaf_hash(forged), actor="operator:malle")
        with found_wrong(rf"Entry 7 \(row {row.pk}\): .*tile/0/000\.p/20 has"):
            verify()

    @pytest.mark.parametrize(
        ("column", "value"),
        [
            ("action", "telecommand.reject"),
            ("subject", "telecommand:18"),
            ("actor", "operator:mallory"),
            ("organisation", "kashi"),
            ("at", AT + timedelta(microseconds=1)),
        ],
    )
    def test_is_named_when_a_column_to_search_by_changes(self, column, value):
        row = publish(3)[1]
        tamper(row, **{column: value})
        with found_wrong(f"Entry 1 .* the column {column} says"):
            verify()

    def test_is_named_when_the_row_is_gone(self):
        row = publish(5)[2]
        row.delete()
        with found_wrong("Entry 2 is missing: the next row has the index 3"):
            verify()

    def test_is_named_when_the_last_rows_are_gone(self):
        publish(5)
        AuditEntry.objects.filter(log_index__gte=3).delete()
        with found_wrong("The log ends after 3 entries; the checkpoint was signed for 5"):
            verify()

    def test_is_named_when_two_rows_change_places(self):
        first, second = publish(4)[1:3]
        with changes_allowed():
            for row, index in ((first, 99), (second, 1), (first, 2)):
                AuditEntry.objects.filter(pk=row.pk).update(log_index=index)
        with found_wrong(rf"Entry 1 \(row {second.pk}\)"):
            verify()

    def test_is_found_in_what_is_not_published_yet(self):
        publish()
        [row] = append()
        tamper(row, actor="operator:mallory")
        with found_wrong(f"Row {row.pk}, not yet in the tree: the column actor"):
            verify()

    def test_of_the_first_of_many_is_named(self):
        rows = publish(30)
        for row in (rows[21], rows[4], rows[29]):
            tamper(row, actor="operator:mallory")
        with found_wrong("Entry 4 "):
            verify()


class TestTamperingWithFiles:
    @pytest.fixture(autouse=True)
    def log(self):
        return publish(300)

    def everywhere(self, text):
        for arguments in ((), ("--folder", str(product_settings.LOG_DIR))):
            with found_wrong(text):
                verify(*arguments)

    def test_is_named_when_a_hash_of_the_lowest_tiles_changes(self):
        overwrite("tile/0/000", 32 * 17, b"\0")
        with found_wrong("Entry 17 .* tile/0/000 has"):
            verify()
        with found_wrong("Entry 17 was changed"):
            verify("--folder", str(product_settings.LOG_DIR))

    def test_is_named_when_a_hash_of_an_upper_tile_changes(self):
        overwrite("tile/1/000.p/1", 3, b"\0\0")
        self.everywhere("tile/1/000.p/1 has the hash .* for entries 0 to 255; tile/0/000 hashes")

    def test_is_named_when_an_entry_in_a_bundle_changes(self):
        octets = in_log("tile/entries/001.p/44").read_bytes()
        overwrite("tile/entries/001.p/44", octets.index(b"alice"), b"malle")
        with found_wrong("Entry 256 .*the entry bundle has other octets"):
            verify()
        with found_wrong("Entry 256 was changed"):
            verify("--folder", str(product_settings.LOG_DIR))

    def test_is_named_when_a_file_is_cut_or_gone(self):
        in_log("tile/0/001.p/44").write_bytes(b"short")
        self.everywhere("Entries 256 to 299 cannot be read: tile/0/001.p/44 has 5 octets")
        in_log("tile/0/001.p/44").unlink()
        self.everywhere("Entries 256 to 299 cannot be read: .*001.p/44 is missing")

    def test_is_named_when_entry_and_hash_change_together(self):
        bundle, tile = in_log("tile/entries/000"), in_log("tile/0/000")
        octets = bundle.read_bytes().replace(b"alice", b"malle", 1)
        bundle.write_bytes(octets)
        forged = octets[2 : 2 + int.from_bytes(octets[:2], "big")]
        tile.write_bytes(leaf_hash(forged) + tile.read_bytes()[32:])
        with found_wrong("Entry 0 "):
            verify()
        with found_wrong("Every entry from 0 to 299 matches .* were replaced"):
            verify("--folder", str(product_settings.LOG_DIR))

    def test_of_the_checkpoint_is_found_by_its_signature(self):
        overwrite("checkpoint", in_log("checkpoint").read_bytes().index(b"300"), b"301")
        self.everywhere(r"The signature of 'missioncontrol\.local/log' .* is wrong")


class TestCheckpoints:
    def test_of_another_key_are_refused(self, settings, tmp_path):
        publish()
        vkey = selectors.verification_key()
        settings.LOG_DIR = tmp_path / "other"
        AuditEntry.objects.all().delete()
        Checkpoint.objects.all().delete()
        publish()
        assert selectors.verification_key() != vkey
        for arguments in (("--vkey", vkey), ("--folder", str(settings.LOG_DIR), "--vkey", vkey)):
            with found_wrong("No trusted key signed"):
                verify(*arguments)
        assert "log of 1 entries verified" in verify()

    def test_in_the_database_must_say_what_was_signed(self):
        publish(2)
        with changes_allowed():
            Checkpoint.objects.filter(size=2).update(root=bytes(32))
        with found_wrong("The checkpoint of 2 entries in the database was changed"):
            verify()

    def test_older_than_those_in_the_database_are_refused(self):
        publish(2)
        older = in_log("checkpoint").read_bytes()
        publish(2)
        in_log("checkpoint").write_bytes(older)
        with found_wrong("published checkpoint of 4 entries, the file has 2"):
            verify()

    def test_must_exist(self):
        publish()
        in_log("checkpoint").unlink()
        with found_wrong("There is no checkpoint in"):
            verify()

    def test_keys_that_are_none_are_refused(self):
        publish()
        with found_wrong(re.escape("A vkey has the form")):
            verify("--vkey", "nonsense")


def test_checking_a_folder_needs_no_framework():
    program = (
        "import sys, missioncontrol.audit.folder_verification; "
        "sys.exit(any(name.split('.')[0] == 'django' for name in sys.modules))"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.only_on("postgresql")  # SQLite streams rows without a named cursor
class TestCursors:
    def test_are_closed_with_the_check_and_not_with_its_traceback(self):
        row = publish(30)[4]
        tamper(row, actor="operator:mallory")
        with found_wrong("Entry 4") as refusal:
            verify()
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_cursors WHERE name LIKE '%%django%%'")
            assert cursor.fetchone() == (0,)
        assert refusal.tb is not None  # the frames are still there
