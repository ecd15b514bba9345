"""A program for tests: an installation that appends, sequences and serves its log.

Works in the folder VAR_DIR. Prints one line of JSON with its address, a member's
token for it, the address of a proxy that adds the token (for programs that know
none), and the log's public key. For each line on standard input that holds a
number, appends as many entries, sequences them, and prints the size; ends with
the input.
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

from missioncontrol.accounts.models import Membership, Operator, Organisation  # noqa: E402
from missioncontrol.accounts.policy import Action, Role  # noqa: E402
from missioncontrol.accounts.services import create_token  # noqa: E402
from missioncontrol.audit import selectors  # noqa: E402
from missioncontrol.audit.services import append_entry, sequence_entries  # noqa: E402
from missioncontrol.kernel import clock  # noqa: E402
from missioncontrol.kernel.organisations import process_acts_for_everybody  # noqa: E402
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


def member_token() -> str:
    """Return the secret of a token that may read the log."""
    organisation = Organisation.objects.create(slug="member-1", name="Member", kind="member")
    auditor = Operator.objects.create(username="auditor", home=organisation)
    Membership.objects.create(operator=auditor, organisation=organisation, role=Role.AUDITOR)
    _, secret = create_token(
        operator=auditor,
        organisation=organisation,
        name="mirror",
        at=AT,
        wall_at=clock.wall_now(),
        scopes=[Action.AUDIT_VIEW],
    )
    return secret


def serve(application) -> str:
    """Serve *application* in a thread; return the log's address there."""
    server = make_server("127.0.0.1", 0, application, handler_class=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/log"


def main() -> None:
    process_acts_for_everybody()
    call_command("migrate", verbosity=0, skip_checks=True)
    token = member_token()
    grow(1)

    def with_token(environ, start_response):
        return application({**environ, "HTTP_AUTHORIZATION": f"Bearer {token}"}, start_response)

    key = selectors.log_folder().read_verifier_key()
    told = {"address": serve(application), "token": token, "proxy": serve(with_token)}
    print(json.dumps({**told, "vkey": key.to_vkey()}), flush=True)
    for line in sys.stdin:
        print(grow(int(line)), flush=True)


main()
