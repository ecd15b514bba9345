"""The API's operations."""

from __future__ import annotations

import base64

from missioncontrol.accounts.policy import Action
from tests.integration.access.recipes import (
    MEMBER,
    OPERATING,
    Ask,
    holds_a_role,
    nobody,
    plain,
    recipe,
)
from tests.integration.access.scene import AT

plain("GET /api/v1/openapi.json")
plain("GET /api/v1/clock")
plain("GET /api/v1/spacecraft", meant=holds_a_role)
plain("GET /api/v1/stations", meant=holds_a_role)
plain("GET /api/v1/contact-windows", Action.CONTACT_VIEW)

# Nothing is at these: whoever is let in is told so.
plain("GET /api/v1/", meant=nobody)
plain("GET /api/", meant=nobody)


@recipe("GET /api/v1/{address}", meant=nobody)
def nothing(scene):
    return Ask(path={"address": "no/such/thing"})


@recipe("PUT /api/v1/clock", Action.CLOCK_SET)
def set_the_clock(scene):
    return Ask(json={"factor": 5})


@recipe("GET /api/v1/spacecraft/{name}", meant=holds_a_role)
def a_spacecraft(scene):
    return Ask(path={"name": scene.spacecraft.name})


@recipe(
    "GET /api/v1/spacecraft/{name}/telecommand-definitions",
    Action.TELECOMMAND_VIEW,
    of=OPERATING,
)
def telecommand_definitions(scene):
    return Ask(path={"name": scene.spacecraft.name})


@recipe("GET /api/v1/stations/{name}", meant=holds_a_role)
def a_station(scene):
    return Ask(path={"name": "KASHI"})


plain("GET /api/v1/processes", Action.PROCESS_VIEW)


@recipe("POST /api/v1/contact-windows/recompute", Action.CONTACT_WINDOW_RECOMPUTE, of=OPERATING)
def recompute_contact_windows(scene):
    return Ask(json={"spacecraft": scene.spacecraft.name})


plain("POST /api/v1/log-verifications", Action.LOG_VERIFY)


@recipe("GET /api/v1/operations", Action.CONTACT_WINDOW_RECOMPUTE, of=OPERATING)
def operations(scene):
    return Ask(shows=f'"id": {scene.operation().pk},')


@recipe("GET /api/v1/operations/{operation_id}", Action.CONTACT_WINDOW_RECOMPUTE, of=OPERATING)
def an_operation(scene):
    return Ask(path={"operation_id": scene.operation().pk})


@recipe(
    "POST /api/v1/operations/{operation_id}/cancel",
    Action.CONTACT_WINDOW_RECOMPUTE,
    of=OPERATING,
)
def cancel_an_operation(scene):
    return Ask(path={"operation_id": scene.operation().pk})


@recipe("GET /api/v1/contacts", Action.CONTACT_VIEW)
def contacts(scene):
    return Ask(shows=f'"id": {scene.contact().pk},')


@recipe("GET /api/v1/contacts/{contact_id}", Action.CONTACT_VIEW)
def a_contact(scene):
    return Ask(path={"contact_id": scene.contact().pk})


@recipe("POST /api/v1/contacts/{contact_id}/cancel", Action.CONTACT_CANCEL, of=OPERATING)
def cancel_a_contact(scene):
    return Ask(path={"contact_id": scene.contact().pk})


@recipe("GET /api/v1/contacts/{contact_id}/steps", Action.CONTACT_VIEW)
def steps_of_a_contact(scene):
    return Ask(path={"contact_id": scene.contact().pk})


@recipe("GET /api/v1/contacts/{contact_id}/link-sessions", Action.CONTACT_VIEW)
def link_sessions_of_a_contact(scene):
    return Ask(path={"contact_id": scene.contact().pk})


@recipe("GET /api/v1/contacts/{contact_id}/radiated-items", Action.TELECOMMAND_VIEW, of=OPERATING)
def radiated_items_of_a_contact(scene):
    return Ask(path={"contact_id": scene.contact().pk})


