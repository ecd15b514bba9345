from __future__ import annotations

import signal
import time

import pytest
from django.core.management import call_command
from django.db import OperationalError

from missioncontrol.audit import selectors, services
from missioncontrol.audit.management.commands import run_witness_rounds
from missioncontrol.audit.merkle.checkpoint import Checkpoint as Head
from missioncontrol.audit.merkle.checkpoint import sign_checkpoint
from missioncontrol.audit.merkle.keys import VerifierKey
from missioncontrol.audit.merkle.note import parse_note
from missioncontrol.audit.merkle.receipt import parse_receipt, verify_receipt
from missioncontrol.audit.models import AuditEntry, Checkpoint, Cosignature, Witness
from missioncontrol.audit.services import retire_witness
from tests.integration.missioncontrol.audit.log_entries import AT, append, publish
from tests.integration.missioncontrol.audit.witness_server import witnesses
from tests.integration.missioncontrol.audit.witnessed import Rounds, register

pytestmark = pytest.mark.django_db


@pytest.fixture
def log_key(settings, tmp_path):
    """A new log with one entry, signed by the key returned."""
    settings.LOG_DIR = tmp_path / "log"
    publish()
    return VerifierKey.from_vkey(selectors.verification_key())


@pytest.fixture
def members(tmp_path, log_key):
    with witnesses(5, tmp_path / "witnesses", log_key=log_key) as five:
        yield five


@pytest.fixture
def quorum(settings):
    settings.AUDIT_PUBLISHED_QUORUM, settings.AUDIT_SETTLED_QUORUM = 3, 4


def moods(members, *given):
    for member, mood in zip(members, given, strict=True):
        member.mood = mood


class TestWithoutWitnesses:
    def test_the_logs_own_signature_publishes_and_settles_whatever_is_set(self, log_key, quorum):
        [row] = publish()
        assert selectors.is_published(row.pk)
        assert selectors.is_settled(row.pk)
        board = selectors.witness_board()
        assert (board.published_quorum, board.settled_quorum, board.witnesses) == (0, 0, [])
        assert selectors.public_checkpoint() == selectors.log_folder().read_checkpoint()

    def test_rounds_do_nothing(self, log_key):
        assert Rounds().settle() == 0


class TestQuorum:
    def test_publishes_with_the_third_and_settles_with_the_fourth(self, members, quorum):
        register(members)
        [row] = publish()
        moods(members, "honest", "honest", "away", "away", "away")
        rounds = Rounds()
        assert rounds.settle() == 2
        assert not selectors.is_published(row.pk)
        assert selectors.published_size() == 0
        with pytest.raises(selectors.NotPublishedError):
            selectors.receipt(row)
        for name in range(2, 5):
            members[name].mood = "honest"
            rounds.monotonic_s += 60  # they have rested
            member = members[name]
            for other in members[name + 1 :]:
                other.mood = "away"
            assert rounds.settle() == 1, member.name
            assert selectors.is_published(row.pk)
            assert selectors.is_settled(row.pk) == (name > 2)
        assert selectors.published_size() == selectors.latest_checkpoint().size

    def test_keeps_what_is_published_while_newer_entries_wait(self, members, quorum):
        register(members)
        [old] = publish()
        rounds = Rounds()
        rounds.settle()
        moods(members, *["away"] * 4, "honest")
        [new] = publish()
        rounds.settle()
        assert selectors.is_published(old.pk)
        assert not selectors.is_published(new.pk)
        assert selectors.waiting_count() == 1
        assert selectors.inclusion_proof(old).size < selectors.latest_checkpoint().size

    def test_counts_no_retired_witness_and_never_falls_back_to_none(self, members, quorum):
        register(members)
        [row] = publish()
        moods(members, "honest", "honest", "honest", "away", "away")
        Rounds().settle()
        assert selectors.is_published(row.pk)
        retire_witness(name=members[0].name, actor="operator:root", at=AT)
        assert not selectors.is_published(row.pk)
        for member in members[1:]:
            retire_witness(name=member.name, actor="operator:root", at=AT)
        assert not selectors.is_published(row.pk)
        assert selectors.witness_board().published_quorum == 3

    def test_is_none_where_none_is_set(self, members):
        register(members)
        [row] = publish()
        assert selectors.is_published(row.pk)

    def test_does_not_add_up_over_checkpoints(self, members, quorum):
        register(members)
        rounds = Rounds()
        moods(members, "honest", "honest", "away", "away", "away")
        publish()
        rounds.settle()
        moods(members, "away", "away", "honest", "honest", "away")
        rounds.monotonic_s += 60
        publish()
        rounds.settle()
        assert Cosignature.objects.count() == 4
        assert selectors.published_size() == 0


class TestPublicCheckpoint:
    def test_has_the_logs_line_first_and_then_every_cosignature(self, members, quorum, member):
        register(members)
        publish()
        moods(members, "honest", "honest", "honest", "honest", "away")
        Rounds().settle()
        note = parse_note(member.get("/log/checkpoint").content)
        names = [line.name for line in note.signatures]
        assert names == ["missioncontrol.local/log", *(each.name for each in members[:4])]
        publish()
        newer = parse_note(member.get("/log/checkpoint").content)
        assert len(newer.signatures) == 1
        assert newer.text != note.text

    def test_receipts_carry_the_quorum(self, members, quorum, log_key):
        register(members)
        [row] = publish()
        Rounds().settle()
        verified = verify_receipt(
            parse_receipt(selectors.receipt(row).encode()),
            entry=bytes(AuditEntry.objects.get(pk=row.pk).entry),
            origin=selectors.origin(),
            log_keys=[log_key],
            witnesses=[each.key.verifier for each in members],
            quorum=5,
        )
        assert verified.index == row.log_index


