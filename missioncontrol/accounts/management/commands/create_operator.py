from __future__ import annotations

import getpass
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from missioncontrol.accounts import services
from missioncontrol.accounts.models import Organisation
from missioncontrol.accounts.policy import Role
from missioncontrol.kernel import clock
from missioncontrol.kernel.checks import INSTALLATION


class Command(BaseCommand):
    help = (
        "Make an account, e.g. the first one of an installation. The password is asked for, "
        "or read from standard input when that is no terminal."
    )
    requires_system_checks = (INSTALLATION,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--display-name", default="", help="what pages show")
        parser.add_argument("--organisation", required=True, help="slug, as in the mission file")
        parser.add_argument(
            "--role",
            action="append",
            required=True,
            choices=[role.value for role in Role],
            help="may be given several times",
        )
        parser.add_argument(
            "--service-account", action="store_true", help="no password: works with tokens only"
        )

    def handle(
        self,
        *,
        username: str,
        display_name: str,
        organisation: str,
        role: list[str],
        service_account: bool,
        **options: Any,
    ) -> None:
        member = Organisation.objects.filter(slug=organisation).first()
        if member is None:
            known = ", ".join(Organisation.objects.values_list("slug", flat=True))
            raise CommandError(
                f"No organisation {organisation!r}. Known: {known or 'none; load a mission file'}."
            )
        try:
            services.create_operator(
                username=username,
                display_name=display_name,
                organisation=member,
                roles=[Role(each) for each in role],
                password=None if service_account else _ask_password(),
                is_service_account=service_account,
                at=clock.now(),
                actor="process:command-line",
            )
        except services.AccountRefusedError as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{username} is {', '.join(role)} for {member}.")


def _ask_password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    first = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != first:
        raise CommandError("The two passwords differ; nothing was made.")
    return first
