"""The live message that shows how a pass goes."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from missioncontrol.pipelines import selectors
from missioncontrol.stationlink.messages import Status

if TYPE_CHECKING:
    from missioncontrol.pipelines.executor.service_loop import ServiceLoop


def pass_message(loop: ServiceLoop, at: datetime) -> dict[str, Any]:
    """Return the message for *loop* as it stands; angles deg, distances m, times s."""
    contact = loop.subject.contact
    commands, files = loop.commands.counts, loop.files.counts
    return {
        "type": "pass",
        "contact": contact.pk,
        "state": contact.state,
        "spacecraft": contact.spacecraft.name,
        "antenna": contact.antenna.name,
        "at": at.isoformat(),
        "elapsed_s": round((at - contact.aos).total_seconds(), 1),
        "remaining_s": round((contact.los - at).total_seconds(), 1),
        "connected": loop.station.is_connected,
        "refusal": loop.station.refusal,
        "cop1": loop.commands.phase.value,
        "telecommand_frames": commands.frames,
        "telecommand_frames_accepted": commands.accepted,
        "file_cltus": files.cltus,
        "uplink_octets": files.octets,
        **_pointing(loop.station.status),
        **selectors.link_counts(contact),
        "transfers": selectors.transfers_under_way(contact.spacecraft),
    }


def _pointing(status: Status | None) -> dict[str, Any]:
    if status is None:
        return {}
    return {
        "azimuth_deg": round(status.azimuth_deg, 2),
        "elevation_deg": round(status.elevation_deg, 2),
        "range_m": round(status.range_m),
        "range_rate_m_s": round(status.range_rate_m_s, 1),
        "carrier_lock": status.carrier_lock,
    }
