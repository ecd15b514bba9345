from __future__ import annotations

import os
import shutil
import stat

import pytest
from django.conf import settings as product_settings
from django.db import transaction

from missioncontrol.audit import selectors, services
from missioncontrol.audit.folder_verification import verify_folder
from missioncontrol.audit.log_folder import LogFolder
from missioncontrol.audit.merkle.checkpoint import open_checkpoint
from missioncontrol.audit.merkle.keys import VerifierKey
from missioncontrol.audit.models import AuditEntry, Checkpoint
from missioncontrol.audit.services import LogRefusedError, sequence_entries, sequencing
from tests.integration.missioncontrol.audit.log_entries import AT, append, publish, tamper

pytestmark = pytest.mark.django_db


def folder():
    return selectors.log_folder()


def published():
    return folder().open_checkpoint(key=folder().read_verifier_key()).checkpoint


class Stopped(BaseException):
    """The process ends here; nothing in the product catches it."""


class TestFirstStart:
    def test_makes_a_key_that_only_its_owner_reads_and_an_empty_checkpoint(self):
        assert sequence_entries(at=AT) == 0
        assert published().size == 0
        assert published().origin == "missioncontrol.local/log"
        mode = (product_settings.LOG_DIR / "signing-key").stat().st_mode
        assert stat.S_IMODE(mode) == 0o600
        assert selectors.latest_checkpoint().size == 0

    def test_makes_the_key_only_once(self):
        sequence_entries(at=AT)
        first = selectors.verification_key()
        publish()
        assert selectors.verification_key() == first

    def test_names_the_log_after_the_setting(self, settings):
        settings.LOG_ORIGIN = "kashi.example/log"
        sequence_entries(at=AT)
        assert published().origin == "kashi.example/log"
        assert selectors.verification_key().startswith("kashi.example/log+")

    def test_refuses_a_name_that_no_key_can_have(self, settings):
        settings.LOG_ORIGIN = "our log"
        with pytest.raises(LogRefusedError, match="'our log' is not a key name"):
            sequence_entries(at=AT)


class TestGrowth:
    def test_gives_indices_in_the_order_of_ids_and_signs_the_tree(self):
        rows = publish(3)
        assert [row.log_index for row in rows] == [0, 1, 2]
        row = Checkpoint.objects.get(size=3)
        key = VerifierKey.from_vkey(selectors.verification_key())
        signed = open_checkpoint(row.note.encode(), origin=key.name, log_keys=[key])
        assert signed.checkpoint == published()
        assert bytes(row.root) == published().root
        assert row.published_at == AT

    def test_takes_bounded_batches_and_says_how_many_entries_came_in(self, monkeypatch):
        monkeypatch.setattr(sequencing, "MAX_BATCH", 4)
        append(10)
        assert [sequence_entries(at=AT) for _ in range(4)] == [4, 4, 2, 0]
        assert list(Checkpoint.objects.order_by("size").values_list("size", flat=True)) == [
            *[0, 4, 8, 10]
        ]

    def test_does_not_pass_over_a_row_that_commits_late_with_a_lower_id(self):
        sequence_entries(at=AT)
        late, early = append(2)
        # As the sequencer saw the table before the slow transaction committed.
        AuditEntry.objects.filter(pk=early.pk).update(log_index=0)
        assert sequence_entries(at=AT) == 1
        assert sequence_entries(at=AT) == 1
        late.refresh_from_db()
        assert late.log_index == 1
        verify_folder(folder(), key=folder().read_verifier_key())

    @pytest.mark.parametrize("steps", [(1, 1, 1), (255, 1, 1), (256, 256), (300, 300), (250, 300)])
    def test_writes_a_folder_that_verifies_at_every_size(self, steps):
        for count in steps:
            publish(count)
            found = verify_folder(folder(), key=folder().read_verifier_key())
            assert found.checkpoint == published()
        assert published().size == sum(steps)

    def test_keeps_no_partial_tile_beside_its_full_one_yet_answers_for_it(self):
        publish(250)
        before = selectors.get_entry(3)
        narrow = Checkpoint.objects.latest()
        publish(10)
        assert not (product_settings.LOG_DIR / "tile/0/000.p").exists()
        assert not (product_settings.LOG_DIR / "tile/entries/000.p").exists()
        assert (product_settings.LOG_DIR / "tile/0/001.p/4").exists()
        assert narrow.size == 250
        assert selectors.inclusion_proof(before).size == 260

    def test_refuses_to_publish_what_is_not_committed(self, transactional_db):
        append()
        with (
            pytest.raises(RuntimeError, match="durable atomic block"),
            transaction.atomic(),
        ):
            sequence_entries(at=AT)


class TestAfterAStop:
    """In-process stops at the named borders; test_killed_sequencer.py tries every one."""

    def test_publishes_entries_that_had_got_their_indices(self, monkeypatch):
        publish(3)
        append(2)
        with monkeypatch.context() as patch:
            patch.setattr(LogFolder, "write_places", stop)
            with pytest.raises(Stopped):
                sequence_entries(at=AT)
        assert selectors.assigned_size() == 5
        assert published().size == 3
        append(1)
        assert sequence_entries(at=AT) == 2
        assert sequence_entries(at=AT) == 1
        verify_folder(folder(), key=folder().read_verifier_key())

    def test_notes_a_checkpoint_that_was_published_without_its_row(self, monkeypatch):
        [row] = publish()
        with monkeypatch.context() as patch:
            patch.setattr(sequencing, "_note", stop)
            [after] = append()
            with pytest.raises(Stopped):
                sequence_entries(at=AT)
        assert published().size == 2
        assert selectors.is_published(row.pk)
        assert not selectors.is_published(after.pk)
        assert sequence_entries(at=AT) == 0
        assert selectors.is_published(after.pk)


