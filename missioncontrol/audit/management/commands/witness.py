from __future__ import annotations

from argparse import ArgumentParser
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError

from missioncontrol.audit import selectors, services
from missioncontrol.kernel import clock
from missioncontrol.kernel.checks import INSTALLATION

_ACTOR: Final = "process:command-line"


class Command(BaseCommand):
    help = "Register, retire and list the members' witnesses of the consortium log."
    requires_system_checks = (INSTALLATION,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="what", required=True)
        register = actions.add_parser("register", help="ask this witness from now on")
        register.add_argument("name", help="what operators call it")
        register.add_argument("--organisation", required=True, help="slug of the member")
        register.add_argument("--vkey", required=True, help="its key, as the member gave it")
        register.add_argument("--url", required=True, help="address before /add-checkpoint")
        retire = actions.add_parser("retire", help="ask it, and count it, no longer")
        retire.add_argument("name")
        actions.add_parser("list", help="show how each one stands")

    def handle(self, *, what: str, **options: Any) -> None:
        try:
            if what == "register":
                fields = {key: options[key] for key in ("name", "organisation", "vkey", "url")}
                services.register_witness(**fields, actor=_ACTOR, at=clock.now())
            elif what == "retire":
                services.retire_witness(name=options["name"], actor=_ACTOR, at=clock.now())
        except services.WitnessRefusedError as refusal:
            raise CommandError(str(refusal)) from refusal
        self._list()

    def _list(self) -> None:
        board = selectors.witness_board()
        for each in board.witnesses:
            state = each.fault or ("cosigns" if each.last_seen_at else "was not asked yet")
            self.stdout.write(f"{each.name} ({each.organisation}), size {each.size}: {state}")
        self.stdout.write(
            f"{len(board.witnesses)} witnesses; published needs {board.published_quorum}, "
            f"settled {board.settled_quorum}; entries signed {board.signed_size}, published "
            f"{board.published_size}, settled {board.settled_size}"
        )
