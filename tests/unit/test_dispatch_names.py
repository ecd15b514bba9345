from __future__ import annotations

import ast
from pathlib import Path

import pytest
from django.conf import settings

from missioncontrol.celery import app

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def tasks():
    app.loader.import_default_modules()
    return app.tasks


def dispatched_names():
    for package in ("missioncontrol", "telemetry", "uplink"):
        for file in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Call) and _name(node.func) == "send_after_commit":
                    yield f"{file.relative_to(ROOT)}:{node.lineno}", node.args[0]


def _name(function):
    return getattr(function, "id", getattr(function, "attr", ""))


def test_every_dispatched_name_is_a_registered_task(tasks):
    wrong = [
        where
        for where, argument in dispatched_names()
        if not (isinstance(argument, ast.Constant) and argument.value in tasks)
    ]
    assert wrong == []


@pytest.mark.parametrize("entry", settings.CELERY_BEAT_SCHEDULE)
def test_every_beat_entry_is_a_registered_task(tasks, entry):
    assert settings.CELERY_BEAT_SCHEDULE[entry]["task"] in tasks


@pytest.mark.parametrize("entry", settings.CELERY_BEAT_SCHEDULE)
def test_no_beat_entry_piles_up_behind_a_slow_worker(entry):
    schedule = settings.CELERY_BEAT_SCHEDULE[entry]
    assert schedule["schedule"] <= schedule["options"]["expires"] <= 60 + schedule["schedule"]


def test_every_task_of_ours_is_named_by_its_place(tasks):
    ours = {
        name: task
        for name, task in tasks.items()
        if task.__module__.split(".")[0] in {"missioncontrol", "telemetry", "uplink"}
    }
    assert len(ours) >= len(settings.CELERY_BEAT_SCHEDULE)
    assert [n for n, task in ours.items() if n != f"{task.__module__}.{task.__name__}"] == []
