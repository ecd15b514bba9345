from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest

from missioncontrol.audit.merkle.checkpoint import Checkpoint, sign_checkpoint
from missioncontrol.audit.merkle.cosignature import verify_cosignatures
from missioncontrol.audit.merkle.keys import KeyType, SigningKey
from missioncontrol.audit.witness_call import WitnessError, ask_witness, folder_prover
from tests.integration.missioncontrol.audit.grown_log import KEY, GrownLog
from tests.integration.missioncontrol.audit.witness_server import witnesses

pytestmark = pytest.mark.once


@pytest.fixture
def witness(tmp_path):
    with witnesses(1, tmp_path / "witness", log_key=KEY.verifier) as [one]:
        yield one


@pytest.fixture
def log(tmp_path):
    grown = GrownLog(tmp_path / "log")
    for begin, end in ((0, 300), (300, 500), (500, 700)):
        grown.append([b'{"n":%d}' % number for number in range(begin, end)])
    return grown


def head(log, size=700, *, key=KEY, root=None):
    """Return a signed checkpoint of the log, perhaps with another root or key."""
    checkpoint = log.heads[size].checkpoint
    return sign_checkpoint(replace(checkpoint, root=root or checkpoint.root), key=key)


def ask(witness, log, signed, *, known_size=0, key=None, url=None, timeout_s=2.0):
    return ask_witness(
        url=url or witness.url,
        key=key or witness.key.verifier,
        signed=signed,
        known_size=known_size,
        prove=folder_prover(log.folder),
        timeout_s=timeout_s,
    )


class TestAskWitness:
    def test_returns_a_line_that_completes_the_note(self, witness, log):
        signed = head(log)
        given = ask(witness, log, signed)
        note = signed.note.with_signatures([given.line])
        [found] = verify_cosignatures(note, witnesses=[witness.key.verifier])
        assert found.timestamp_s == given.timestamp_s
        assert abs(given.timestamp_s - time.time()) < 60

    def test_goes_on_from_where_the_witness_is(self, witness, log):
        ask(witness, log, head(log, 300))
        ask(witness, log, head(log, 700), known_size=300)
        assert witness.statuses == [200, 200]
        assert witness.latest().size == 700

    def test_starts_again_from_the_size_that_a_conflict_names(self, witness, log):
        ask(witness, log, head(log, 300))
        ask(witness, log, head(log, 500), known_size=0)  # we forgot
        witness.file.unlink()
        ask(witness, log, head(log, 700), known_size=500)  # the witness forgot
        assert witness.statuses == [200, 409, 200, 409, 200]

    def test_gets_a_second_cosignature_on_the_same_checkpoint(self, witness, log):
        ask(witness, log, head(log))
        ask(witness, log, head(log), known_size=700)
        assert witness.statuses == [200, 200]

    def test_says_that_the_witness_is_ahead(self, witness, log):
        ask(witness, log, head(log, 700))
        with pytest.raises(WitnessError, match="knows this log at size 700") as refusal:
            ask(witness, log, head(log, 300), known_size=700)
        assert refusal.value.known_size == 700

    def test_says_that_the_witness_saw_another_history(self, witness, log):
        ask(witness, log, head(log, 300))
        with pytest.raises(WitnessError, match=r"422 \(it saw another history of this log\)"):
            ask(witness, log, head(log, 300, root=b"f" * 32), known_size=300)

    def test_says_that_the_witness_does_not_know_the_key_or_the_log(self, witness, log):
        thief = SigningKey(name=KEY.name, type=KeyType.ED25519, seed=b"t" * 32)
        with pytest.raises(WitnessError, match="403"):
            ask(witness, log, head(log, key=thief))
        other = SigningKey(name="other.example", type=KeyType.ED25519, seed=b"t" * 32)
        foreign = sign_checkpoint(
            Checkpoint(origin=other.name, size=700, root=b"r" * 32), key=other
        )
        with pytest.raises(WitnessError, match=r"404 \(it does not witness this log\)"):
            ask(witness, log, foreign)

    @pytest.mark.parametrize(
        ("mood", "text"),
        [
            ("away", "cannot be reached"),
            ("rubbish", "not UTF-8 at octet 0"),
            ("stranger", "is signed by 'witness-0.example' .*, not by 'witness-0.example'"),
            ("forger", "is refused. The signature of 'witness-0.example' .* is wrong"),
            ("flooding", "longer than 16384 octets"),
        ],
    )
    def test_refuses_what_does_not_verify(self, witness, log, mood, text):
        witness.mood = mood
        with pytest.raises(WitnessError, match=text):
            ask(witness, log, head(log))

    def test_waits_no_longer_than_it_was_told(self, witness, log):
        witness.mood = 1.0
        begin = time.monotonic()
        with pytest.raises(WitnessError, match=r"did not answer within 0.2 s"):
            ask(witness, log, head(log), timeout_s=0.2)
        assert time.monotonic() - begin < 0.8

    def test_waits_no_longer_for_an_answer_in_drops(self, witness, log):
        with dripping() as url, pytest.raises(WitnessError, match=r"did not answer within 0.3 s"):
            ask(witness, log, head(log), url=url, timeout_s=0.3)

    @pytest.mark.parametrize(
        "answer",
        [
            b"HTTP/1.1 409 Conflict\r\nContent-Length: 4\r\n\r\nnine",
            b"HTTP/1.1 409 Conflict\r\nContent-Length: 3\r\n\r\n-1\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.1 999 Strange\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n\xe2\x80\x94 ",
            b"SSH-2.0-somebody\r\n",
            b"",
        ],
    )
    def test_survives_any_answer(self, witness, log, answer):
        with answering(answer) as url, pytest.raises(WitnessError, match="It"):
            ask(witness, log, head(log), url=url)


@contextmanager
def answering(octets, *, pause_s=0.0):
    """Answer one connection with these octets, whatever it asks."""

    def serve():
        connection, _address = listener.accept()
        with connection:
            connection.settimeout(2)
            connection.recv(65_536)
            for at in range(0, len(octets), 1 if pause_s else max(1, len(octets))):
                try:
                    connection.sendall(octets[at : at + (1 if pause_s else len(octets))])
                except OSError:
                    return
                time.sleep(pause_s)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        thread.join(5)
        assert not thread.is_alive()


@contextmanager
def dripping():
    body = b"x" * 30
    with answering(
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body), pause_s=0.02
    ) as url:
        yield url
