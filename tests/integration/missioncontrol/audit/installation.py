"""An installation of the product for tests whose processes are killed, or many."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

ROOT = Path(__file__).resolve().parents[4]


class Installation:
    """A folder and a migrated database, and processes on them."""

    def __init__(self, folder, database_url):
        self.folder = folder
        self.log = folder / "log"
        self.environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            "PYTHONPATH": str(ROOT),
            "DJANGO_SETTINGS_MODULE": "missioncontrol.settings",
            "VAR_DIR": str(folder),
            "DATABASE_URL": database_url,
            "REDIS_URL": settings.REDIS_URL,
        }

    def start(self, *arguments, **options):
        return subprocess.Popen(
            [sys.executable, *map(str, arguments)],
            env=self.environment,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )

    def run(self, *arguments):
        """Run to the end; return status, output and errors."""
        with self.start(*arguments) as process:
            output, errors = process.communicate(timeout=200)
        return process.returncode, output, errors

    def manage(self, *arguments):
        status, output, errors = self.run(ROOT / "manage.py", *arguments)
        assert status == 0, errors
        return output


@contextmanager
def installation(folder, migrated):
    """Yield an installation on the kind of database that these tests run with."""
    folder.mkdir()
    with migrated.copied(folder) as database_url:
        yield Installation(folder, database_url)
