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

from missioncontrol.accounts.models import Membership
from missioncontrol.accounts.policy import Role
from missioncontrol.audit.services import sequence_entries
from missioncontrol.operations.models import Operation
from missioncontrol.operations.tasks import run_operation
from tests import factories
from tests.integration.missioncontrol.api.conftest import AT, complete
from uplink.jobs.models import Job

ROOT = Path(__file__).resolve().parents[4]
PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
# They need a process that sends and one that streams: test_event_documentation runs them.
ELSEWHERE = ("Events as they happen", "Webhooks")


def examples(*, only: tuple[str, ...] = (), without: tuple[str, ...] = ()) -> list[str]:
    """Return the examples of the sections with these headings, or of all but these."""
    sections = re.split(r"^## (.*)$", PAGE, flags=re.M)
    chosen = [
        text
        for heading, text in zip(["", *sections[1::2]], sections[0::2], strict=True)
        if (heading in only or not only) and heading not in without
    ]
    return re.findall(r"^```bash\n(.*?)^```", "".join(chosen), re.M | re.S)


EXAMPLES = examples(without=ELSEWHERE)
# The tests' database cannot be seen from another process, so the command's
# output is laid ready; all else goes to Python as it is.
INTERPRETER = """#!/bin/sh
case "$*" in
"manage.py create_token demo-pipeline --name pipeline"*) echo {pipeline} ;;
*" --name administration"*) echo {administration} ;;
*" --name planning"*) echo {planning} ;;
"manage.py verify_plan "*) shift; exec {python} {root}/manage.py "$@" ;;
"manage.py create_token operator "*) echo {operator} ;;
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


def require_programs() -> None:
    """Skip where a reader could not follow the page either."""
    for program in ("bash", "curl", "jq"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")


def token(username: str, name: str) -> str:
    """Return a token as the page's own words make it."""
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8").replace("\\\n", " ")
    [command] = re.findall(
        rf"manage\.py create_token ({username} [^)]*--name {name}\b[^)]*)\)", page
    )
    printed = io.StringIO()
    call_command("create_token", *command.split(), stdout=printed)
    return printed.getvalue().strip()


@pytest.fixture
def shell(live_server, mission, operating, laboratory, tmp_path):
    require_programs()
    factories.operator("demo-pipeline", Role.PAYLOAD_MEMBER, member_of=laboratory)
    person = factories.operator("operator", Role.OPERATOR, Role.ADMINISTRATOR, member_of=operating)
    # As in the demo, where the operator sees the member's side too.
    Membership.objects.create(operator=person, organisation=laboratory, role=Role.PAYLOAD_MEMBER)
    folder = tmp_path / "reader"
    (folder / ".venv" / "bin").mkdir(parents=True)
    interpreter = folder / ".venv" / "bin" / "python"
    interpreter.write_text(
        INTERPRETER.format(
            pipeline=token("demo-pipeline", "pipeline"),
            operator=token("operator", "telemetry"),
            administration=token("operator", "administration"),
            planning=token("operator", "planning"),
            root=ROOT,
            python=sys.executable,
        )
    )
    interpreter.chmod(0o755)
    shell = Shell(folder, f"{live_server.url}/api/v1")
    yield shell
    shell.close()


@pytest.mark.once
def test_every_example_runs_and_prints_what_the_page_says(shell, book):
    book()
    flown = book(state="COMPLETED")
    examples = iter(EXAMPLES)

    def run() -> str:
        return shell.run(next(examples))

    assert '"factor": 30' in run()
    assert '"ai-laboratory-1"' in run()

    assert re.fullmatch(r"job \d+\n", run())
    job = Job.objects.get()
    complete(job, output=bytes.fromhex(job.input_sha256))
    while sequence_entries(at=AT):
        pass
    assert run() == f"job {job.number}: COMPLETED\n"
    assert run() == "result.bin: OK\nright\n"

    printed = run()
    assert "missioncontrol.local/log\n" in printed
    assert re.search(rf"proven in a log of \d+ entries: .*job:{job.number}", printed)

    assert run() == ""
    while sequence_entries(at=AT):
        pass
    proven = Job.objects.latest("number")
    assert run() == f"transfer.start transfer:{proven.uplink_id}\njob.submit job:{proven.number}\n"

    printed = run()
    assert f'"input_sha256":"{job.input_sha256}"' in printed
    assert "verified: this is what the entry with the leaf hash " in printed
    assert '"old": 1,' in printed
    assert '"witnesses": []' in printed

    assert f'{flown.pk},\n  "KASHI",\n  "COMPLETED",\n  0,\n  0' in run()
    assert '"PWR_BATT_V"' in run()
    assert '"state": "SUBMITTED"' in run()

    assert '"state": "WAITING"' in run()
    run_operation(operation_id=Operation.objects.get().pk)
    printed = run()
    assert '"state": "SUCCEEDED"' in printed
    assert '"DD-1": ' in printed

    assert '"state": "OPEN"' in run()
    assert '"method": "GREEDY"' in run()
    run_operation(operation_id=Operation.objects.latest("pk").pk)
    assert re.search(r'"bound": [\d.]+,', run())
    printed = run()
    assert '"state": "PUBLISHED"' in printed
    assert "plan.json: " in printed
    assert ": verified" in printed

    printed = run()
    assert '"username": "dana"' in printed
    assert '"expires_at": ' in printed
    printed = run()
    assert '"approver"' in printed
    assert '"status": 412' in printed  # her roles had changed since
    printed = run()
    assert '"telemetry.view"' in printed
    assert re.search(r'"20\d\d-\d\d-\d\dT[\d:.]+Z"\n', printed)  # revoked
    assert '"client_id": "mission-control"' in run()

    first, second, third, fourth = run().splitlines()
    assert (first, third) == ("again: ", "again: true")
    assert second == fourth
    assert run() == "304\n"
    assert re.fullmatch(
        r'"token";q=600;w=60, "organisation";q=3000;w=60\n'
        r'"token";r=\d+;t=\d+, "organisation";r=\d+;t=\d+\n',
        run(),
    )
    printed = run()
    assert "invalid-input" in printed
    assert "query.limit" in printed
    assert next(examples, None) is None


def test_every_status_of_the_page_is_one_that_the_api_has():
    code = "".join(path.read_text() for path in (ROOT / "missioncontrol" / "api").glob("*.py"))
    kinds = re.findall(r"^\| [45]\d\d(?:, \d+)* \| (.*?) \|", PAGE, re.M)
    assert len(kinds) == 18
    for kind in re.findall(r"`([\w-]+)`", " ".join(kinds)):
        assert f'"{kind}"' in code
