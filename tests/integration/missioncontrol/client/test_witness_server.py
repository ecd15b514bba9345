from __future__ import annotations

import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from pathlib import Path

import pytest

from missioncontrol.audit.merkle.keys import KeyType, SigningKey
from missioncontrol.client.witness.add_checkpoint import (
    MAX_REQUEST_OCTETS,
    format_add_checkpoint,
)
from tests.integration.missioncontrol.client.witness_process import MC, ROOT, WitnessProcess, post
from tests.unit.missioncontrol.client.growing_log import KEY, NEXT, VKEY, GrowingLog

pytestmark = pytest.mark.once

OTHER = SigningKey(name="log.example/other", type=KeyType.ED25519, seed=b"p" * 32)
TEXT = "text/plain; charset=utf-8"
SIZE = "text/x.tlog.size"


@pytest.fixture
def witness(tmp_path):
    return WitnessProcess(tmp_path / "member", logs=[VKEY, OTHER.verifier.to_vkey()])


@pytest.fixture
def port(witness):
    with witness.running() as process:
        yield process.port


def test_cosigns_two_logs(witness, port, log, tmp_path):
    other = GrowingLog(tmp_path / "other", key=OTHER)
    for old, new in ((0, 3), (3, 300), (300, 700)):
        for each in (log, other):
            status, kind, body = post(port, each.grow_to(new).request(old, new))
            assert (status, kind) == (200, TEXT)
            assert len(witness.cosignatures(body, each.checkpoints[new])) == 1


def test_answers_each_fault_with_its_status(port, log, tmp_path):
    log.grow_to(200).grow_to(300)
    assert post(port, log.request(0, 300))[0] == 200
    fork = log.forked(tmp_path / "fork", size=200).grow_to(300, mark="fork").grow_to(400)
    assert post(port, log.grow_to(400).request(200, 400)) == (409, SIZE, b"300\n")
    assert post(port, fork.request(300, 400))[0] == 422
    assert post(port, fork.request(300, 300))[0] == 422
    unknown = SigningKey(name="log.example/unknown", type=KeyType.ED25519, seed=b"u" * 32)
    stranger = GrowingLog(tmp_path / "unknown", key=unknown).grow_to(3)
    assert post(port, stranger.request(0, 3))[0] == 404
    impostor = SigningKey(name="log.example/ops", type=KeyType.ED25519, seed=b"i" * 32)
    assert post(port, GrowingLog(tmp_path / "i", key=impostor).request(0, 0))[0] == 403
    note = log.checkpoints[200].note.format()
    larger = format_add_checkpoint(old_size=300, proof=[], checkpoint=note)
    assert post(port, larger)[0] == 400
    assert post(port, b"nonsense")[0] == 400
    assert post(port, log.request(300, 400))[0] == 200


def test_bounds_what_it_reads(port, log):
    assert post(port, b"", path="/elsewhere")[0] == 404
    for length, status in (
        (str(MAX_REQUEST_OCTETS + 1), 413),
        ("9" * 5000, 413),
        ("-1", 411),
        ("1_0", 411),
    ):
        request = f"POST /add-checkpoint HTTP/1.1\r\nContent-Length: {length}\r\n\r\n"
        with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
            line.sendall(request.encode())
            assert f" {status} ".encode() in line.makefile("rb").readline()
    assert post(port, log.grow_to(3).request(0, 3))[0] == 200


def test_goes_on_after_callers_that_break_off(port, log):
    for octets in (
        b"",
        b"POST /add",
        b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 9\r\n\r\nx",
    ):
        with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
            line.sendall(octets)
    assert post(port, log.grow_to(3).request(0, 3))[0] == 200


