"""Orbit Ephemeris Messages that say where SGP4 puts a spacecraft, written by Skyfield."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from skyfield.api import EarthSatellite
from skyfield.framelib import ICRS_to_J2000, itrs

from missioncontrol.orbits.elements import MeanElements
from missioncontrol.orbits.time_scale import packaged_time_scale

_AXES = ("X", "Y", "Z", "X_DOT", "Y_DOT", "Z_DOT")
CLOCK_AHEAD_S = {"UTC": 0.0, "TAI": 37.0, "GPS": 18.0, "TT": 69.184}


@dataclass(frozen=True)
class Table:
    """States of a spacecraft in some frame; times as a clock of some system shows them."""

    frame: str
    system: str
    clock: list[datetime]
    states: np.ndarray  # (n, 6), km and km/s
    interpolation: str = "HERMITE"
    degree: int = 7


def table_of(
    elements: MeanElements,
    start: datetime,
    end: datetime,
    *,
    step_s: float = 60.0,
    frame: str = "EME2000",
    system: str = "UTC",
    **kind,
) -> Table:
    scale = packaged_time_scale()
    count = int((end - start).total_seconds() / step_s) + 1
    instants = [start + timedelta(seconds=step_s * number) for number in range(count)]
    satellite = EarthSatellite(*elements.tle_lines(), elements.name, scale)
    position = satellite.at(scale.from_datetimes(instants))
    if frame.startswith("ITRF"):
        distance, speed = position.frame_xyz_and_velocity(itrs)
        states = np.vstack([distance.km, speed.km_per_s])
    else:
        turn = ICRS_to_J2000 if frame == "EME2000" else np.eye(3)
        states = np.vstack([turn @ position.position.km, turn @ position.velocity.km_per_s])
    ahead = timedelta(seconds=CLOCK_AHEAD_S[system])
    return Table(frame, system, [one + ahead for one in instants], states.T, **kind)


def kvn(*tables: Table, name: str = "SENTINEL-2A", object_id: str = "2015-028A") -> str:
    lines = ["CCSDS_OEM_VERS = 2.0", "CREATION_DATE = 2026-08-12T00:00:00", "ORIGINATOR = FDS"]
    for table in tables:
        lines += [
            "META_START",
            "COMMENT a = b",
            *(f"{key} = {value}" for key, value in _metadata(table, name, object_id).items()),
            "META_STOP",
            "",
            "COMMENT states follow",
        ]
        lines += [
            f"{at:%Y-%m-%dT%H:%M:%S.%f} " + " ".join(f"{one:.9f}" for one in state)
            for at, state in zip(table.clock, table.states, strict=True)
        ]
        lines += ["COVARIANCE_START", "EPOCH = 2026-08-12T00:00:00", "1.0", "COVARIANCE_STOP"]
    return "\n".join(lines) + "\n"


def xml(*tables: Table, name: str = "SENTINEL-2A", object_id: str = "2015-028A") -> str:
    segments = ""
    for table in tables:
        metadata = "".join(
            f"<{key}>{value}</{key}>" for key, value in _metadata(table, name, object_id).items()
        )
        states = "".join(
            f"<stateVector><EPOCH>{at:%Y-%j}T{at:%H:%M:%S.%f}</EPOCH>"
            + "".join(
                f'<{axis} units="km">{one:.9f}</{axis}>'
                for axis, one in zip(_AXES, state, strict=True)
            )
            + "</stateVector>"
            for at, state in zip(table.clock, table.states, strict=True)
        )
        segments += (
            f"<segment><metadata>{metadata}</metadata><data>{states}"
            "<covarianceMatrix><EPOCH>2026-08-12T00:00:00</EPOCH></covarianceMatrix>"
            "</data></segment>"
        )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!-- made for a test -->\n'
        '<ndm xmlns="urn:ccsds:schema:ndmxml"><oem id="CCSDS_OEM_VERS" version="2.0"><header>'
        "<CREATION_DATE>2026-08-12T00:00:00</CREATION_DATE></header>"
        f"<body>{segments}</body></oem></ndm>"
    )


def _metadata(table: Table, name: str, object_id: str) -> dict[str, object]:
    return {
        "OBJECT_NAME": name,
        "OBJECT_ID": object_id,
        "CENTER_NAME": "EARTH",
        "REF_FRAME": table.frame,
        "TIME_SYSTEM": table.system,
        "START_TIME": f"{table.clock[0]:%Y-%m-%dT%H:%M:%S.%f}",
        "STOP_TIME": f"{table.clock[-1]:%Y-%m-%dT%H:%M:%S.%f}",
        "INTERPOLATION": table.interpolation,
        "INTERPOLATION_DEGREE": table.degree,
    }
