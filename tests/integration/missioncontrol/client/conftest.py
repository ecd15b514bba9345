from __future__ import annotations

import pytest

from missioncontrol.client.command_line import main
from tests.integration.missioncontrol.client.folder_server import FolderServer, serving
from tests.unit.missioncontrol.client.growing_log import GrowingLog


@pytest.fixture
def log(tmp_path):
    return GrowingLog(tmp_path / "log")


@pytest.fixture
def server(log):
    with serving(FolderServer(log.path)) as running:
        yield running


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Return a function that runs one command and gives (status, output, errors)."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MC_TOKEN", raising=False)

    def ran(*arguments):
        status = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return ran
