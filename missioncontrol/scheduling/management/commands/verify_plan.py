from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from missioncontrol.scheduling.models import Plan
from missioncontrol.scheduling.plan_verifier import PlanVerificationError, verify_plan
from missioncontrol.scheduling.services import PlanRefusedError, checked_document


class Command(BaseCommand):
    help = (
        "Check plans against their problems: feasible, and worth what they say. A number is a "
        "plan of this installation, anything else a file, for which no database is needed."
    )
    requires_system_checks = ()
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "plans", nargs="+", metavar="PLAN", help="a plan document (JSON), or a plan's number"
        )

    def handle(self, *, plans: list[str], **options: object) -> None:
        refused = [name for name in plans if not self._verified(name)]
        if refused:
            raise CommandError(
                f"{len(refused)} of {len(plans)} plans refused: {', '.join(refused)}"
            )

    def _verified(self, name: str) -> bool:
        try:
            document = _stored(int(name)) if name.isdecimal() else _read(name)
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


def _read(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(Path(name).read_text())
    verify_plan(document)
    return document


def _stored(number: int) -> dict[str, Any]:
    """Return the document of a plan's row, once both are verified and agree."""
    plan = Plan.objects.filter(pk=number).first()
    if plan is None:
        raise ValueError(f"there is no plan {number} in this installation")
    try:
        return checked_document(plan)
    except PlanRefusedError as refusal:
        raise ValueError(str(refusal)) from refusal
