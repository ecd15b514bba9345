"""A member's witness for tests: strict, with its memory on the disk, and able to misbehave.

Written from C2SP tlog-witness and not from the product's own witness, so that
both sides of the product meet somebody else.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from base64 import b64decode
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from missioncontrol.audit.merkle.checkpoint import (
    Checkpoint,
    open_checkpoint,
    parse_checkpoint_body,
    verify_extension,
)
from missioncontrol.audit.merkle.cosignature import cosign
from missioncontrol.audit.merkle.errors import ProofError, SignatureError
from missioncontrol.audit.merkle.hashing import EMPTY_ROOT
from missioncontrol.audit.merkle.keys import KeyType, SigningKey
from missioncontrol.audit.merkle.note import parse_note


class TestWitness:
    """What one witness knows and answers.

    ``mood``: honest; away (closes the connection); rubbish; stranger (signs with
    another key); forger (its own name over a wrong signature); colluder (signs
    everything); flooding (an endless answer); or a number of seconds to wait.
    """

    __test__ = False

    def __init__(self, number, folder, *, log_key):
        self.name = f"witness-{number}.example"
        self.key = _key(self.name, b"key")
        self.stranger = _key(self.name, b"stranger")
        self.log_key = log_key
        self.log_keys = [log_key]  # more while the log changes its key
        self.file = folder / f"{self.name}.note"
        self.mood = "honest"
        self.cosigned = []  # checkpoints, in order
        self.statuses = []
        self._lock = threading.Lock()
        self.url = ""

    @property
    def vkey(self):
        return self.key.verifier.to_vkey()

    def latest(self):
        """Return the checkpoint that lies on the disk, or None."""
        if not self.file.exists():
            return None
        return open_checkpoint(
            self.file.read_bytes(), origin=self.log_key.name, log_keys=self.log_keys
        ).checkpoint

    def answer(self, body):
        """Return status, content type and octets."""
        with self._lock:
            answer = self._answer(body)
            self.statuses.append(answer[0])
            return answer

    def _answer(self, body):
        try:
            old, proof, note = read_request(body)
            asked = parse_checkpoint_body(parse_note(note).text)
            if asked.origin != self.log_key.name:
                return 404, "text/plain", b"unknown origin"
            open_checkpoint(note, origin=asked.origin, log_keys=self.log_keys)
        except SignatureError as fault:
            return 403, "text/plain", str(fault).encode()
        except ValueError as fault:
            return 400, "text/plain", str(fault).encode()
        if old > asked.size:
            return 400, "text/plain", b"old size is larger"
        if self.mood == "colluder":
            return self._cosign(asked)
        return self._extend(old, proof, asked, note)

    def _extend(self, old, proof, asked, note):
        latest = self.latest() or Checkpoint(origin=asked.origin, size=0, root=EMPTY_ROOT)
        if old != latest.size:
            return 409, "text/x.tlog.size", b"%d\n" % latest.size
        try:
            verify_extension(latest, asked, proof=proof)
        except ProofError as fault:
            return 422, "text/plain", str(fault).encode()
        self._persist(note)
        return self._cosign(asked)

    def _persist(self, note):
        beside = self.file.with_suffix(".new")
        with beside.open("wb") as stream:
            stream.write(note)
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(self.file)

    def _cosign(self, asked):
        at = datetime.now(UTC)
        if self.mood == "rubbish":
            return 200, "text/plain", b"\xff\x00 all is well\n"
        key = self.stranger if self.mood == "stranger" else self.key
        signed = asked
        if self.mood == "forger":
            signed = type(asked)(origin=asked.origin, size=asked.size + 1, root=asked.root)
        self.cosigned.append(asked)
        return 200, "text/plain", cosign(signed, key=key, at=at).format().encode()


def read_request(body):
    """Return old size, proof and note of an add-checkpoint request."""
    head, separator, note = body.partition(b"\n\n")
    first, *hashes = head.decode("ascii").split("\n")
    if not separator or not first.startswith("old ") or len(hashes) > 63:
        raise ValueError("no add-checkpoint request")
    return (
        int(first.removeprefix("old ")),
        [b64decode(each, validate=True) for each in hashes],
        note,
    )


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        witness = self.server.witness
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if witness.mood == "away" or self.path != "/add-checkpoint":
            return
        if isinstance(witness.mood, float):
            time.sleep(witness.mood)
        status, kind, octets = witness.answer(body)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if witness.mood == "flooding":
            octets *= 10_000
        self.send_header("Content-Length", str(len(octets)))
        self.end_headers()
        self.wfile.write(octets)

    def log_message(self, *arguments):
        """Stay silent."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Callers may go away."""


def _key(name, salt):
    seed = hashlib.sha256(name.encode() + salt).digest()
    return SigningKey(name=name, type=KeyType.COSIGNATURE_V1, seed=seed)


@contextmanager
def _serve(witness):
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.witness = witness
        witness.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield witness
        server.shutdown()
        thread.join()


@contextmanager
def witnesses(count, folder, *, log_key):
    """Serve *count* witnesses on loopback, each with its own port and memory."""
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        yield [
            stack.enter_context(_serve(TestWitness(number, folder, log_key=log_key)))
            for number in range(count)
        ]
