"""The console's pages and forms."""

from __future__ import annotations

from datetime import timedelta

from django.core.files.uploadedfile import SimpleUploadedFile

from missioncontrol.accounts.policy import Action
from tests.integration.access.cast import Subject
from tests.integration.access.recipes import (
    MEMBER,
    OPERATING,
    Ask,
    anybody,
    plain,
    recipe,
    unlogged,
)
from tests.integration.access.scene import AT

plain("GET /", Action.CONTACT_VIEW)
plain("GET /health", meant=anybody)
plain("GET /passes/", Action.CONTACT_VIEW)
plain("GET /stations/", Action.CONTACT_VIEW)
plain("GET /audit/", Action.AUDIT_VIEW)
unlogged("POST /live-ticket/")


@recipe("GET /passes/{contact_id}/", Action.CONTACT_VIEW)
def a_contact(scene):
    return Ask(path={"contact_id": scene.contact().pk})


@recipe("POST /passes/{contact_id}/cancel/", Action.CONTACT_CANCEL, of=OPERATING)
def cancel_a_contact(scene):
    return Ask(path={"contact_id": scene.contact().pk})


@recipe("GET /telemetry/", Action.TELEMETRY_VIEW, of=OPERATING)
def telemetry(scene):
    return Ask(shows='data-parameter="PWR_BATT_V"')


@recipe("GET /telemetry/{spacecraft}/", Action.TELEMETRY_VIEW, of=OPERATING)
def telemetry_of_a_spacecraft(scene):
    return Ask(path={"spacecraft": scene.spacecraft.name})


@recipe("GET /telemetry/{spacecraft}/samples", Action.TELEMETRY_VIEW, of=OPERATING)
def samples(scene):
    end = AT + timedelta(hours=1)
    query = {"parameter": "PWR_BATT_V", "start": AT.isoformat(), "end": end.isoformat()}
    return Ask(path={"spacecraft": scene.spacecraft.name}, query=query)


@recipe("GET /telemetry/{spacecraft}/plot.csv", Action.TELEMETRY_VIEW, of=OPERATING)
def what_a_plot_shows(scene):
    end = AT + timedelta(hours=1)
    query = {"parameter": "PWR_BATT_V", "start": AT.isoformat(), "end": end.isoformat()}
    return Ask(path={"spacecraft": scene.spacecraft.name}, query=query)


@recipe("GET /telemetry/{spacecraft}/packets/", Action.TELEMETRY_VIEW, of=OPERATING)
def packets(scene):
    return Ask(path={"spacecraft": scene.spacecraft.name})


@recipe("GET /telemetry/{spacecraft}/packets/{cursor}/", Action.TELEMETRY_VIEW, of=OPERATING)
def a_packet(scene):
    return Ask(path={"spacecraft": scene.spacecraft.name, "cursor": scene.packet_cursor()})


@recipe("GET /telemetry/{spacecraft}/packets/{cursor}/octets", Action.TELEMETRY_VIEW, of=OPERATING)
def octets_of_a_packet(scene):
    return Ask(path={"spacecraft": scene.spacecraft.name, "cursor": scene.packet_cursor()})


@recipe("GET /telemetry/{spacecraft}/gaps/", Action.TELEMETRY_VIEW, of=OPERATING)
def gaps(scene):
    return Ask(path={"spacecraft": scene.spacecraft.name})


@recipe("GET /telemetry/bad-frames/", Action.TELEMETRY_VIEW, of=OPERATING)
def bad_frames(scene):
    return Ask(shows=scene.bad_frame().reason)


@recipe("GET /telemetry/bad-frames/{frame_id}/", Action.TELEMETRY_VIEW, of=OPERATING)
def a_bad_frame(scene):
    return Ask(path={"frame_id": scene.bad_frame().pk})


@recipe("GET /telemetry/bad-frames/{frame_id}/octets", Action.TELEMETRY_VIEW, of=OPERATING)
def octets_of_a_bad_frame(scene):
    return Ask(path={"frame_id": scene.bad_frame().pk})


@recipe("GET /alarms/", Action.TELEMETRY_VIEW, of=OPERATING)
def alarms(scene):
    return Ask(shows=scene.alarm().limit)


@recipe("POST /alarms/{alarm_id}/acknowledge/", Action.ALARM_ACKNOWLEDGE, of=OPERATING)
def acknowledge_an_alarm(scene):
    return Ask(path={"alarm_id": scene.alarm().pk})


@recipe("GET /commands/", Action.TELECOMMAND_VIEW, of=OPERATING)
def telecommands(scene):
    return Ask(shows=f'data-telecommand="{scene.telecommand().pk}"')


@recipe("POST /commands/submit/", Action.TELECOMMAND_SUBMIT, of=OPERATING)
def submit_a_telecommand(scene):
    return Ask(form={"spacecraft": scene.spacecraft.name, "telecommand": "PING"})


@recipe("POST /commands/{telecommand_id}/approve/", Action.TELECOMMAND_APPROVE, of=OPERATING)
def approve_a_telecommand(scene):
    return Ask(path={"telecommand_id": scene.telecommand().pk})


# Who may approve may reject, without a fresh proof: stopping must be easy.
@recipe(
    "POST /commands/{telecommand_id}/reject/",
    Action.TELECOMMAND_APPROVE,
    of=OPERATING,
    confirmed=False,
)
def reject_a_telecommand(scene):
    return Ask(path={"telecommand_id": scene.telecommand().pk}, form={"reason": "not today"})


@recipe("GET /jobs/", Action.JOB_VIEW, of=(MEMBER, OPERATING))
def jobs(scene):
    return Ask(shows=f'data-job="{scene.job().number}"')


@recipe("POST /jobs/submit/", Action.JOB_SUBMIT, of=MEMBER)
def submit_a_job(scene):
    def form(_subject: Subject) -> dict[str, object]:
        return {
            "spacecraft": scene.spacecraft.name,
            "organisation": scene.organisation(MEMBER).slug,
            "program": "SHA256",
            "input": SimpleUploadedFile("input.bin", b"what to digest"),
        }

    return Ask(form=form)


@recipe("GET /jobs/{number}/", Action.JOB_VIEW, of=(MEMBER, OPERATING))
def a_job(scene):
    return Ask(path={"number": scene.job().number})


@recipe("GET /jobs/{number}/result", Action.JOB_VIEW, of=MEMBER)
def the_result_of_a_job(scene):
    return Ask(path={"number": scene.completed_job().number})


@recipe("POST /jobs/{number}/cancel/", Action.JOB_CANCEL, of=MEMBER)
def cancel_a_job(scene):
    return Ask(path={"number": scene.job().number})


@recipe("GET /audit/{log_index}/entry", Action.AUDIT_VIEW)
def an_entry(scene):
    return Ask(path={"log_index": scene.entry.log_index})


@recipe("GET /audit/{log_index}/proof", Action.AUDIT_VIEW)
def the_proof_of_an_entry(scene):
    return Ask(path={"log_index": scene.entry.log_index})


@recipe("POST /clock/", Action.CLOCK_SET)
def set_the_clock(scene):
    return Ask(form={"factor": "5"})
