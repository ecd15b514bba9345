"""A program for tests: an installation that appends, sequences and serves its log.

Works in the folder VAR_DIR. Prints one line of JSON with its address and public
key. For each line on standard input that holds a number, appends as many
entries, sequences them, and prints the size; ends with the input.
"""

from __future__ import annotations

import json
import sys
import threading
from datetime import UTC, datetime
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import transaction  # noqa: E402

from missioncontrol.audit import selectors  # noqa: E402
from missioncontrol.audit.services import append_entry, sequence_entries  # noqa: E402
from missioncontrol.wsgi import application  # noqa: E402

AT = datetime(2026, 12, 1, tzinfo=UTC)


class Quiet(WSGIRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        pass


def grow(count: int) -> int:
    for number in range(count):
        with transaction.atomic():
            append_entry(
                action="telecommand.approve",
                subject=f"telecommand:{number}",
                actor="operator:alice",
                at=AT,
                organisation="member-1",
                details={"text": "Größe \u2026", "numbers": [number, 0.1]},
            )
    while sequence_entries(at=AT):
        pass
    return selectors.published_size()


def main() -> None:
    call_command("migrate", verbosity=0, skip_checks=True)
    grow(1)
    server = make_server("127.0.0.1", 0, application, handler_class=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    key = selectors.log_folder().read_verifier_key()
    address = f"http://127.0.0.1:{server.server_port}/log"
    print(json.dumps({"address": address, "vkey": key.to_vkey()}), flush=True)
    for line in sys.stdin:
        print(grow(int(line)), flush=True)


main()
