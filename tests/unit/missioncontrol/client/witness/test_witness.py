from __future__ import annotations

from datetime import UTC, datetime

import pytest

from missioncontrol.audit.merkle.checkpoint import Checkpoint, sign_checkpoint
from missioncontrol.audit.merkle.cosignature import verify_cosignatures
from missioncontrol.audit.merkle.errors import SignatureError
from missioncontrol.audit.merkle.keys import KeyType, SigningKey
from missioncontrol.audit.merkle.note import parse_note, parse_signature_line
from missioncontrol.client.errors import UsageError
from missioncontrol.client.witness.add_checkpoint import format_add_checkpoint
from missioncontrol.client.witness.ledger import MAX_EVIDENCE_FILES, Ledger
from missioncontrol.client.witness.witness import SIZE, TEXT, Witness
from tests.unit.missioncontrol.client.growing_log import KEY, GrowingLog

AT = datetime(2026, 12, 1, 12, tzinfo=UTC)
WITNESS = SigningKey(name="member.example/w", type=KeyType.COSIGNATURE_V1, seed=b"w" * 32)
OTHER = SigningKey(name="log.example/other", type=KeyType.ED25519, seed=b"p" * 32)


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path / "ledger")


@pytest.fixture
def witness(ledger):
    ledger.create(WITNESS.verifier)
    return Witness(key=WITNESS, logs=[KEY.verifier, OTHER.verifier], ledger=ledger)


def ask(witness, body):
    return witness.add_checkpoint(body, at=AT)


def evidence(ledger):
    return [file.read_bytes() for file in ledger.folder.glob("*.evidence/*")]


def cosigned(answer, signed):
    """Return the verified cosignatures in an answer."""
    assert (answer.status, answer.content_type) == (200, TEXT)
    lines = [parse_signature_line(line) for line in answer.body.decode().splitlines()]
    return verify_cosignatures(signed.note.with_signatures(lines), witnesses=[WITNESS.verifier])


class TestAddCheckpoint:
    def test_cosigns_a_log_that_it_sees_for_the_first_time_and_its_growth(self, witness, log):
        log.grow_to(0)
        for old, new in ((0, 0), (0, 5), (5, 5), (5, 300), (300, 1000)):
            log.grow_to(new)
            [found] = cosigned(ask(witness, log.request(old, new)), log.checkpoints[new])
            assert found.timestamp_s == AT.timestamp()
        assert witness.latest() == {KEY.name: 1000, OTHER.name: 0}

    def test_keeps_logs_apart(self, witness, log, tmp_path):
        other = GrowingLog(tmp_path / "other", key=OTHER).grow_to(40)
        ask(witness, log.grow_to(7).request(0, 7))
        assert ask(witness, other.request(0, 40)).status == 200
        assert witness.latest() == {KEY.name: 7, OTHER.name: 40}

    @pytest.mark.parametrize("old", [0, 3, 8])
    def test_answers_409_with_its_size_to_a_wrong_old_size(self, witness, log, old):
        ask(witness, log.grow_to(3).grow_to(5).request(0, 5))
        answer = ask(witness, log.grow_to(8).request(old, 8))
        assert (answer.status, answer.content_type, answer.body) == (409, SIZE, b"5\n")

    def test_answers_400_to_an_old_size_beyond_the_checkpoint(self, witness, log):
        log.grow_to(3)
        body = format_add_checkpoint(
            old_size=4, proof=[], checkpoint=log.checkpoints[3].note.format()
        )
        assert ask(witness, body).status == 400

    @pytest.mark.parametrize("body", [b"", b"old 0\n\n", b"old 0\n\nno note\n", b"\xff\n\n\n"])
    def test_answers_400_to_what_it_cannot_read(self, witness, body):
        assert ask(witness, body).status == 400

    def test_answers_404_to_a_log_that_it_does_not_know(self, witness, tmp_path):
        key = SigningKey(name="log.example/unknown", type=KeyType.ED25519, seed=b"u" * 32)
        log = GrowingLog(tmp_path / "unknown", key=key).grow_to(3)
        assert ask(witness, log.request(0, 3)).status == 404

    def test_answers_403_where_no_trusted_key_signed(self, witness, log):
        stranger = SigningKey(name=KEY.name, type=KeyType.ED25519, seed=b"x" * 32)
        signed = sign_checkpoint(log.grow_to(3).checkpoints[3].checkpoint, key=stranger)
        body = format_add_checkpoint(old_size=0, proof=[], checkpoint=signed.note.format())
        assert ask(witness, body).status == 403

    def test_answers_403_to_a_wrong_signature_of_the_log(self, witness, log):
        body = log.grow_to(3).request(0, 3).replace(b"\n3\n", b"\n4\n")
        assert ask(witness, body).status == 403

    def test_answers_422_to_a_proof_from_nothing(self, witness, log):
        body = format_add_checkpoint(
            old_size=0, proof=[bytes(32)], checkpoint=log.grow_to(3).checkpoints[3].note.format()
        )
        assert ask(witness, body).status == 422

    def test_answers_422_to_another_root_at_the_same_size_and_keeps_the_evidence(
        self, witness, ledger, log
    ):
        ask(witness, log.grow_to(5).request(0, 5))
        other = sign_checkpoint(Checkpoint(origin=KEY.name, size=5, root=b"x" * 32), key=KEY)
        for old, status in ((5, 422), (0, 409)):
            body = format_add_checkpoint(old_size=old, proof=[], checkpoint=other.note.format())
            assert ask(witness, body).status == status
            assert body in evidence(ledger)

    def test_answers_422_to_a_fork_and_keeps_the_evidence(self, witness, ledger, log, tmp_path):
        ask(witness, log.grow_to(200).grow_to(300).request(0, 300))
        fork = log.forked(tmp_path / "fork", size=200)
        body = fork.grow_to(300, mark="fork").grow_to(700).request(300, 700)
        answer = ask(witness, body)
        assert answer.status == 422
        assert b"does not extend" in answer.body
        assert evidence(ledger) == [body]
        assert ask(witness, log.grow_to(700).request(300, 700)).status == 200

    def test_keeps_no_more_evidence_than_the_disk_can_take(self, witness, ledger, log):
        ask(witness, log.grow_to(2).request(0, 2))
        for number in range(MAX_EVIDENCE_FILES + 5):
            root = number.to_bytes(32, "big")
            other = sign_checkpoint(Checkpoint(origin=KEY.name, size=2, root=root), key=KEY)
            body = format_add_checkpoint(old_size=2, proof=[], checkpoint=other.note.format())
            assert ask(witness, body).status == 422
        assert len(evidence(ledger)) == MAX_EVIDENCE_FILES

    def test_cosigns_nothing_that_it_could_not_store(self, witness, ledger, log, monkeypatch):
        def full(*_arguments):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(ledger, "keep", full)
        with pytest.raises(OSError, match="No space"):
            ask(witness, log.grow_to(5).request(0, 5))
        assert witness.latest()[KEY.name] == 0

    def test_stores_no_lines_of_keys_that_it_does_not_know(self, witness, ledger, log):
        signed = log.grow_to(5).checkpoints[5]
        stranger = parse_signature_line("\N{EM DASH} stranger " + "A" * 400)
        crowded = signed.note.with_signatures([stranger]).format()
        body = format_add_checkpoint(old_size=0, proof=[], checkpoint=crowded)
        assert ask(witness, body).status == 200
        assert parse_note(ledger.read(KEY.name)) == signed.note


