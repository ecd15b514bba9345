"""What deploy/ starts is what the supervisor starts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from missioncontrol.supervision.processes import product_processes

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
MISSION = Path("missioncontrol/fleet/missions/demo.yaml")
_PYTHON = "/opt/missioncontrol/.venv/bin/python"


def _essence(argv: list[str]) -> str:
    """Return what tells one process from another: the command and its queues."""
    words = " ".join(argv).replace("--queues=", "--queues ")
    for pattern in (
        r"manage\.py (run_\w+)",
        r"(uvicorn missioncontrol\.asgi:application)",
        r"celery.* (worker .*--queues \S+)",
        r"celery.* (beat)\b",
        r"-m (missioncontrol\.simulator)",
    ):
        found = re.search(pattern, words)
        if found:
            return re.sub(r"worker .*--queues", "worker --queues", found[1])
    return ""


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def supervised():
    processes = product_processes(host="127.0.0.1", port=8000, mission_file=MISSION)
    return {process.name: _essence(list(process.argv)) for process in processes}


def _image_command() -> list[str]:
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    command = re.search(r"^CMD \[(.*?)\]", text, flags=re.MULTILINE | re.DOTALL)
    assert command is not None
    return re.findall(r'"([^"]*)"', command[1])


def _unit(name: str) -> str:
    return (DEPLOY / "systemd" / name).read_text(encoding="utf-8")


def test_compose_runs_every_process(compose, supervised):
    assert all(supervised.values())
    services = {
        _essence(service.get("command") or _image_command())
        for service in compose["services"].values()
        if service.get("image") == "missioncontrol"
    }
    assert set(supervised.values()) <= services


def test_compose_sets_only_variables_that_are_read(compose):
    example = (DEPLOY / "env.example").read_text(encoding="utf-8")
    documented = set(re.findall(r"^# ([A-Z][A-Z0-9_]*)=", example, flags=re.MULTILINE))
    for service in compose["services"].values():
        if service.get("image") == "missioncontrol":
            assert set(service["environment"]) <= documented


def test_everybody_who_shares_a_folder_has_its_volume(compose):
    folders = {"archive", "files", "log"}
    for name, service in compose["services"].items():
        if service.get("image") == "missioncontrol" and name != "simulator":
            mounted = {volume.partition(":")[0] for volume in service["volumes"]}
            assert folders <= mounted, name


def test_database_and_broker_are_on_the_inner_network_only(compose):
    assert compose["networks"]["backend"] == {"internal": True}
    for name in ("postgres", "redis"):
        assert compose["services"][name]["networks"] == ["backend"]
        assert "ports" not in compose["services"][name]


def test_the_broker_neither_forgets_nor_evicts(compose):
    command = " ".join(compose["services"]["redis"]["command"])
    assert "--appendonly yes" in command
    assert "--maxmemory-policy noeviction" in command


def test_systemd_runs_every_process_but_the_simulator(supervised):
    commands = set()
    for unit in (DEPLOY / "systemd").glob("*.service"):
        for line in re.findall(
            r"^ExecStart=(.*)$", unit.read_text(encoding="utf-8"), re.MULTILINE
        ):
            assert line.startswith(f"{_PYTHON} "), unit.name
            commands.add(_essence(line.split()))
    assert set(supervised.values()) - {"missioncontrol.simulator"} <= commands


def test_the_target_wants_every_unit():
    wanted = set(re.findall(r"missioncontrol-[a-z-]+(?=@|\.)", _unit("missioncontrol.target")))
    units = {
        re.split(r"[@.]", path.name)[0] for path in (DEPLOY / "systemd").glob("*.service")
    } - {"missioncontrol-migrate"}
    assert wanted == units


def test_units_wait_for_the_schema():
    for path in (DEPLOY / "systemd").glob("*.service"):
        if path.name != "missioncontrol-migrate.service":
            assert "Requires=missioncontrol-migrate.service" in _unit(path.name), path.name


def test_the_image_installs_by_hash_and_runs_as_nobody_special():
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    assert "--require-hashes -r requirements.txt" in text
    assert text.rindex("\nUSER missioncontrol") < text.rindex("\nCMD ")
