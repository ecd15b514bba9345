"""The reference computed with Orekit, and spacecraft and sites that tests share."""

from __future__ import annotations

import pytest

from missioncontrol.orbits.elements import MeanElements
from tests.vectors.contact_windows import Reference, load_reference


@pytest.fixture(scope="session")
def reference() -> Reference:
    return load_reference()


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
