"""The log changes its key, and nobody loses sight of it."""

from __future__ import annotations

import shutil
import stat

import pytest
from django.conf import settings as product_settings
from django.core.management import call_command
from django.core.management.base import CommandError

from missioncontrol.audit import selectors
from missioncontrol.audit.folder_verification import verify_folder
from missioncontrol.audit.merkle.errors import SignatureError, VerificationError
from missioncontrol.audit.merkle.keys import VerifierKey
from missioncontrol.audit.merkle.receipt import parse_receipt, verify_receipt
from missioncontrol.audit.models import AuditEntry, Checkpoint, Witness
from missioncontrol.audit.services import (
    LogRefusedError,
    RotationRefusedError,
    announce_log_key,
    retire_log_key,
    sequence_entries,
)
from missioncontrol.audit.verification import verify_database
from tests.integration.missioncontrol.audit.log_entries import AT, append, publish, tamper
from tests.integration.missioncontrol.audit.witness_server import witnesses
from tests.integration.missioncontrol.audit.witnessed import Rounds, register

pytestmark = pytest.mark.django_db

ROOT = "operator:root"


def folder():
    return selectors.log_folder()


def announce():
    return announce_log_key(actor=ROOT, at=AT)


def retire():
    return retire_log_key(actor=ROOT, at=AT)


def actions():
    return list(AuditEntry.objects.order_by("log_index").values_list("action", flat=True))


def signers(*keys):
    """Return which of *keys* signed the published checkpoint."""
    lines = folder().open_head(key=keys[0]).signed.note.signatures
    return [key for key in keys if key.key_id in {line.key_id for line in lines}]


@pytest.fixture
def old():
    publish(3)
    return folder().read_verifier_key()


class TestAnnounce:
    def test_logs_the_key_under_the_old_one_then_signs_with_both(self, old):
        change = announce()
        assert change.old == old
        assert actions()[3:] == ["log.key.announce", "log.key.begin"]
        entry = AuditEntry.objects.get(action="log.key.announce")
        assert entry.subject == f"log-key:{change.new.key_id.hex()}"
        assert selectors.entry_content(entry)["details"] == {
            "old": old.to_vkey(),
            "new": change.new.to_vkey(),
        }
        under_old = Checkpoint.objects.get(size=4).note
        assert under_old.count("\N{EM DASH}") == 1
        assert signers(old, change.new) == [old, change.new]
        for key in (old, change.new):
            assert verify_folder(folder(), key=key).checkpoint.size == 5

    def test_leaves_the_old_key_in_force_and_tells_of_the_next_one(self, old):
        assert selectors.announced_key() is None
        change = announce()
        assert selectors.verification_key() == old.to_vkey()
        assert selectors.announced_key() == change.new.to_vkey()

    def test_makes_a_key_that_only_its_owner_reads(self, old):
        announce()
        mode = (product_settings.LOG_DIR / "next-signing-key").stat().st_mode
        assert stat.S_IMODE(mode) == 0o600

    def test_changes_nothing_the_second_time(self, old):
        first = announce()
        before = actions()
        link = folder().read_announcement(old)
        assert announce() == first
        assert actions() == before
        assert folder().read_announcement(old) == link

    def test_lets_the_sequencer_go_on_with_both(self, old):
        change = announce()
        publish(300)
        assert signers(old, change.new) == [old, change.new]
        for key in (old, change.new):
            assert verify_database(folder(), key=key).checkpoint.size == 305

    def test_refuses_before_the_log_was_started(self):
        with pytest.raises(RotationRefusedError, match="was not started yet"):
            announce()

    def test_signs_with_nothing_that_was_not_announced(self, old):
        """A next key that lies there is worth nothing until its announcement is published."""
        change = announce()
        retire()
        announce()
        (product_settings.LOG_DIR / "keys" / change.new.key_id.hex()).unlink()
        publish(1)
        assert len(folder().open_head(key=change.new).signed.note.signatures) == 1

    def test_refuses_to_go_on_with_an_announcement_that_was_changed(self, old):
        announce()
        file = product_settings.LOG_DIR / "keys" / old.key_id.hex()
        file.write_bytes(file.read_bytes().replace(b"index 3", b"index 2"))
        append(1)
        with pytest.raises(LogRefusedError, match=r"The log in .* was not continued"):
            sequence_entries(at=AT)

    def test_announces_another_key_where_the_first_one_was_lost(self, old):
        lost = announce().new
        (product_settings.LOG_DIR / "next-signing-key").unlink()
        publish(1)
        assert signers(old, lost) == [old]
        found = announce().new
        assert found != lost
        assert selectors.announced_key() == found.to_vkey()
        retire()
        publish(1)
        assert folder().open_head(key=old).keys == (old, found)


