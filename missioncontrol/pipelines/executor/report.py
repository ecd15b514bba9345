"""What a pass came to, in one JSON document."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from missioncontrol.pipelines import selectors
from missioncontrol.pipelines.executor.command_link import CommandCounts
from missioncontrol.pipelines.executor.file_uplink import FileCounts
from missioncontrol.pipelines.executor.service_loop import ServiceLoop
from missioncontrol.pipelines.executor.surroundings import PassSubject
from missioncontrol.pipelines.models import PassStep, RadiationIntent


def pass_report(
    subject: PassSubject,
    loop: ServiceLoop | None,
    *,
    failure: str,
    max_elevation_deg: float | None,
    at: datetime,
) -> dict[str, Any]:
    """Return the report of a pass.

    Counts of the uplink are those of this executor; where an earlier one died
    in the pass, the rows (telecommand frames, steps) tell of both.

    Args:
        subject: Which pass.
        loop: What carried it out; None where this executor came too late to.
        failure: Why it failed, or empty.
        max_elevation_deg: Highest elevation that the station reported, if any.
        at: Mission time.
    """
    contact = subject.contact
    return {
        "contact": contact.pk,
        "spacecraft": contact.spacecraft.name,
        "station": contact.antenna.station.name,
        "antenna": contact.antenna.name,
        "aos": contact.aos.isoformat(),
        "los": contact.los.isoformat(),
        "reported_at": at.isoformat(),
        "executor": subject.lease.holder,
        "epoch": subject.epoch,
        "failure": failure,
        "max_elevation_deg": {
            "predicted": contact.max_elevation_deg,
            "reported": max_elevation_deg,
        },
        "downlink": {
            **selectors.link_counts(contact),
            "clcws": loop.clcws_seen if loop is not None else 0,
        },
        "uplink": _uplink(loop),
        "telecommands": [_frame(intent) for intent in selectors.radiation_intents(contact)],
        "transfers": selectors.transfers_of_pass(contact),
        "jobs": selectors.jobs_of_pass(contact),
        "alarms": selectors.alarms_of_pass(contact, at),
        "steps": [_step(step) for step in selectors.pass_steps(contact)],
    }


def _uplink(loop: ServiceLoop | None) -> dict[str, Any]:
    commands = loop.commands.counts if loop is not None else CommandCounts()
    files = loop.files.counts if loop is not None else FileCounts()
    return {
        "connections": loop.station.connections if loop is not None else 0,
        "cop1": asdict(commands),
        "file_cltus": files.cltus,
        "files": asdict(files),
    }


def _frame(intent: RadiationIntent) -> dict[str, Any]:
    telecommand = intent.telecommand
    return {
        "number": intent.number,
        "what": intent.what,
        "telecommand": intent.telecommand_id,
        "telecommand_state": telecommand.state if telecommand is not None else None,
        "frame_sequence_number": intent.frame_sequence_number,
        "epoch": intent.epoch,
        "state": intent.state,
        "acceptance": intent.acceptance,
        "evidence": intent.evidence,
    }


def _step(step: PassStep) -> dict[str, Any]:
    return {
        "number": step.number,
        "kind": step.kind,
        "state": step.state,
        "started_at": step.started_at.isoformat(),
        "ended_at": step.ended_at.isoformat() if step.ended_at is not None else None,
        "detail": step.detail,
    }