def test_never_cosigns_two_histories_however_many_ask_at_once(witness, port, log, tmp_path):
    """Eight branches from one size, each asked for four times, all together."""
    log.grow_to(100)
    assert post(port, log.request(0, 100))[0] == 200
    branches = [
        log.forked(tmp_path / f"branch-{number}", size=100).grow_to(150 + number, mark=f"{number}")
        for number in range(8)
    ]
    asked = [(each, each.request(100, len(each.entries))) for each in branches] * 4
    with ThreadPoolExecutor(max_workers=16) as pool:
        answers = list(pool.map(lambda item: post(port, item[1]), asked))
    won = [each for (each, _), answer in zip(asked, answers, strict=True) if answer[0] == 200]
    assert len(won) == 1
    size = len(won[0].entries)
    lost = {answer[:1] + answer[2:] for answer in answers if answer[0] != 200}
    assert lost == {(409, f"{size}\n".encode())}
    assert post(port, won[0].grow_to(300).request(size, 300))[0] == 200


def test_serves_a_log_that_grows_by_many_hands(port, log):
    """Each asks, reads the size from the 409, and asks again: all come through."""
    sizes = list(range(10, 210, 10))
    for size in sizes:
        log.grow_to(size)

    def bring(size):
        old = 0
        while True:
            status, _, body = post(port, log.request(old, size))
            if status == 200:
                return "cosigned"
            assert status == 409
            old = int(body)
            if old > size:
                return "overtaken"

    with ThreadPoolExecutor(max_workers=8) as pool:
        done = list(pool.map(bring, sizes))
    assert done[-1] == "cosigned"
    assert post(port, log.request(0, 200))[2] == b"200\n"


def test_remembers_over_kill_9_between_storing_and_answering(witness, log, tmp_path):
    log.grow_to(100)
    with witness.running() as process:
        assert post(process.port, log.request(0, 100))[0] == 200
    fork = log.forked(tmp_path / "fork", size=100).grow_to(300, mark="fork")
    log.grow_to(300)
    program = [str(Path(__file__).with_name("killed_witness.py"))]
    with witness.running(program) as process:
        with pytest.raises((OSError, HTTPException)):
            post(process.port, log.request(100, 300))
        assert process.wait(20) == -signal.SIGKILL
    with witness.running() as process:
        # The log does not know that it got through, and asks the same again.
        assert post(process.port, log.request(100, 300)) == (409, SIZE, b"300\n")
        status, _, body = post(process.port, log.request(300, 300))
        assert status == 200
        assert len(witness.cosignatures(body, log.checkpoints[300])) == 1
        assert post(process.port, fork.request(100, 300))[0] == 409
        assert post(process.port, fork.request(300, 300))[0] == 422


def test_stops_when_told_to(witness):
    with witness.running() as process:
        process.terminate()
        assert process.wait(20) == 0


def test_runs_once_for_a_ledger(witness, port):
    second = subprocess.run(
        [sys.executable, *MC, "witness", "run", *witness.places, "--log", VKEY],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 2
    assert "Another process works with" in second.stderr


def test_says_that_its_address_is_taken(witness, port, tmp_path):
    other = WitnessProcess(tmp_path / "other", logs=[VKEY])
    done = subprocess.run(
        [
            sys.executable,
            *MC,
            "witness",
            "run",
            *other.places,
            "--log",
            VKEY,
            "--listen",
            f"127.0.0.1:{port}",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "Address already in use" in done.stderr


def test_follows_a_log_that_changes_its_key_by_itself(log, server, tmp_path):
    """With a token, as a guarded log asks for one."""
    log.grow_to(300).announce(NEXT).retire().grow_to(400)
    server.token = "mc_0a1b_secret"
    file = tmp_path / "token"
    file.write_text(server.token)
    file.chmod(0o600)
    witness = WitnessProcess(tmp_path / "member", logs=[VKEY])
    follow = ["--follow", server.address, "--token-file", file]
    with witness.running(further=follow) as process:
        assert process.stdout.readline() == (
            f"log {KEY.name}: follows to the key {NEXT.verifier.to_vkey()}\n"
        )
        status, _, answer = post(process.port, log.request(0, 400))
        assert status == 200
        assert witness.cosignatures(answer, log.checkpoints[400])