class TestRetire:
    def test_leaves_the_new_key_alone_and_the_old_secret_nowhere(self, old):
        secret = (product_settings.LOG_DIR / "signing-key").read_bytes()
        change = announce()
        retire()
        publish(1)
        assert signers(change.new, old) == [change.new]
        assert selectors.verification_key() == change.new.to_vkey()
        assert selectors.announced_key() is None
        assert actions()[3:6] == ["log.key.announce", "log.key.begin", "log.key.retire"]
        left = [
            file.read_bytes() for file in product_settings.LOG_DIR.rglob("*") if file.is_file()
        ]
        assert not any(secret.strip() in octets for octets in left)

    def test_leads_whoever_knows_the_old_key_to_the_new_one(self, old):
        publish(300)
        change = announce()
        retire()
        publish(300)
        found = verify_folder(folder(), key=old)
        assert found.head.keys == (old, change.new)
        assert found.head.signers == (change.new,)
        for key in (old, change.new):
            assert verify_database(folder(), key=key).checkpoint.size == 606

    def test_can_be_followed_through_many_changes_from_any_of_the_keys(self, old):
        keys = [old]
        for _ in range(3):
            keys.append(announce().new)
            retire()
            publish(1)
        for number, key in enumerate(keys):
            assert verify_database(folder(), key=key).head.keys == tuple(keys[number:])

    def test_refuses_a_key_that_the_log_never_announced(self, old):
        announce()
        retire()
        publish(1)
        stranger = VerifierKey(name=old.name, type=old.type, public_key=bytes(32))
        for verify in (verify_folder, verify_database):
            with pytest.raises(SignatureError, match="No trusted key signed"):
                verify(folder(), key=stranger)

    def test_is_refused_before_the_announcement(self, old):
        with pytest.raises(RotationRefusedError, match="without --finish first"):
            retire()
        assert actions() == ["telecommand.approve"] * 3

    def test_is_refused_when_it_was_done(self, old):
        announce()
        retire()
        with pytest.raises(RotationRefusedError, match="No key was announced"):
            retire()

    def test_leaves_old_receipts_true_under_the_old_key(self, old):
        receipt = selectors.receipt(selectors.get_entry(1))
        announce()
        retire()
        verify_receipt(
            parse_receipt(receipt.encode()),
            entry=bytes(selectors.get_entry(1).entry),
            origin=old.name,
            log_keys=[old],
        )

    def test_keeps_verify_log_from_believing_rows_about_keys(self, old):
        announce()
        retire()
        publish(1)
        entry = AuditEntry.objects.get(action="log.key.announce")
        other = VerifierKey(name=old.name, type=old.type, public_key=bytes(32)).to_vkey()
        octets = bytes(entry.entry).replace(old.to_vkey().encode(), other.encode())
        tamper(entry, entry=octets)
        with pytest.raises(VerificationError):
            verify_database(folder(), key=folder().read_verifier_key())


class TestRestore:
    """The rules against forks hold in the middle of a change, too."""

    def test_of_a_folder_from_before_the_announcement_is_refused(self, old):
        kept = product_settings.LOG_DIR.with_name("backup")
        shutil.copytree(product_settings.LOG_DIR, kept)
        announce()
        shutil.rmtree(product_settings.LOG_DIR)
        kept.rename(product_settings.LOG_DIR)
        with pytest.raises(LogRefusedError, match="LOG_DIR was restored from an older backup"):
            sequence_entries(at=AT)

    def test_of_the_old_key_beside_a_log_of_the_new_one_is_refused(self, old):
        secret = (product_settings.LOG_DIR / "signing-key").read_bytes()
        announce()
        retire()
        publish(1)
        (product_settings.LOG_DIR / "signing-key").write_bytes(secret)
        append(1)
        with pytest.raises(LogRefusedError, match="No trusted key signed"):
            sequence_entries(at=AT)

    def test_of_the_folder_as_it_was_just_before_the_end_goes_on(self, old):
        """The same checkpoint, the old key in force: both sign again, and the end comes again."""
        change = announce()
        files = ("signing-key", "next-signing-key", "verifier-key")
        kept = {name: (product_settings.LOG_DIR / name).read_bytes() for name in files}
        retire()
        for name, octets in kept.items():
            (product_settings.LOG_DIR / name).write_bytes(octets)
        publish(1)
        assert signers(old, change.new) == [old, change.new]
        retire()
        publish(1)
        assert verify_database(folder(), key=old).head.signers == (change.new,)
        assert actions().count("log.key.retire") == 1


