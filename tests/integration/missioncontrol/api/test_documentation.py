"""docs/api.md, example by example, in a shell against the running API."""

from __future__ import annotations

import io
import os
import re
import secrets
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

from missioncontrol.accounts.policy import Role
from missioncontrol.audit.services import sequence_entries
from tests import factories
from tests.integration.missioncontrol.api.conftest import AT, complete
from uplink.jobs.models import Job

ROOT = Path(__file__).resolve().parents[4]
EXAMPLES = re.findall(
    r"^```bash\n(.*?)^```", (ROOT / "docs" / "api.md").read_text(encoding="utf-8"), re.M | re.S
)
# The tests' database cannot be seen from another process, so the command's
# output is laid ready; all else goes to Python as it is.
INTERPRETER = """#!/bin/sh
case "$*" in
"manage.py create_token demo-pipeline --name pipeline") echo {pipeline} ;;
"manage.py create_token operator --name telemetry") echo {operator} ;;
*) PYTHONPATH={root} exec {python} "$@" ;;
esac
"""


class Shell:
    """One shell that goes on from example to example, as a reader's does."""

    def __init__(self, folder: Path, api: str) -> None:
        self._process = subprocess.Popen(
            ["bash", "-eu", "-o", "pipefail"],
            cwd=folder,
            env={**os.environ, "API": api},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, example: str) -> str:
        """Return what an example prints; it must not fail."""
        end = f"end-{secrets.token_hex(8)}"
        self._process.stdin.write(f"{example}\nprintf '\\n%s\\n' {end}\n")
        self._process.stdin.flush()
        printed = []
        for line in self._process.stdout:
            if line.strip() == end:
                return "".join(printed).removesuffix("\n")
            printed.append(line)
        raise AssertionError(
            f"the shell ended in:\n{example}\nafter printing:\n{''.join(printed)}"
        )

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait(timeout=10)
        self._process.stdout.close()


def token(username: str, name: str) -> str:
    printed = io.StringIO()
    call_command("create_token", username, name=name, stdout=printed)
    return printed.getvalue().strip()


@pytest.fixture
def shell(live_server, mission, operating, laboratory, tmp_path):
    for program in ("bash", "curl", "jq"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    factories.operator("demo-pipeline", Role.PAYLOAD_MEMBER, member_of=laboratory)
    factories.operator("operator", Role.OPERATOR, member_of=operating)
    folder = tmp_path / "reader"
    (folder / ".venv" / "bin").mkdir(parents=True)
    interpreter = folder / ".venv" / "bin" / "python"
    interpreter.write_text(
        INTERPRETER.format(
            pipeline=token("demo-pipeline", "pipeline"),
            operator=token("operator", "telemetry"),
            root=ROOT,
            python=sys.executable,
        )
    )
    interpreter.chmod(0o755)
    shell = Shell(folder, f"{live_server.url}/api/v1")
    yield shell
    shell.close()


def test_every_example_runs_and_prints_what_the_page_says(shell, book):
    book()
    flown = book(state="COMPLETED")
    assert len(EXAMPLES) == 10
    clock, submit, wait, result, log, opening, passes, telemetry, telecommands, refusal = EXAMPLES
    assert '"factor": 30' in shell.run(clock)

    assert re.fullmatch(r"job \d+\n", shell.run(submit))
    job = Job.objects.get()
    complete(job, output=bytes.fromhex(job.input_sha256))
    while sequence_entries(at=AT):
        pass
    assert shell.run(wait) == f"job {job.number}: COMPLETED\n"
    assert shell.run(result) == "result.bin: OK\nright\n"

    printed = shell.run(log)
    assert "missioncontrol.local/log\n" in printed
    assert re.search(rf"proven in a log of \d+ entries: .*job:{job.number}", printed)

    printed = shell.run(opening)
    assert f'"input_sha256":"{job.input_sha256}"' in printed
    assert "verified: this is what the entry with the leaf hash " in printed
    assert '"old": 1,' in printed
    assert '"witnesses": []' in printed

    assert f'{flown.pk},\n  "KASHI",\n  "COMPLETED",\n  0,\n  0' in shell.run(passes)
    assert '"PWR_BATT_V"' in shell.run(telemetry)
    assert '"state": "SUBMITTED"' in shell.run(telecommands)
    printed = shell.run(refusal)
    assert "invalid-input" in printed
    assert "query.limit" in printed


def test_every_status_of_the_page_is_one_that_the_api_has():
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    code = "".join(path.read_text() for path in (ROOT / "missioncontrol" / "api").glob("*.py"))
    kinds = re.findall(r"^\| [45][\d, ]+ \| (.*?) \|", page, re.M)
    assert len(kinds) == 10
    for kind in re.findall(r"`([\w-]+)`", " ".join(kinds)):
        assert f'"{kind}"' in code
