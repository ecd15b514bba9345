"""The witness on a TCP port. Stands behind a proxy that adds TLS where logs are remote."""

from __future__ import annotations

import socket
import sys
import threading
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from missioncontrol.audit.merkle.errors import VerificationError
from missioncontrol.client.witness.add_checkpoint import MAX_REQUEST_OCTETS
from missioncontrol.client.witness.witness import TEXT, Answer, Witness

_PATH: Final = "/add-checkpoint"
_TIMEOUT_S: Final = 10.0  # without a single octet
_MAX_CONNECTIONS: Final = 64


class WitnessServer(ThreadingHTTPServer):
    """Serves one witness; a thread for each of at most 64 connections."""

    daemon_threads = True
    request_queue_size = 128  # callers that wait for a thread; socketserver's 5 turns logs away

    def __init__(self, address: tuple[str, int], witness: Witness) -> None:
        self.witness = witness
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        self._free = threading.BoundedSemaphore(_MAX_CONNECTIONS)
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Hand a connection to a thread, or drop it where all are busy."""
        if not self._free.acquire(timeout=_TIMEOUT_S):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection to its end."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Pass over a caller that went away; show anything else."""
        if isinstance(sys.exception(), OSError):
            return
        super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: WitnessServer
    timeout = _TIMEOUT_S
    server_version = "mc-witness"
    sys_version = ""

    def do_POST(self) -> None:  # the name that http.server calls
        self._answer(self._add_checkpoint())

    def do_GET(self) -> None:
        self._answer(
            _text(HTTPStatus.METHOD_NOT_ALLOWED, "POST a checkpoint here.")
            if self.path == _PATH
            else _text(HTTPStatus.NOT_FOUND, f"There is {_PATH}, by POST.")
        )

    def _add_checkpoint(self) -> Answer:
        if self.path != _PATH:
            return _text(HTTPStatus.NOT_FOUND, f"There is {_PATH}, by POST.")
        length = self.headers.get("Content-Length")
        if length is None or not (length.isascii() and length.isdigit()):
            return _text(HTTPStatus.LENGTH_REQUIRED, "Give Content-Length.")
        if int(length[:9]) > MAX_REQUEST_OCTETS or len(length) > 9:
            return _text(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"The limit is {MAX_REQUEST_OCTETS} octets.",
            )
        body = self.rfile.read(int(length))
        if len(body) != int(length):
            return _text(HTTPStatus.BAD_REQUEST, "The request broke off.")
        at = datetime.now(UTC)  # noqa: TID251  # machine time, which a cosignature states
        try:
            return self.server.witness.add_checkpoint(body, at=at)
        except (OSError, VerificationError) as fault:
            self.log_error("The ledger failed: %s", fault)
            return _text(HTTPStatus.SERVICE_UNAVAILABLE, "The witness cannot use its ledger.")

    def _answer(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)


def _text(status: HTTPStatus, text: str) -> Answer:
    return Answer(status=status, body=f"{text}\n".encode(), content_type=TEXT)
