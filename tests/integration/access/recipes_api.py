"""The API's operations."""

from __future__ import annotations

import base64

from missioncontrol.accounts.policy import Action
from tests.integration.access.recipes import MEMBER, OPERATING, Ask, nobody, plain, recipe

plain("GET /api/v1/openapi.json")
plain("GET /api/v1/clock")
plain("GET /api/v1/spacecraft")
plain("GET /api/v1/stations")
plain("GET /api/v1/contact-windows", Action.CONTACT_VIEW)
plain("GET /api/v1/audit/log", Action.AUDIT_VIEW)
plain("GET /api/v1/audit/checkpoint", Action.AUDIT_VIEW)
plain("GET /api/v1/audit/witnesses", Action.AUDIT_VIEW)

# Nothing is at these: whoever is let in is told so.
plain("GET /api/v1/", meant=nobody)


@recipe("GET /api/v1/{path}", meant=nobody)
def nothing(scene):
    return Ask(path={"path": "no/such/thing"})


@recipe("GET /api/v1/contacts", Action.CONTACT_VIEW)
def contacts(scene):
    return Ask(shows=f'"id": {scene.contact().pk},')


@recipe("GET /api/v1/contacts/{contact_id}", Action.CONTACT_VIEW)
def a_contact(scene):
    return Ask(path={"contact_id": scene.contact().pk})


@recipe("POST /api/v1/contacts/{contact_id}/cancel", Action.CONTACT_CANCEL, of=OPERATING)
def cancel_a_contact(scene):
    return Ask(path={"contact_id": scene.contact().pk})


@recipe("GET /api/v1/spacecraft/{name}/telemetry/latest", Action.TELEMETRY_VIEW, of=OPERATING)
def newest_values(scene):
    return Ask(path={"name": scene.spacecraft.name})


@recipe("GET /api/v1/spacecraft/{name}/telemetry/{parameter}", Action.TELEMETRY_VIEW, of=OPERATING)
def history(scene):
    return Ask(path={"name": scene.spacecraft.name, "parameter": "PWR_BATT_V"})


@recipe("GET /api/v1/alarms", Action.TELEMETRY_VIEW, of=OPERATING)
def alarms(scene):
    return Ask(shows=scene.alarm().limit)


@recipe("POST /api/v1/alarms/{alarm_id}/acknowledge", Action.ALARM_ACKNOWLEDGE, of=OPERATING)
def acknowledge_an_alarm(scene):
    return Ask(path={"alarm_id": scene.alarm().pk})


@recipe("GET /api/v1/telecommands", Action.TELECOMMAND_VIEW, of=OPERATING)
def telecommands(scene):
    return Ask(shows=f'"id": {scene.telecommand().pk},')


@recipe("POST /api/v1/telecommands", Action.TELECOMMAND_SUBMIT, of=OPERATING)
def submit_a_telecommand(scene):
    return Ask(json={"spacecraft": scene.spacecraft.name, "name": "PING"})


@recipe("GET /api/v1/telecommands/{telecommand_id}", Action.TELECOMMAND_VIEW, of=OPERATING)
def a_telecommand(scene):
    return Ask(path={"telecommand_id": scene.telecommand().pk})


@recipe(
    "POST /api/v1/telecommands/{telecommand_id}/approve", Action.TELECOMMAND_APPROVE, of=OPERATING
)
def approve_a_telecommand(scene):
    return Ask(path={"telecommand_id": scene.telecommand().pk})


# Who may approve may reject, without a fresh proof: stopping must be easy.
@recipe(
    "POST /api/v1/telecommands/{telecommand_id}/reject",
    Action.TELECOMMAND_APPROVE,
    of=OPERATING,
    confirmed=False,
)
def reject_a_telecommand(scene):
    return Ask(path={"telecommand_id": scene.telecommand().pk}, json={"reason": "not today"})


@recipe("GET /api/v1/jobs", Action.JOB_VIEW, of=(MEMBER, OPERATING))
def jobs(scene):
    return Ask(shows=f'"number": {scene.job().number},')


# A token submits for its own organisation, whosever token it is.
@recipe(
    "POST /api/v1/jobs",
    meant=lambda subject, _scene: subject.may(Action.JOB_SUBMIT, None),
)
def submit_a_job(scene):
    content = base64.b64encode(b"what to digest").decode()
    return Ask(json={"spacecraft": scene.spacecraft.name, "program": "SHA256", "input": content})


@recipe("GET /api/v1/jobs/{number}", Action.JOB_VIEW, of=(MEMBER, OPERATING))
def a_job(scene):
    return Ask(path={"number": scene.job().number})


@recipe("GET /api/v1/jobs/{number}/result", Action.JOB_VIEW, of=MEMBER)
def the_result_of_a_job(scene):
    return Ask(path={"number": scene.completed_job().number})


@recipe("POST /api/v1/jobs/{number}/cancel", Action.JOB_CANCEL, of=MEMBER)
def cancel_a_job(scene):
    return Ask(path={"number": scene.job().number})


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
