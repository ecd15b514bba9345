"""ClickHouse's HTTP interface in front of chDB, as far as the product speaks it.

A program of its own: chDB brings its own allocator and signal handlers, so it is in no
process of the product or of the tests. It prints its port and serves until its input ends::

    python chdb_server.py FOLDER USER PASSWORD
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from chdb import session

_AUTHENTICATION_FAILED = "516"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one piece: two would wait for each other's receipt
    engine: session.Session
    turn = threading.Lock()  # one session, one query at a time
    credentials: tuple[str, str]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        asked = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        shown = (self.headers["X-ClickHouse-User"], self.headers["X-ClickHouse-Key"])
        if shown != self.credentials:
            message = f"{shown[0]}: Authentication failed"
            self._refuse(403, _AUTHENTICATION_FAILED, f"Code: 516. DB::Exception: {message}")
            return
        try:
            answer = self._run(asked, body)
        except Exception as error:
            code = re.match(r"Code: (\d+)", str(error))
            self._refuse(500, code[1] if code else "0", str(error))
        else:
            self._answer(200, answer)

    def _run(self, asked: dict[str, str], body: bytes) -> bytes:
        parameters = {
            name.removeprefix("param_"): value
            for name, value in asked.items()
            if name.startswith("param_")
        }
        with self.turn:
            if "database" in asked:
                self.engine.query(f"USE {asked['database']}")
            if "query" not in asked:
                return self._query(body.decode(), parameters)
            with tempfile.NamedTemporaryFile(suffix=".arrow") as file:
                file.write(body)
                file.flush()
                query, form = asked["query"].rsplit(" FORMAT ", 1)
                before, brackets, settings = query.partition(")")
                query = f"{before}{brackets} FROM INFILE '{file.name}' {settings} FORMAT {form}"
                return self._query(query, parameters)

    def _query(self, query: str, parameters: dict[str, str]) -> bytes:
        return self.engine.query(query, "TabSeparated", params=parameters).bytes() or b""

    def _refuse(self, status: int, code: str, text: str) -> None:
        self._answer(status, f"{text}\n".encode(), {"X-ClickHouse-Exception-Code": code})

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        pass


def main(folder: str, user: str, password: str) -> None:
    Handler.engine = session.Session(folder)
    Handler.credentials = (user, password)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()
    os._exit(0)  # without chDB's own goodbye, which may take long


if __name__ == "__main__":
    main(*sys.argv[1:])
