"""A member's receiver for tests: a real server on loopback, able to misbehave."""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from missioncontrol.client.webhooks import verify_webhook


@dataclass(frozen=True)
class Received:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self):
        return self.headers["webhook-id"]

    @property
    def event(self):
        return json.loads(self.body)


class Receiver:
    """What one receiver got, and how it answers.

    ``mood``: a status; or "hang" (no answer), "drip" (an octet at a time), "reset",
    "rubbish" (no HTTP), "flood" (an endless answer); or a function of the message
    that returns one of these.
    """

    def __init__(self):
        self.mood = 200
        self.answer_headers = {}
        self.text = b""
        self.got = []
        self.lines = "closed"  # after each answer; or "kept", or "dropped" without a word
        self.connections = 0
        self.url = ""
        self.ended = threading.Event()

    @property
    def ids(self):
        return [each.id for each in self.got]

    @property
    def types(self):
        return [each.event["type"] for each in self.got]

    def verified(self, secret):
        """Check all that came as a receiver must; return the events."""
        now = datetime.now(UTC)
        return [
            verify_webhook(secret, each.headers, each.body, now=now).event for each in self.got
        ]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        receiver = self.server.receiver
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:
            return  # the sender was killed between two parts of it, so it is no message
        message = Received(self.path, {k.lower(): v for k, v in self.headers.items()}, body)
        receiver.got.append(message)
        mood = receiver.mood(message) if callable(receiver.mood) else receiver.mood
        self.close_connection = receiver.lines != "kept"
        if isinstance(mood, int):
            self._answer(receiver, mood)
        else:
            getattr(self, f"_{mood}")(receiver)

    def _answer(self, receiver, status):
        self.send_response(status)
        headers = {"Connection": "close"} if receiver.lines == "closed" else {}
        for name, value in {**headers, **receiver.answer_headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(receiver.text)))
        self.end_headers()
        self.wfile.write(receiver.text)

    def _hang(self, receiver):
        receiver.ended.wait(30)

    def _drip(self, receiver):
        for octet in b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 1000:
            self.wfile.write(bytes([octet]))
            self.wfile.flush()
            if receiver.ended.wait(0.1):
                return

    def _reset(self, receiver):
        self.connection.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00"
        )
        self.connection.close()

    def _rubbish(self, receiver):
        self.wfile.write(b"\x00\xff\r\n\r\n")

    def _flood(self, receiver):
        self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        until = time.monotonic() + 30
        while time.monotonic() < until and not receiver.ended.is_set():
            self.wfile.write(b"x" * 65536)

    def log_message(self, *arguments):
        """Stay silent."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def get_request(self):
        self.receiver.connections += 1
        return super().get_request()

    def handle_error(self, request, client_address):
        """Senders may go away."""


@contextmanager
def receiving(port=0, *, tls=None):
    """Run a receiver on loopback; *tls*: the context to speak it with."""
    receiver = Receiver()
    with _Server(("127.0.0.1", port), _Handler) as server:
        server.receiver = receiver
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            receiver.ended.set()
            server.shutdown()
            thread.join()
