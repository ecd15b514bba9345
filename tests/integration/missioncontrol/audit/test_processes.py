"""The log with real processes: many writers, a sequencer that is killed, a thief with SQL."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from django.db import connection

from missioncontrol.audit.folder_verification import stored_entries, verify_folder
from missioncontrol.audit.log_folder import LogFolder
from missioncontrol.audit.merkle.canonical import read_entry
from tests.integration.missioncontrol.audit.installation import ROOT, installation

HERE = Path(__file__).parent
WRITERS = [("a", 4), ("b", 4)]
ENTRIES = 150  # of each of the eight


@pytest.fixture
def installed(tmp_path, migrated):
    with installation(tmp_path / "installation", migrated) as made:
        yield made


def wait_until(condition, within_s=30.0):
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def published_size(installed):
    log = LogFolder(installed.log)
    key = log.read_verifier_key()
    if key is None or log.read_checkpoint() is None:
        return -1
    return log.open_checkpoint(key=key).checkpoint.size


class TestManyWriters:
    def test_lose_nothing_leave_no_gap_and_double_nothing_while_the_sequencer_is_killed(
        self, installed
    ):
        manage = ROOT / "manage.py"
        sequencer = installed.start(manage, "run_log_sequencer")
        wait_until(lambda: published_size(installed) == 0)
        writing = [
            installed.start(HERE / "writers.py", name, threads, ENTRIES)
            for name, threads in WRITERS
        ]
        wait_until(lambda: published_size(installed) > 0)
        sequencer.kill()
        sequencer.communicate()
        sequencer = installed.start(manage, "run_log_sequencer")

        committed = []
        for process in writing:
            output, errors = process.communicate(timeout=100)
            assert process.returncode == 0, errors
            committed += output.split()
        assert len(committed) == 8 * ENTRIES * 4 // 5
        wait_until(lambda: published_size(installed) >= len(committed))
        sequencer.send_signal(signal.SIGTERM)
        output, errors = sequencer.communicate(timeout=10)
        assert sequencer.returncode == 0, errors
        assert "has stopped" in output

        log = LogFolder(installed.log)
        head = verify_folder(log, key=log.read_verifier_key()).checkpoint
        logged = [
            read_entry(octets)["subject"] for octets, _hash in stored_entries(log, size=head.size)
        ]
        assert Counter(logged) == Counter(committed)
        output = installed.manage("verify_log")
        assert f"log of {len(committed)} entries verified" in output
        assert "not yet in the tree: 0 entries" in output


class TestKillRounds:
    def test_lose_nothing_leave_no_gap_and_double_nothing(self):
        """A few of the rounds that `make kill-rounds` goes on with."""
        done = subprocess.run(
            [
                sys.executable,
                HERE / "kill_rounds.py",
                "--rounds=3",
                "--database",
                connection.vendor,
            ],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout.splitlines()[-1])
        assert found.pop("entries") > 100
        assert found == {"rounds": 3, "lost": 0, "double": 0, "gaps": 0}


@pytest.mark.only_on("sqlite")  # copies the database as a file
class TestKilledSequencer:
    def test_goes_on_without_gap_loss_or_double_whichever_step_was_the_last(self, installed):
        status, output, errors = installed.run(HERE / "killed_sequencer.py", installed.folder)
        assert status == 0, errors
        # Two batches with their tiles, bundles, keys and checkpoints: some dozens of steps.
        assert int(output.split()[-1]) > 60


@pytest.mark.only_on("sqlite")  # copies the database as a file
class TestKilledKeyRotation:
    def test_comes_to_its_end_whichever_step_was_the_last(self, installed):
        status, output, errors = installed.run(HERE / "killed_rotation.py", installed.folder)
        assert status == 0, errors
        # Three entries with their checkpoints, two keys and an announcement.
        assert int(output.split()[-1]) > 60


class TestRefusalOfTheProcess:
    def test_ends_with_the_reason_when_the_log_would_be_forked(self, installed):
        sequencer = installed.start(ROOT / "manage.py", "run_log_sequencer")
        installed.run(HERE / "writers.py", "a", 1, 5)
        wait_until(lambda: published_size(installed) == 4)
        sequencer.terminate()
        sequencer.communicate(timeout=10)
        shutil.rmtree(installed.log)
        status, _output, errors = installed.run(ROOT / "manage.py", "run_log_sequencer")
        assert status == 1
        assert "the database knows a log of 4 entries. Restore LOG_DIR" in errors
        status, _output, errors = installed.run(ROOT / "manage.py", "verify_log")
        assert status == 1
        assert "There is no verifier-key" in errors


@pytest.mark.usefixtures("db")
def test_runs_on_the_database_that_was_asked_for():
    """So that a run with DATABASE_URL set to PostgreSQL is one."""
    assert connection.vendor in connection.settings_dict["ENGINE"]
