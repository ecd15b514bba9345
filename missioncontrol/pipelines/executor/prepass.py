"""What is looked at before a pass. Nothing here stops it; the findings stand in its step."""

from __future__ import annotations

import socket
from datetime import datetime

from missioncontrol.fleet import selectors as fleet
from missioncontrol.pipelines import selectors
from missioncontrol.pipelines.executor.surroundings import PassSubject
from uplink.commanding import selectors as commanding
from uplink.links.connection import CONNECT_TIMEOUT_S

_OLD_ELEMENTS_DAYS = 14


def check_readiness(subject: PassSubject, at: datetime) -> str:
    """Return the findings, a line each."""
    return "\n".join(
        [_elements(subject, at), _station(subject), _waiting_items(subject), _open_frames(subject)]
    )


def _elements(subject: PassSubject, at: datetime) -> str:
    ephemeris = fleet.ephemeris_in_force(subject.spacecraft, at)
    if ephemeris is None:
        return "Elements: none in force. Load some; the antenna may point wrong."
    age_days = (at - ephemeris.epoch).total_seconds() / 86_400
    line = f"Elements: {ephemeris}, {age_days:.1f} days old"
    if age_days > _OLD_ELEMENTS_DAYS:
        line += f"; older than {_OLD_ELEMENTS_DAYS} days, load newer ones"
    return line + "."


def _station(subject: PassSubject) -> str:
    antenna = subject.contact.antenna
    try:
        host, port = subject.address_of(antenna)
        with socket.create_connection((host, port), timeout=CONNECT_TIMEOUT_S):
            return f"Station: {antenna} can be reached at {host}:{port}."
    except (OSError, ValueError) as error:
        return f"Station: {antenna} cannot be reached: {error}."


def _waiting_items(subject: PassSubject) -> str:
    telecommands = len(commanding.releasable(subject.spacecraft))
    transfers = len(selectors.transfers_under_way(subject.spacecraft))
    return f"Waiting: {telecommands} telecommands, {transfers} file transfers."


def _open_frames(subject: PassSubject) -> str:
    count = len(selectors.open_intents(subject.spacecraft))
    return f"Frames of earlier passes without acknowledgement: {count}."
