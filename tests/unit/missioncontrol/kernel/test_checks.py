"""What our commands look at before they start: this installation, and not the code."""

from __future__ import annotations

import pytest
from django.core.checks import run_checks
from django.core.management import get_commands, load_command_class

from missioncontrol.kernel.checks import INSTALLATION

OURS = {
    name: app
    for name, app in get_commands().items()
    if str(app).partition(".")[0] in {"missioncontrol", "telemetry", "uplink"}
}


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_command_checks_the_installation_or_needs_none(name):
    command = load_command_class(OURS[name], name)
    assert tuple(command.requires_system_checks) in {(INSTALLATION,), ()}


def test_nothing_is_wrong_with_the_one_of_the_tests():
    assert run_checks(tags=[INSTALLATION]) == []


@pytest.mark.parametrize(
    ("setting", "value", "told"),
    [
        ("USE_TZ", False, "kernel.E001"),
        ("REDIS_URL", f"unix:///run/{'x' * 100}.sock", "kernel.E002"),
        ("STATION_PROVIDERS", {"polar": "https://polar.example"}, "reservations.E001"),
    ],
)
def test_what_is_wrong_with_it_is_found(settings, setting, value, told):
    setattr(settings, setting, value)
    assert [error.id for error in run_checks(tags=[INSTALLATION])] == [told]
