"""A witness whose log changes its key."""

from __future__ import annotations

import threading

import pytest

from missioncontrol.audit.merkle.errors import VerificationError
from missioncontrol.client.errors import UnreachableError
from missioncontrol.client.witness import following
from missioncontrol.client.witness.ledger import Ledger
from missioncontrol.client.witness.witness import Witness
from tests.unit.missioncontrol.client.growing_log import KEY, NEXT, THIRD, flip
from tests.unit.missioncontrol.client.witness.test_witness import AT, WITNESS


@pytest.fixture
def ledger(tmp_path):
    made = Ledger(tmp_path / "ledger")
    made.create(WITNESS.verifier)
    return made


@pytest.fixture
def witness(ledger):
    return Witness(key=WITNESS, logs=[KEY.verifier], ledger=ledger)


def status(witness, log, old, new):
    return witness.add_checkpoint(log.request(old, new), at=AT).status


def look(witness, *sources):
    """Look once, as the thread does again and again."""
    stop = threading.Event()
    stop.set()
    following.follow_keys(witness, sources, stop=stop)


class TestFollow:
    def test_cosigns_under_the_old_key_under_both_and_under_the_new_one(self, witness, log):
        assert status(witness, log.grow_to(300), 0, 300) == 200
        log.announce(NEXT).grow_to(400)
        assert status(witness, log, 300, 400) == 200
        look(witness, log.folder)
        log.retire().grow_to(500)
        assert status(witness, log, 400, 500) == 200

    def test_refuses_the_new_key_until_it_has_read_the_announcement(self, witness, log):
        log.grow_to(300).announce(NEXT).retire().grow_to(500)
        assert status(witness, log, 0, 500) == 403
        look(witness, log.folder)
        assert status(witness, log, 0, 500) == 200

    def test_never_forgets_a_key_that_it_followed(self, witness, log, ledger):
        log.grow_to(300).announce(NEXT).retire().grow_to(400)
        log.announce(THIRD).retire().grow_to(500)
        look(witness, log.folder)
        look(witness, log.folder)  # from key to key
        assert status(witness, log, 0, 500) == 200
        again = Witness(key=WITNESS, logs=[KEY.verifier], ledger=ledger)
        assert again.log_keys() == [KEY.verifier, NEXT.verifier, THIRD.verifier]
        assert again.latest() == {KEY.name: 500}
        assert status(again, log.grow_to(600), 500, 600) == 200

    def test_holds_the_new_key_to_the_old_one_s_history(self, witness, log, tmp_path):
        log.grow_to(200).grow_to(300).announce(NEXT).retire()
        assert status(witness, log, 0, 301) == 200
        look(witness, log.folder)
        fork = log.forked(tmp_path / "fork", size=200)
        fork.key = NEXT
        fork.grow_to(900, mark="fork")
        assert status(witness, fork, 301, 900) == 422

    def test_takes_over_nothing_that_the_old_key_did_not_sign(self, witness, log, ledger):
        log.grow_to(300).announce(NEXT).grow_to(400)
        octets = bytearray(log.folder.read_announcement(KEY.verifier))
        octets[-10] ^= 1
        with pytest.raises(VerificationError):
            witness.follow(KEY.verifier, bytes(octets))
        assert witness.log_keys() == [KEY.verifier]
        assert ledger.read_announcement(KEY.verifier) is None

    def test_says_once_what_it_took_over(self, witness, log, capsys):
        log.grow_to(300).announce(NEXT).grow_to(400)
        look(witness, log.folder)
        look(witness, log.folder)
        said = f"log {KEY.name}: follows to the key {NEXT.verifier.to_vkey()}\n"
        assert capsys.readouterr().out == said


class TestTrouble:
    def test_with_one_source_keeps_nobody_from_another(self, witness, log, capsys):
        class Away:
            def read_announcement(self, key):
                raise UnreachableError("https://ops.example/log cannot be read.")

        log.grow_to(300).announce(NEXT).grow_to(400)
        look(witness, Away(), log.folder)
        assert "looking for the log's next key: https://ops" in capsys.readouterr().err
        assert NEXT.verifier in witness.log_keys()

    def test_is_said_once(self, witness, log, capsys, monkeypatch):
        log.grow_to(300).announce(NEXT).grow_to(400)
        flip(log.path / "keys" / KEY.verifier.key_id.hex(), 300)
        stop = threading.Event()
        waits = []

        def wait(_timeout_s):
            waits.append(1)
            return len(waits) == 3

        monkeypatch.setattr(stop, "wait", wait)
        following.follow_keys(witness, [log.folder], stop=stop)
        assert capsys.readouterr().err.count("looking for the log's next key") == 1
