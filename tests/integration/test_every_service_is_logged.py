"""Whoever changes something leaves an entry: all public functions of all ``services`` rooms.

They are found by looking, so a new one that nobody has thought about fails here.
Add its scenario, or the reason why it writes no entry, in ``service_scenarios``.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
import sys
import types
from enum import Enum

import pytest

import missioncontrol
import telemetry
import uplink
from missioncontrol.audit.models import AuditEntry
from missioncontrol.kernel.organisations import acting_for_everybody
from tests.integration import service_scenarios
from tests.integration.service_scenarios import SCENARIOS, UNLOGGED

for _module in pkgutil.iter_modules(service_scenarios.__path__):
    importlib.import_module(f"{service_scenarios.__name__}.{_module.name}")


def service_modules(*packages):
    """Yield every ``services`` module, and every module of a ``services`` package."""
    for package in packages:
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if "services" in found.name.split("."):
                yield importlib.import_module(found.name)


def public_services(*modules):
    """Yield what the modules offer to others: functions, and classes with something to do."""
    for module in modules:
        for name, value in vars(module).items():
            own = getattr(value, "__module__", None) == module.__name__
            if own and not name.startswith("_") and (inspect.isfunction(value) or _acts(value)):
                yield f"{module.__name__}.{name}", value


def _acts(value):
    """Tell a class that does something from one that only says something."""
    return inspect.isclass(value) and not (
        issubclass(value, Exception | Enum)
        or dataclasses.is_dataclass(value)
        or getattr(value, "_is_protocol", False)
    )


SERVICES = dict(public_services(*service_modules(missioncontrol, telemetry, uplink)))


class Call:
    """Calls one service and counts the entries that it commits."""

    def __init__(self, service):
        self._service = service
        self.written = None

    def __call__(self, *arguments, **named):
        before = AuditEntry.objects.count()
        result = self._service(*arguments, **named)
        self.written = AuditEntry.objects.count() - before
        return result


@pytest.fixture(autouse=True)
def _own_folders(settings, tmp_path):
    settings.FILES_DIR = tmp_path / "files"
    settings.ARCHIVE_DIR = tmp_path / "archive"


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_writes_an_entry_where_it_changes_something(name):
    call = Call(SERVICES[name])
    with acting_for_everybody():
        SCENARIOS[name](call)
    assert call.written is not None, "the scenario does not call it"
    assert call.written > 0


def test_each_service_has_a_scenario_or_a_reason():
    missing = sorted(set(SERVICES) - set(SCENARIOS) - set(UNLOGGED))
    assert not missing, (
        f"{', '.join(missing)}: add a scenario that shows the entry it writes, or the reason why "
        "it writes none, to tests/integration/service_scenarios."
    )


def test_no_scenario_and_no_reason_outlives_its_service():
    assert set(SCENARIOS) | set(UNLOGGED) <= set(SERVICES)
    assert not set(SCENARIOS) & set(UNLOGGED)
    assert all(len(reason) > 4 for reason in UNLOGGED.values())


class TestLooking:
    """That a service which somebody adds tomorrow is found."""

    def test_reaches_every_room_of_services(self):
        rooms = {name.split(".services")[0] for name in SERVICES}
        assert rooms >= {
            *("missioncontrol.accounts", "missioncontrol.audit", "missioncontrol.contacts"),
            *("missioncontrol.fleet", "missioncontrol.pipelines", "missioncontrol.scheduling"),
            *("telemetry", "uplink.commanding", "uplink.jobs", "uplink.transfers"),
        }

    def test_finds_functions_and_classes_that_act_and_nothing_that_was_imported(self):
        code = (
            "import dataclasses, functools\n"
            "from datetime import datetime\n"
            "from missioncontrol.kernel.organisations import acting_for\n"
            "def change_it(): ...\n"
            "@functools.wraps(change_it)\n"
            "def wrapped(): ...\n"
            "async def change_it_later(): ...\n"
            "def _helper(): ...\n"
            "class Worker: ...\n"
            "class RefusedError(Exception): ...\n"
            "@dataclasses.dataclass\n"
            "class Report: ...\n"
            "LIMIT = 3\n"
        )
        module = types.ModuleType("somewhere.services")
        sys.modules[module.__name__] = module
        try:
            exec(code, vars(module))
            found = [name for name, _ in public_services(module)]
        finally:
            del sys.modules[module.__name__]
        assert found == [
            f"somewhere.services.{name}"
            for name in ("change_it", "wrapped", "change_it_later", "Worker")
        ]