@recipe("GET /api/v1/contacts/{contact_id}/transfers", Action.JOB_VIEW, of=(MEMBER, OPERATING))
def transfers_of_a_contact(scene):
    transfer = scene.transfer()
    contact = scene.contact(state="COMPLETED", started_at=AT)
    return Ask(path={"contact_id": contact.pk}, shows=transfer.file_name)


@recipe("GET /api/v1/transfers", Action.JOB_VIEW, of=(MEMBER, OPERATING))
def transfers(scene):
    return Ask(shows=scene.transfer().file_name)


@recipe("GET /api/v1/transfers/{transfer_id}", Action.JOB_VIEW, of=(MEMBER, OPERATING))
def a_transfer(scene):
    return Ask(path={"transfer_id": scene.transfer().pk})


@recipe("POST /api/v1/transfers/{transfer_id}/cancel", Action.TRANSFER_CANCEL, of=OPERATING)
def cancel_a_transfer(scene):
    return Ask(path={"transfer_id": scene.transfer().pk})


@recipe("GET /api/v1/spacecraft/{name}/subsystems", Action.TELEMETRY_VIEW, of=OPERATING)
def subsystems(scene):
    return Ask(path={"name": scene.spacecraft.name})


@recipe("GET /api/v1/spacecraft/{name}/telemetry/stream", Action.TELEMETRY_VIEW, of=OPERATING)
def values_as_they_come(scene):
    return Ask(path={"name": scene.spacecraft.name})


@recipe("GET /api/v1/spacecraft/{name}/telemetry/latest", Action.TELEMETRY_VIEW, of=OPERATING)
def newest_values(scene):
    return Ask(path={"name": scene.spacecraft.name})


@recipe("GET /api/v1/spacecraft/{name}/telemetry/{parameter}", Action.TELEMETRY_VIEW, of=OPERATING)
def history(scene):
    return Ask(path={"name": scene.spacecraft.name, "parameter": "PWR_BATT_V"})


@recipe("GET /api/v1/spacecraft/{name}/packets", Action.TELEMETRY_VIEW, of=OPERATING)
def packets(scene):
    return Ask(path={"name": scene.spacecraft.name})


@recipe("GET /api/v1/spacecraft/{name}/gaps", Action.TELEMETRY_VIEW, of=OPERATING)
def gaps(scene):
    return Ask(path={"name": scene.spacecraft.name})


@recipe("GET /api/v1/spacecraft/{name}/virtual-channels", Action.TELEMETRY_VIEW, of=OPERATING)
def virtual_channels(scene):
    return Ask(path={"name": scene.spacecraft.name})


@recipe("GET /api/v1/spacecraft/{name}/inputs", Action.TELEMETRY_VIEW, of=OPERATING)
def inputs(scene):
    return Ask(path={"name": scene.spacecraft.name})


@recipe(
    "GET /api/v1/spacecraft/{name}/telemetry/{parameter}/samples",
    Action.TELEMETRY_VIEW,
    of=OPERATING,
)
def samples(scene):
    return Ask(path={"name": scene.spacecraft.name, "parameter": "PWR_BATT_V"})


@recipe("GET /api/v1/bad-frames", Action.TELEMETRY_VIEW, of=OPERATING)
def bad_frames(scene):
    return Ask(shows=scene.bad_frame().reason)


@recipe("GET /api/v1/bad-frames/{frame_id}", Action.TELEMETRY_VIEW, of=OPERATING)
def a_bad_frame(scene):
    return Ask(path={"frame_id": scene.bad_frame().pk})


@recipe("GET /api/v1/bad-frames/{frame_id}/octets", Action.TELEMETRY_VIEW, of=OPERATING)
def octets_of_a_bad_frame(scene):
    return Ask(path={"frame_id": scene.bad_frame().pk})


@recipe("GET /api/v1/alarms/{alarm_id}", Action.TELEMETRY_VIEW, of=OPERATING)
def an_alarm(scene):
    return Ask(path={"alarm_id": scene.alarm().pk})


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
    Action.JOB_SUBMIT,
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
