"""A real HTTP server of a log's folder, as any web server would serve it."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer


class _Handler(SimpleHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        token = self.server.token
        if token is not None and self.headers.get("Authorization") != f"Bearer {token}":
            self.send_error(401)
            return
        answer = self.server.answers.pop(self.path, None)
        if answer is None:
            super().do_GET()
        else:
            answer(self)

    def log_message(self, *_arguments):
        pass


class FolderServer(ThreadingHTTPServer):
    """Serves a folder; remembers what was asked; answers otherwise once where told to.

    ``answers``: path -> function of the request handler. ``token``: what must be
    shown, if anything.
    """

    daemon_threads = True

    def __init__(self, folder):
        self.asked = []
        self.answers = {}
        self.token = None
        super().__init__(("127.0.0.1", 0), partial(_Handler, directory=str(folder)))
        self.address = f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def serving(server):
    """Run a server in a thread; yield it; end it."""
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