class TestStart:
    def test_remembers_what_it_cosigned(self, witness, ledger, log):
        ask(witness, log.grow_to(5).request(0, 5))
        again = Witness(key=WITNESS, logs=[KEY.verifier], ledger=ledger)
        assert again.latest() == {KEY.name: 5}
        assert ask(again, log.grow_to(9).request(0, 9)).body == b"5\n"

    def test_accepts_either_key_of_a_log_that_changes_its_key(self, ledger, log):
        ledger.create(WITNESS.verifier)
        newer = SigningKey(name=KEY.name, type=KeyType.ED25519, seed=b"r" * 32)
        both = Witness(key=WITNESS, logs=[KEY.verifier, newer.verifier], ledger=ledger)
        assert ask(both, log.grow_to(5).request(0, 5)).status == 200
        log.key = newer
        assert ask(both, log.grow_to(9).request(5, 9)).status == 200

    def test_refuses_a_ledger_that_was_changed(self, witness, ledger, log):
        ask(witness, log.grow_to(5).request(0, 5))
        ledger.keep(KEY.name, ledger.read(KEY.name).replace(b"\n5\n", b"\n4\n"))
        with pytest.raises(SignatureError):
            Witness(key=WITNESS, logs=[KEY.verifier], ledger=ledger)

    @pytest.mark.parametrize(
        ("key", "logs"), [(KEY, [KEY.verifier]), (WITNESS, [WITNESS.verifier])]
    )
    def test_refuses_keys_of_the_wrong_type(self, ledger, key, logs):
        with pytest.raises(UsageError, match="is not"):
            Witness(key=key, logs=logs, ledger=ledger)


class TestLedger:
    def test_opens_for_its_own_key(self, ledger):
        ledger.create(WITNESS.verifier)
        with ledger.opened(WITNESS.verifier):
            assert ledger.read(KEY.name) is None

    def test_refuses_a_second_process(self, ledger):
        ledger.create(WITNESS.verifier)
        second = Ledger(ledger.folder).opened(WITNESS.verifier)
        with ledger.opened(WITNESS.verifier), pytest.raises(UsageError, match="Another process"):
            second.__enter__()

    def test_refuses_another_key(self, ledger):
        ledger.create(WITNESS.verifier)
        other = SigningKey(name="m2", type=KeyType.COSIGNATURE_V1, seed=b"2" * 32)
        with pytest.raises(UsageError, match="not of this key"), ledger.opened(other.verifier):
            pass

    def test_refuses_to_begin_without_its_memory(self, ledger):
        with pytest.raises(UsageError, match="retire this key"), ledger.opened(WITNESS.verifier):
            pass

    def test_is_made_only_once(self, ledger):
        ledger.create(WITNESS.verifier)
        with pytest.raises(UsageError, match="already"):
            ledger.create(WITNESS.verifier)
