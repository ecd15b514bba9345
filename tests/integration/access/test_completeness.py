"""Whatever can be asked for stands in the table: a route without a recipe fails here."""

from __future__ import annotations

from http import HTTPStatus

import pytest
from django.core.management.base import BaseCommand
from django.urls import path

from missioncontrol import urls as product
from missioncontrol.accounts.policy import Role
from tests.integration.access import recipes_commands, routes, table
from tests.integration.access.asking import Asking, undone
from tests.integration.access.cast import By, Whose
from tests.integration.access.listening import SOCKETS
from tests.integration.access.recipes import RECIPES

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

# The product with a page more, about which nobody thought.
urlpatterns = [*product.urlpatterns, path("keys/<int:pk>/", print)]


def asked_about() -> set[str]:
    return {f"{each.method} {each.address}" for each in RECIPES.values()}


def commands_listed() -> set[str]:
    return {
        *(each.name for each in recipes_commands.LOG_COMMANDS),
        *recipes_commands.BY_THEMSELVES,
        *recipes_commands.ON_THE_MACHINE,
    }


def without_recipe() -> set[str]:
    """Return the addresses, operations, sockets and commands that nobody is asked about."""
    addresses = {route.split()[1] for route in asked_about()}
    return {
        *(routes.addresses().keys() - addresses),
        *(set(routes.operations()) - asked_about()),
        *(set(routes.sockets()) - {each.address for each in SOCKETS}),
        *({*routes.management_commands(), *routes.client_commands()} - commands_listed()),
    }


def test_every_route_socket_and_command_has_a_recipe():
    missing = ", ".join(sorted(without_recipe()))
    assert not missing, f"{missing}: add recipes, see tests/integration/access/__init__.py"


@pytest.mark.urls(__name__)
def test_a_page_that_is_added_is_missed():
    assert without_recipe() == {"/keys/{pk}/"}


def test_a_command_that_is_added_is_missed(monkeypatch):
    known = {"new_command": BaseCommand(), "drop": "missioncontrol.accounts", "shell": "django"}
    monkeypatch.setattr(routes, "get_commands", lambda: known)
    assert without_recipe() == {"manage.py drop"}


def test_a_recipe_is_about_something_that_there_is():
    there_is = {*routes.addresses(), *(each.split()[1] for each in routes.operations())}
    assert {route.split()[1] for route in asked_about()} <= there_is
    assert {each.address for each in SOCKETS} == set(routes.sockets())
    assert commands_listed() == {*routes.management_commands(), *routes.client_commands()}


def test_the_table_is_about_the_recipes():
    http = {row.route for row in table.read() if row.route.split()[0] in _METHODS}
    assert http == set(RECIPES)


def test_no_page_answers_to_a_method_without_a_recipe(scene):
    subject = scene.cast.with_role[Role.ADMINISTRATOR, Whose.OPERATING]
    pages = {each.address: each for each in RECIPES.values() if "/api/" not in each.address}
    answering = []
    for recipe in pages.values():
        with undone():
            ask = recipe.prepare(scene)
            for method in _METHODS:
                route = f"{method} {recipe.address}"
                if route in asked_about():
                    continue
                answer = Asking(recipe, scene).answer(ask, By.SESSION, subject, method)
                if answer.status_code != HTTPStatus.METHOD_NOT_ALLOWED:
                    answering.append(f"{route}: {answer.status_code}")
    assert not answering, "\n".join(answering)
