"""The sections of docs/api.md on events and webhooks, in a shell against a served product."""

from __future__ import annotations

import re
import sys

import pytest

from tests.integration.missioncontrol.api.test_documentation import (
    ELSEWHERE,
    Shell,
    examples,
    require_programs,
)
from tests.integration.missioncontrol.audit.installation import ROOT
from tests.integration.missioncontrol.events.served import free_port, served

# The reader stands in a checkout; here only the interpreter is laid where its is.
INTERPRETER = """#!/bin/sh
case "$1" in
manage.py) shift; exec "{python}" "{root}/manage.py" "$@" ;;
*) PYTHONPATH="{root}" exec "{python}" "$@" ;;
esac
"""


@pytest.fixture
def shell(tmp_path, broker, migrated, monkeypatch):
    require_programs()
    port = free_port()
    folder = tmp_path / "installation"
    with served(folder, migrated, WEBHOOK_ALLOWED_HOSTS="127.0.0.1") as product:
        product.do("mission")
        product.do(
            "account",
            username="demo-pipeline",
            organisation="ai-laboratory-1",
            roles=["payload_member"],
        )
        product.do("append", count=2, action="job.submit", organisation="ai-laboratory-1")
        processes = [
            product.run(ROOT / "manage.py", command)
            for command in ("run_log_sequencer", "run_webhook_deliveries")
        ]
        for name, value in {**product.installed.environment, "RECEIVER_PORT": str(port)}.items():
            monkeypatch.setenv(name, value)
        folder = tmp_path / "reader"
        (folder / ".venv" / "bin").mkdir(parents=True)
        interpreter = folder / ".venv" / "bin" / "python"
        interpreter.write_text(INTERPRETER.format(root=ROOT, python=sys.executable))
        interpreter.chmod(0o755)
        shell = Shell(folder, f"{product.address}/api/v1")
        yield shell
        shell.close()
        for process in processes:
            process.terminate()
            process.wait(timeout=10)


@pytest.mark.once
def test_every_example_runs_and_prints_what_the_page_says(shell):
    [begin, *_] = examples()
    # Where the API is and what `mc` does; the tokens are the sections' own.
    shell.run("\n".join(line for line in begin.splitlines() if line.startswith(("API=", "mc()"))))
    found = examples(only=ELSEWHERE)
    assert len(found) == 6
    pages, stream, socket, webhook, receiver, ping = found

    printed = shell.run(pages)
    assert re.search(r'"job.submit",\s+"2026-12-01T00:00:00.000000Z",\s+"test:0"', printed)
    assert '"items": [],\n  "after": ' in printed
    assert re.search(
        r"retry: 1000\n\nid: \d+\nevent: token.create\ndata: \{.*\}\n", shell.run(stream)
    )
    assert shell.run(socket) == "by websocket: token.create\n"
    assert '"state": "ENABLED"' in shell.run(webhook)
    shell.run(receiver)
    printed = shell.run(ping)
    assert re.search(r"^webhook.ping webhook:\d+$", printed, re.M)
    assert '"state": "DELIVERED",\n  "attempts": 1,\n  "response_status": 204' in printed
