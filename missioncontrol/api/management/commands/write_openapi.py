from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from missioncontrol.api.application import api
from missioncontrol.api.openapi import document_text
from missioncontrol.kernel.checks import INSTALLATION


class Command(BaseCommand):
    help = "Write the description of the API (OpenAPI 3.1); without a path: print it."
    requires_system_checks = (INSTALLATION,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", nargs="?", type=Path, help="e.g. docs/openapi.json")

    def handle(self, *, path: Path | None, **options: Any) -> None:
        text = document_text(api.get_openapi_schema())
        if path is None:
            self.stdout.write(text, ending="")
        else:
            path.write_text(text, encoding="utf-8")
