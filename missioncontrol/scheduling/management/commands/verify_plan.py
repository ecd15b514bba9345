from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from missioncontrol.scheduling.plan_verifier import PlanVerificationError, verify_plan


class Command(BaseCommand):
    help = "Check stored plans against their problems: feasible, and worth what they say."
    requires_system_checks = ()
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", metavar="FILE", help="a plan document (JSON)")

    def handle(self, *, files: list[str], **options: object) -> None:
        refused = [name for name in files if not self._verified(name)]
        if refused:
            raise CommandError(
                f"{len(refused)} of {len(files)} plans refused: {', '.join(refused)}"
            )

    def _verified(self, name: str) -> bool:
        try:
            document = json.loads(Path(name).read_text())
            verify_plan(document)
        except (OSError, ValueError, PlanVerificationError) as error:
            self.stderr.write(f"{name}: {error}")
            return False
        plan = document["plan"]
        gap = "no bound" if plan["gap"] is None else f"gap {plan['gap']:.4%}"
        self.stdout.write(
            f"{name}: {len(plan['contacts'])} contacts, objective {plan['objective']:.3f}, {gap}: "
            "verified"
        )
        return True
