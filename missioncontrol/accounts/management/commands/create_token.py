from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from missioncontrol.accounts import services
from missioncontrol.accounts.models import Membership, Operator
from missioncontrol.accounts.policy import Action
from missioncontrol.kernel import clock
from missioncontrol.kernel.checks import INSTALLATION


class Command(BaseCommand):
    help = "Make an API token for an account and print its secret, which is shown only now."
    requires_system_checks = (INSTALLATION,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", help="whose token, e.g. demo-pipeline")
        parser.add_argument("--name", default="command line", help="what it is for")
        parser.add_argument("--organisation", help="slug; default: the account's only one")
        parser.add_argument("--days", type=int, default=90, help="lifetime; default: 90")
        parser.add_argument(
            "--scope",
            action="append",
            choices=[action.value for action in Action],
            metavar="ACTION",
            help=(
                "only this right of the account, may be given several times, e.g. job.submit; "
                "default: all that take no confirmation"
            ),
        )

    def handle(
        self,
        *,
        username: str,
        name: str,
        organisation: str | None,
        days: int,
        scope: list[str] | None,
        **options: Any,
    ) -> None:
        memberships = Membership.objects.filter(operator__username=username)
        if organisation:
            memberships = memberships.filter(organisation__slug=organisation)
        held = {row.organisation for row in memberships.select_related("organisation")}
        if len(held) != 1:
            slugs = ", ".join(sorted(each.slug for each in held)) or "none"
            raise CommandError(
                f"{username} has roles for: {slugs}. Name one of them with --organisation."
            )
        try:
            _token, secret = services.create_token(
                operator=Operator.objects.get(username=username),
                organisation=held.pop(),
                name=name,
                at=clock.now(),
                wall_at=clock.wall_now(),
                actor="process:command-line",
                scopes=None if scope is None else [Action(each) for each in scope],
                lifetime=timedelta(days=days),
            )
        except services.AccountRefusedError as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(secret)
