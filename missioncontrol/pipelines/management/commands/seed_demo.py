from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from missioncontrol.kernel import clock
from missioncontrol.kernel.checks import INSTALLATION
from missioncontrol.kernel.errors import RefusedError
from missioncontrol.pipelines import demo


class Command(BaseCommand):
    help = (
        "Make the demo: mission, accounts, contacts, a job, a telecommand to approve. "
        "Safe to repeat; passwords are shown once."
    )
    requires_system_checks = (INSTALLATION,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, *, json: bool, **options: object) -> None:
        # Without a mission there is no mission time yet: it begins with the file's.
        demo.seed_mission(at=None)
        try:
            seeded = demo.seed(at=clock.now())
        except RefusedError as refusal:
            raise CommandError(str(refusal)) from refusal
        document = demo.as_json(seeded, mission_time=clock.now())
        self.stdout.write(_json(document) if json else _text(document))


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document)


def _text(document: dict[str, Any]) -> str:
    lines = [f"Mission time {document['mission_time']}"]
    for account in document["operators"]:
        secret = account["password"] or "(password shown at the first start)"
        lines.append(f"Sign in as {account['username']}  {secret}")
    if document["service_account"]["token"]:
        lines.append(f"API token of demo-pipeline  {document['service_account']['token']}")
    contact = document["next_contact"]
    if contact is None:
        lines.append("No contact is booked.")
    else:
        lines.append(
            f"Next contact: {contact['spacecraft']} over {contact['antenna']}, "
            f"{contact['aos']} to {contact['los']}, {contact['max_elevation_deg']} deg"
        )
    return "\n".join(lines)
