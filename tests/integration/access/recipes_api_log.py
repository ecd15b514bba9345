"""The API's operations on the consortium log, and its events."""

from __future__ import annotations

from missioncontrol.accounts.policy import Action
from tests.integration.access.recipes import MEMBER, OPERATING, Ask, plain, recipe, unlogged

plain("GET /api/v1/audit/log", Action.AUDIT_VIEW)
plain("GET /api/v1/audit/checkpoint", Action.AUDIT_VIEW)
plain("GET /api/v1/audit/witnesses", Action.AUDIT_VIEW)
unlogged("POST /api/v1/tickets", Action.AUDIT_VIEW)


# What an event tells is public in the consortium.
@recipe("GET /api/v1/events", Action.AUDIT_VIEW)
def events(scene):
    return Ask(query={"after": "-1"}, shows=scene.entry.subject)


@recipe("GET /api/v1/events as-a-stream", Action.AUDIT_VIEW)
def events_as_a_stream(scene):
    return Ask(headers={"Accept": "text/event-stream"})


@recipe("GET /api/v1/audit/consistency", Action.AUDIT_VIEW)
def consistency(scene):
    return Ask(query={"old": "1"})


@recipe("GET /api/v1/audit/entries", Action.AUDIT_VIEW)
def entries(scene):
    return Ask(shows=scene.entry.subject)


@recipe("GET /api/v1/audit/entries/{log_index}/receipt", Action.AUDIT_VIEW)
def a_receipt(scene):
    return Ask(path={"log_index": scene.entry.log_index})


@recipe("GET /api/v1/audit/receipts/{leaf_hash}", Action.AUDIT_VIEW)
def the_receipt_of_a_leaf(scene):
    return Ask(path={"leaf_hash": bytes(scene.entry.leaf_hash).hex()})


@recipe(
    "GET /api/v1/audit/entries/{log_index}/opening",
    Action.OPENING_VIEW,
    of=(MEMBER, OPERATING),
)
def an_opening(scene):
    return Ask(path={"log_index": scene.entry.log_index})


@recipe("POST /api/v1/audit/entries/{log_index}/opening/erase", Action.OPENING_ERASE, of=MEMBER)
def erase_an_opening(scene):
    return Ask(path={"log_index": scene.entry.log_index}, json={"reason": "it was asked for"})