class TestRounds:
    def test_refuse_and_show_what_does_not_verify(self, members, quorum):
        register(members)
        publish()
        moods(members, "rubbish", "stranger", "forger", "away", "honest")
        assert Rounds().settle() == 1
        board = selectors.witness_board()
        assert board.away == [each.name for each in members[:4]]
        faults = [each.fault for each in board.witnesses]
        for fault, text in zip(
            faults,
            ["not UTF-8", "is signed by", "is wrong", "cannot be reached", ""],
            strict=True,
        ):
            assert text in fault
        assert faults[4] == ""
        assert [each.behind for each in board.witnesses[3:]] == [board.signed_size, 0]
        assert (board.published_size, board.settled_size) == (0, 0)

    def test_ask_again_from_the_size_that_a_witness_knows(self, members, quorum):
        register(members)
        publish(4)
        Rounds().settle()
        Witness.objects.update(last_size=0)  # we lost our memory of them
        members[0].file.unlink()  # and one of them lost its own
        publish(3)
        assert Rounds().settle() == 5
        assert members[0].statuses == [200, 200]
        assert members[1].statuses == [200, 409, 200]

    def test_rest_longer_after_each_fault_and_not_after_a_success(self, members):
        register(members[:1])
        rounds = Rounds()
        members[0].mood = "rubbish"
        asked_at_s = []
        for _half_second in range(100):
            publish_once = len(members[0].statuses)
            rounds.settle()
            if len(members[0].statuses) > publish_once:
                asked_at_s.append(rounds.monotonic_s)
            rounds.monotonic_s += 0.5
        assert asked_at_s == [0.0, 1.0, 3.0, 7.0, 15.0, 31.0]
        members[0].mood = "honest"
        rounds.monotonic_s += 30
        assert rounds.settle() == 1
        publish()
        assert rounds.settle() == 1  # at once

    def test_do_not_wait_for_a_slow_witness(self, members, quorum):
        register(members)
        publish()
        members[0].mood = 4.0
        rounds = Rounds(timeout_s=10.0)
        began_s = time.monotonic()
        rounds.settle(until=lambda: Cosignature.objects.count() == 4)
        for _more in range(3):
            [row] = publish()
            rounds.settle(until=lambda row=row: selectors.is_settled(row.pk))
            assert selectors.is_settled(row.pk)
        assert time.monotonic() - began_s < 3.9
        assert len(members[0].statuses) == 0
        members[0].mood = "honest"
        rounds.settle()
        # Its late answer counted for the checkpoint that it was asked about.
        assert Cosignature.objects.filter(witness__name=members[0].name).count() >= 1

    def test_show_a_witness_whose_answer_never_ends(self, members):
        register(members[:1])
        members[0].mood = 0.6
        rounds = Rounds(timeout_s=5.0)
        rounds.step()
        rounds.monotonic_s += 21.0
        rounds.step()
        [state] = selectors.witness_board().witnesses
        assert state.fault == "It has not ended its answer after 21 s."
        rounds.settle()
        assert selectors.witness_board().away == []

    def test_ask_all_for_the_same_checkpoint_while_the_log_grows(self, members, quorum):
        register(members)
        rounds = Rounds()
        for _growth in range(12):
            publish()
            rounds.rounds.wait(0.05)
            rounds.step()
        rounds.settle()
        whole = [row for row in Checkpoint.objects.all() if row.cosignatures.count() >= 4]
        assert whole
        assert selectors.published_size() == selectors.assigned_size()

    def test_keep_an_answer_that_the_database_did_not_take(self, members, monkeypatch):
        register(members)
        publish()
        rounds = Rounds()
        rounds.step()
        while len(rounds.rounds._arrived) < 5:
            rounds.rounds.wait(2)
        with monkeypatch.context() as patch:
            patch.setattr(Cosignature.objects, "get_or_create", locked)
            with pytest.raises(OperationalError):
                rounds.step()
        assert rounds.settle() == 5
        assert [len(each.statuses) for each in members] == [1] * 5

    def test_report_a_copy_of_the_log_that_is_ahead(self, members, log_key):
        register(members[:1])
        publish(3)
        Rounds().settle()
        ahead = selectors.latest_checkpoint().size
        Cosignature.objects.all().delete()
        # The witness saw more of this log than this installation ever signed.
        key = selectors.log_folder().read_signing_key()
        head = Head(origin=log_key.name, size=ahead + 900, root=b"r" * 32)
        members[0].file.write_bytes(sign_checkpoint(head, key=key).note.format())
        rounds = Rounds()
        rounds.settle()
        [state] = selectors.witness_board().witnesses
        assert f"It knows this log at size {ahead + 900}" in state.fault


def locked(**_fields):
    raise OperationalError("database is locked")


class TestCommand:
    @pytest.fixture(autouse=True)
    def signals_kept(self):
        kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
        yield
        for number, handler in kept.items():
            signal.signal(number, handler)

    def test_cosigns_and_reports(self, members, quorum, capsys):
        register(members)
        append(1)
        services.sequence_entries(at=AT)
        members[4].mood = "away"
        call_command("run_witness_rounds", for_s=1.5)
        size = selectors.latest_checkpoint().size
        assert capsys.readouterr().out == (
            f"5 witnesses, away: witness-4.example; entries signed {size}, published {size}, "
            f"settled {size}\n"
        )

    def test_waits_for_the_database(self, caplog, monkeypatch):
        stop = run_witness_rounds.threading.Event()
        stop.set()
        rounds = services.WitnessRounds()
        monkeypatch.setattr(rounds, "step", locked)
        assert run_witness_rounds.Command()._step(rounds, stop) == 0
        assert "the witness rounds wait for the database: database is locked" in caplog.text
