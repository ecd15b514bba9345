"""The reference computed with Orekit, and spacecraft and sites that tests share."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from missioncontrol.orbits.elements import MeanElements, elements_from_tle
from missioncontrol.orbits.sites import Site

_REFERENCE = Path(__file__).resolve().parents[3] / "vectors" / "contact_windows_reference.json"


@dataclass(frozen=True)
class Reference:
    """Orekit's answers; seconds count from ``start``."""

    start: datetime
    end: datetime
    elements: dict[int, MeanElements]
    stations: dict[int, dict]
    passes: list[dict]
    no_passes: list[dict]
    eclipses: list[dict]
    look_angles: list[dict]

    def site(self, number: int, mask_deg: float = 5.0) -> Site:
        station = self.stations[number]
        return Site(
            name=station["name"],
            latitude_deg=station["lat_deg"],
            longitude_deg=station["lon_deg"],
            height_m=station["alt_m"],
            mask_deg=mask_deg,
        )

    def named(self, name: str) -> MeanElements:
        return next(one for one in self.elements.values() if one.name.startswith(name))


@pytest.fixture(scope="session")
def reference() -> Reference:
    data = json.loads(_REFERENCE.read_text())
    return Reference(
        start=datetime.fromisoformat(data["start_utc"]).astimezone(UTC),
        end=datetime.fromisoformat(data["end_utc"]).astimezone(UTC),
        elements={
            one["id"]: elements_from_tle(one["name"], one["line1"], one["line2"])
            for one in data["satellites"]
        },
        stations={one["id"]: one for one in data["stations"]},
        passes=data["passes"],
        no_passes=data["no_passes"],
        eclipses=data["eclipses"],
        look_angles=data["look_angles"],
    )


@pytest.fixture(scope="session")
def sentinel(reference: Reference) -> MeanElements:
    return reference.named("SENTINEL-2A")


@pytest.fixture(scope="session")
def iss(reference: Reference) -> MeanElements:
    return reference.named("ISS")


@pytest.fixture(scope="session")
def geostationary(reference: Reference) -> MeanElements:
    return reference.named("METEOSAT")


@pytest.fixture(scope="session")
def molniya(reference: Reference) -> MeanElements:
    """Twelve-hour orbit of high eccentricity, apogee over the north."""
    return MeanElements(
        name="MOLNIYA",
        catalogue_number=90010,
        object_id="",
        epoch=reference.start,
        mean_motion_rev_per_day=2.00613,
        eccentricity=0.72,
        inclination_deg=63.4,
        raan_deg=120.0,
        argument_of_perigee_deg=270.0,
        mean_anomaly_deg=30.0,
    )