class TestWitnesses:
    """Without those that know the new key nothing would be published any more."""

    @pytest.fixture
    def members(self, old, tmp_path, settings):
        settings.AUDIT_PUBLISHED_QUORUM = settings.AUDIT_SETTLED_QUORUM = 2
        with witnesses(3, tmp_path, log_key=old) as served:
            register(served)
            yield served

    def cosign(self):
        rounds = Rounds()
        sequence_entries(at=AT)
        rounds.settle()

    def change_with_quorum(self, step):
        for _ in range(10):
            try:
                return step()
            except selectors.NotPublishedError:
                self.cosign()
        raise AssertionError("it was never published")

    def test_cosign_all_the_way_once_they_know_both_keys(self, members, old):
        self.cosign()
        change = self.change_with_quorum(announce)
        for member in members:
            member.log_keys = [old, change.new]
        self.change_with_quorum(retire)
        publish(1)
        self.cosign()
        assert selectors.published_size() == selectors.assigned_size()
        assert verify_database(folder(), key=old).head.signers == (change.new,)

    def test_that_do_not_know_the_new_key_keep_the_old_one_in_force(self, members, old):
        self.cosign()
        change = self.change_with_quorum(announce)
        self.cosign()
        members[1].log_keys = [old, change.new]
        with pytest.raises(
            RotationRefusedError, match="1 of 3 witnesses know the announced key, 2"
        ):
            retire()
        assert selectors.verification_key() == old.to_vkey()
        assert "log.key.retire" not in actions()
        assert Witness.objects.filter(active=True).count() == 3

    def test_give_the_announcement_their_quorum_before_anybody_is_led_by_it(self, members, old):
        self.cosign()
        with pytest.raises(selectors.NotPublishedError):
            announce()
        assert folder().read_announcement(old) is None
        publish(1)
        assert len(folder().open_head(key=old).signed.note.signatures) == 1
        self.change_with_quorum(announce)
        announced = parse_receipt(folder().read_announcement(old))
        assert announced.checkpoint.count("\N{EM DASH}".encode()) >= 3  # the log and two of three


class TestCommand:
    def test_changes_the_key_in_two_steps(self, old, capsys):
        call_command("rotate_log_key")
        output = capsys.readouterr().out
        new = selectors.announced_key()
        assert f"in force: {old.to_vkey()}\nannounced, and signing beside it: {new}\n" in output
        call_command("rotate_log_key", "--finish")
        assert f"in force: {new}\nretired: {old.to_vkey()}\n" in capsys.readouterr().out
        call_command("verify_log", "--vkey", old.to_vkey())
        assert "log of 6 entries verified" in capsys.readouterr().out

    def test_says_why_not(self, old):
        with pytest.raises(CommandError, match="without --finish first"):
            call_command("rotate_log_key", "--finish")

    def test_gives_up_waiting_for_witnesses_that_are_away(self, old, settings):
        settings.AUDIT_PUBLISHED_QUORUM = settings.AUDIT_SETTLED_QUORUM = 1
        Witness.objects.create(
            name="away", organisation="m", vkey="m+00000000+AA==", url="http://127.0.0.1:9"
        )
        with pytest.raises(CommandError, match=r"Run the command again\."):
            call_command("rotate_log_key", "--wait-s", "0")


class TestServed:
    def test_announcements_are_for_members_below_the_log(self, old, member, client):
        address = f"/log/keys/{old.key_id.hex()}"
        assert client.get(address).status_code == 401
        assert member.get(address).status_code == 404
        announce()
        answer = member.get(address)
        assert answer.content == folder().read_announcement(old)
        assert answer["Content-Type"] == "text/plain; charset=utf-8"

    @pytest.mark.parametrize("name", ["ABCDEF01", "1234567", "123456789", "../signing-key", "x"])
    def test_nothing_else_is(self, old, member, name):
        announce()
        assert member.get(f"/log/keys/{name}").status_code == 404
