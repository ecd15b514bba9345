"""A provider of ground stations for rehearsals and tests, as docs/station-providers.md says.

    python -m missioncontrol.simulator.station_provider --port 18500 --token TOKEN

It keeps what it has given in a file, so that it can be stopped and started. With
PUT /simulation it is told to misbehave: to be slow, to be away, to refuse an
antenna, to do what it is asked and lose the answer, to take a contact back.
"""

from __future__ import annotations

import json
import os
import re
import threading
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

PAGE: Final = 100  # contacts in one answer
_CONTACT: Final = re.compile(r"/contacts/([^/]+)")
_HELD: Final = "SCHEDULED"
_MAX_BODY: Final = 65_536
_Answer = tuple[int, dict[str, Any]]


@dataclass(slots=True)
class Faults:
    """How it misbehaves from now on."""

    latency_ms: int = 0
    away: bool = False  # it answers 503
    retry_after_s: int = 0  # and then for how long it asks to be left alone; 0: it does not say
    refuse: dict[str, str] = field(default_factory=dict)  # antenna -> reason
    lose_answers: int = 0  # so many contacts are given and the line then cut


@dataclass(slots=True)
class Ledger:
    """What was given, by contact_id; written to the file before it is told."""

    file: Path
    contacts: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def open(cls, file: Path) -> Ledger:
        kept = json.loads(file.read_text()) if file.exists() else {}
        return cls(file, kept)

    def keep(self) -> None:
        """Write the file whole or not at all."""
        unfinished = self.file.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(self.contacts, indent=1))
        os.replace(unfinished, self.file)


class StationProvider:
    """Gives and takes back contacts; one at a time on an antenna."""

    def __init__(self, ledger: Ledger) -> None:
        """Go on from what was given before."""
        self.faults = Faults()
        self._ledger = ledger
        self._lock = threading.Lock()

    def reserve(self, asked: dict[str, Any]) -> _Answer:
        """Give a contact, or what was given for its token before."""
        with self._lock:
            for known in self._ledger.contacts.values():
                if known["client_token"] == asked["client_token"]:
                    return 200, known
            refusal = self._why_not(asked)
            if refusal:
                return 422, {"reason": refusal}
            number = len(self._ledger.contacts) + 1
            given = {**asked, "contact_id": f"c-{number}", "status": _HELD, "reason": ""}
            self._ledger.contacts[given["contact_id"]] = given
            self._ledger.keep()
            return 201, given

    def list(self, begins: datetime, ends: datetime, cursor: int) -> _Answer:
        """Return a page of what touches an interval."""
        with self._lock:
            found = [
                one
                for one in self._ledger.contacts.values()
                if _at(one["begins"]) < ends and _at(one["ends"]) > begins
            ]
        page = found[cursor : cursor + PAGE]
        more = cursor + PAGE < len(found)
        return 200, {"contacts": page, "next_cursor": str(cursor + PAGE) if more else None}

    def cancel(self, contact_id: str) -> _Answer:
        """Take a contact back from who has it."""
        return self._end(contact_id, "CANCELLED", "")

    def misbehave(self, asked: dict[str, Any]) -> _Answer:
        """Change the faults; ``take_back`` and ``forget`` name contacts and act at once."""
        for contact_id, reason in asked.pop("take_back", {}).items():
            self._end(contact_id, "PROVIDER_CANCELLED", reason)
        with self._lock:
            for contact_id in asked.pop("forget", ()):
                self._ledger.contacts.pop(contact_id, None)
            self._ledger.keep()
        self.faults = Faults(**asked)
        return 200, asdict(self.faults)

    def _end(self, contact_id: str, status: str, reason: str) -> _Answer:
        with self._lock:
            found = self._ledger.contacts.get(contact_id)
            if found is None:
                return 404, {"reason": f"There is no contact {contact_id}."}
            if found["status"] == _HELD:
                found["status"], found["reason"] = status, reason
                self._ledger.keep()
            return 200, found

    def _why_not(self, asked: dict[str, Any]) -> str:
        antenna = asked["antenna"]
        if antenna in self.faults.refuse:
            return self.faults.refuse[antenna]
        begins, ends = _occupied(asked)
        for other in self._ledger.contacts.values():
            same = other["antenna"] == antenna and other["status"] == _HELD
            if same and _occupied(other)[0] < ends and _occupied(other)[1] > begins:
                return f"{antenna} is given to somebody else from {other['begins']} on."
        return ""


class _Handler(BaseHTTPRequestHandler):
    provider: StationProvider
    token: str
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_GET  # noqa: N815  # the names are the library's
    do_PUT = do_GET  # noqa: N815
    do_DELETE = do_GET  # noqa: N815

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        """Say nothing of each request."""

    def _serve(self) -> None:
        body = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), _MAX_BODY))
        url = urlsplit(self.path)
        if self.command == "PUT" and url.path == "/simulation":
            return self._answer(*self.provider.misbehave(json.loads(body)))
        faults = self.provider.faults
        time.sleep(faults.latency_ms / 1000)
        if self.headers.get("Authorization") != f"Bearer {self.token}":
            return self._answer(401, {"reason": "The token is not known."})
        if faults.away:
            return self._answer(503, {"reason": "closed"}, retry_after_s=faults.retry_after_s)
        try:
            status, answer = self._act(url.path, parse_qs(url.query), body)
        except (ValueError, KeyError) as error:
            status, answer = 400, {"reason": f"The request cannot be read: {error!r}."}
        if status == 201 and faults.lose_answers > 0:
            faults.lose_answers -= 1
            self.close_connection = True
            return None
        return self._answer(status, answer)

    def _act(self, path: str, query: dict[str, list[str]], body: bytes) -> _Answer:
        match = _CONTACT.fullmatch(path)
        if self.command == "DELETE" and match:
            return self.provider.cancel(unquote(match[1]))
        if self.command == "POST" and path == "/contacts":
            return self.provider.reserve(json.loads(body))
        if self.command == "GET" and path == "/contacts":
            begins, ends = (_at(query[name][0]) for name in ("begins", "ends"))
            return self.provider.list(begins, ends, int(query.get("cursor", ["0"])[0]))
        return 404, {"reason": f"There is nothing at {self.command} {path}."}

    def _answer(self, status: int, answer: dict[str, Any], *, retry_after_s: int = 0) -> None:
        octets = json.dumps(answer).encode()
        self.send_response(status)
        if retry_after_s:
            self.send_header("Retry-After", str(retry_after_s))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(octets)))
        self.end_headers()
        self.wfile.write(octets)


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _occupied(contact: dict[str, Any]) -> tuple[datetime, datetime]:
    before, after = (timedelta(seconds=contact[name]) for name in ("pre_pass_s", "post_pass_s"))
    return _at(contact["begins"]) - before, _at(contact["ends"]) + after


def serve(arguments: Sequence[str] | None = None) -> None:
    """Answer until the process is ended; the first line says where."""
    parser = ArgumentParser(description="A simulated provider of ground stations.")
    parser.add_argument("--port", type=int, default=0, help="of 127.0.0.1; default: a free one")
    parser.add_argument("--token", required=True, help="what who asks must show")
    parser.add_argument("--state", type=Path, required=True, help="file of what was given")
    options = parser.parse_args(arguments)
    handler = type(
        "Handler",
        (_Handler,),
        {"provider": StationProvider(Ledger.open(options.state)), "token": options.token},
    )
    server = ThreadingHTTPServer(("127.0.0.1", options.port), handler)
    server.daemon_threads = True
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    serve()
