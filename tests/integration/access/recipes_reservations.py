"""Reservations at station providers: the mission sees all, a provider its own."""

from __future__ import annotations

from missioncontrol.accounts.policy import Action
from tests.integration.access.recipes import MEMBER, OPERATING, Ask, recipe


@recipe("GET /api/v1/reservations", Action.RESERVATION_VIEW, of=(MEMBER, OPERATING))
def reservations(scene):
    return Ask(shows=f'"id": {scene.reservation().pk},')


@recipe(
    "GET /api/v1/reservations/{reservation_id}", Action.RESERVATION_VIEW, of=(MEMBER, OPERATING)
)
def a_reservation(scene):
    return Ask(path={"reservation_id": scene.reservation().pk})


@recipe("POST /api/v1/reservations/{reservation_id}/give-back", Action.RESERVATION_GIVE_BACK)
def give_a_reservation_back(scene):
    return Ask(path={"reservation_id": scene.reservation().pk})


@recipe("GET /reservations/", Action.RESERVATION_VIEW, of=(MEMBER, OPERATING))
def reservations_in_the_console(scene):
    return Ask(shows=f'data-reservation="{scene.reservation().pk}"')


@recipe("POST /reservations/{reservation_id}/give-back/", Action.RESERVATION_GIVE_BACK)
def give_a_reservation_back_in_the_console(scene):
    return Ask(path={"reservation_id": scene.reservation().pk})