def stop(*_arguments, **_named):
    raise Stopped


class TestRefusals:
    def test_of_a_database_that_is_behind_the_published_checkpoint(self):
        publish(5)
        AuditEntry.objects.filter(log_index__gte=3).delete()
        Checkpoint.objects.filter(size__gte=3).delete()
        append(4)
        with pytest.raises(LogRefusedError, match="has 5 entries, the database has 3: it was res"):
            sequence_entries(at=AT)
        assert published().size == 5
        assert AuditEntry.objects.filter(log_index=None).count() == 4

    def test_of_a_new_database_beside_an_old_folder(self):
        publish(2)
        AuditEntry.objects.all().delete()
        Checkpoint.objects.all().delete()
        append()
        with pytest.raises(LogRefusedError, match="Going on would fork the log"):
            sequence_entries(at=AT)

    def test_of_a_database_with_another_history_of_the_same_length(self):
        first = product_settings.LOG_DIR
        publish(2)
        kept = first.with_name("kept")
        shutil.move(first, kept)
        AuditEntry.objects.all().delete()
        Checkpoint.objects.all().delete()
        publish(2)
        for name in ("signing-key", "verifier-key", "checkpoint", "tile"):
            target = first / name
            shutil.rmtree(target) if target.is_dir() else target.unlink()
            shutil.move(kept / name, target)
        append()
        with pytest.raises(LogRefusedError, match="different checkpoints of size 2"):
            sequence_entries(at=AT)
        Checkpoint.objects.all().delete()
        with pytest.raises(LogRefusedError, match="Entry 1, the last one published, has the hash"):
            sequence_entries(at=AT)

    def test_of_an_empty_folder_beside_a_log_in_the_database(self):
        publish(2)
        shutil.rmtree(product_settings.LOG_DIR)
        with pytest.raises(LogRefusedError, match=r"knows a log of 2 entries\. Restore LOG_DIR"):
            sequence_entries(at=AT)
        assert not (product_settings.LOG_DIR / "signing-key").exists()

    def test_of_a_folder_restored_from_an_older_backup(self):
        publish(2)
        shutil.copytree(product_settings.LOG_DIR, product_settings.LOG_DIR.with_name("backup"))
        publish(2)
        shutil.rmtree(product_settings.LOG_DIR)
        os.rename(product_settings.LOG_DIR.with_name("backup"), product_settings.LOG_DIR)
        with pytest.raises(LogRefusedError, match="LOG_DIR was restored from an older backup"):
            sequence_entries(at=AT)

    def test_of_another_origin_than_the_key_was_made_for(self, settings):
        publish()
        settings.LOG_ORIGIN = "other.example/log"
        with pytest.raises(LogRefusedError, match=r"that of the log missioncontrol\.local/log"):
            sequence_entries(at=AT)

    def test_of_a_folder_without_its_signing_key(self):
        publish()
        (product_settings.LOG_DIR / "signing-key").unlink()
        with pytest.raises(LogRefusedError, match="signing key is missing"):
            sequence_entries(at=AT)

    def test_of_a_checkpoint_that_another_key_signed(self, settings, tmp_path):
        publish()
        settings.LOG_DIR = tmp_path / "other"
        AuditEntry.objects.all().delete()
        Checkpoint.objects.all().delete()
        publish()
        shutil.copy(tmp_path / "log" / "checkpoint", settings.LOG_DIR / "checkpoint")
        with pytest.raises(LogRefusedError, match="No trusted key signed"):
            sequence_entries(at=AT)

    def test_of_tiles_that_are_not_those_signed_for(self):
        publish(3)
        tile = product_settings.LOG_DIR / "tile/0/000.p/3"
        tile.write_bytes(bytes(32) + tile.read_bytes()[32:])
        append()
        with pytest.raises(LogRefusedError, match="a tile was changed"):
            sequence_entries(at=AT)
        tile.unlink()
        with pytest.raises(LogRefusedError, match=r"tile/0/000\.p/3 is missing"):
            sequence_entries(at=AT)
        assert published().size == 3

    def test_of_an_entry_that_was_changed_before_it_was_published(self):
        publish(2)
        row = append(3)[1]
        tamper(row, entry=b"{}")
        with pytest.raises(LogRefusedError, match=r"Entry 3 .* was changed before it was publish"):
            sequence_entries(at=AT)
        assert published().size == 2

    def test_of_an_entry_that_was_deleted_before_it_was_published(self, monkeypatch):
        rows = append(3)
        with monkeypatch.context() as patch:
            patch.setattr(LogFolder, "write_places", stop)
            with pytest.raises(Stopped):
                sequence_entries(at=AT)
        AuditEntry.objects.filter(pk=rows[1].pk).delete()
        with pytest.raises(LogRefusedError, match="Entry 1 is missing"):
            sequence_entries(at=AT)


def test_the_names_that_other_rooms_use_are_exported():
    assert services.append_entry.__module__ == "missioncontrol.audit.services.append"
    assert services.sequence_entries is sequencing.sequence_entries
