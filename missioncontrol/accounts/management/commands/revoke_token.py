from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from missioncontrol.accounts import services
from missioncontrol.accounts.models import ApiToken
from missioncontrol.kernel import clock
from missioncontrol.kernel.checks import INSTALLATION


class Command(BaseCommand):
    help = "End an API token now. Its prefix stands between the two underlines: mc_PREFIX_..."
    requires_system_checks = (INSTALLATION,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("prefix", help="the token's ten hexadecimal digits, never its secret")

    def handle(self, *, prefix: str, **options: Any) -> None:
        token = ApiToken.objects.filter(prefix=prefix).select_related("operator").first()
        if token is None:
            in_force = ApiToken.objects.filter(revoked_at=None).values_list("prefix", flat=True)
            raise CommandError(
                f"No token has this prefix. In force: {', '.join(in_force) or 'none'}."
            )
        services.revoke_token(
            token_id=token.pk,
            actor="process:command-line",
            at=clock.now(),
            wall_at=clock.wall_now(),
        )
        self.stdout.write(f"{token} of {token.operator} is revoked.")
