"""Everybody gets where the table says, and no further than the policy means."""

from __future__ import annotations

import os

import pytest

from tests.integration.access import table
from tests.integration.access.asking import Asking
from tests.integration.access.commanding import Commanding
from tests.integration.access.listening import SOCKETS, Listening
from tests.integration.access.recipes import RECIPES
from tests.integration.access.table import Family

_WRITES = os.environ.get("ACCESS_MATRIX") == "write"  # make access-matrix


def check(family, rows, faults):
    """Compare with the table, or write it."""
    if _WRITES:
        table.replace(family, rows)
    differing = table.differences(table.read(family), rows)
    assert not faults, "\n".join(sorted(map(str, faults)))
    assert not differing, "\n".join([*differing, "make access-matrix writes the table anew"])


@pytest.mark.parametrize("family", [Family.ACCOUNT, Family.API, Family.CONSOLE, Family.LOG])
def test_everybody_gets_where_the_table_says(scene, family):
    rows, faults = [], []
    for recipe in RECIPES.values():
        if Family.of(recipe.route) is family:
            asking = Asking(recipe, scene)
            rows += asking.rows()
            faults += asking.faults
    check(family, rows, faults)


async def test_everybody_hears_what_the_table_says(committed_scene):
    rows, faults = [], []
    for recipe in SOCKETS:
        listening = Listening(recipe, committed_scene)
        rows += await listening.rows()
        faults += listening.faults
    check(Family.SOCKETS, rows, faults)


def test_everybody_can_run_what_the_table_says(scene, tmp_path):
    commanding = Commanding(scene, tmp_path)
    rows = commanding.rows()
    check(Family.COMMANDS, rows, commanding.faults)
