"""Rows that tests start from: the smallest mission that is complete."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from missioncontrol.accounts.models import Membership, Operator, Organisation
from missioncontrol.accounts.policy import Role
from missioncontrol.fleet.models import (
    Antenna,
    Ephemeris,
    GroundStation,
    MissionProfile,
    Spacecraft,
)
from missioncontrol.scheduling.models import Contact

AT = datetime(2026, 12, 1, tzinfo=UTC)


def organisation(slug: str = "operations", **fields) -> Organisation:
    values = {"name": slug.title(), "kind": "operator", **fields}
    return Organisation.objects.get_or_create(slug=slug, defaults=values)[0]


def operator(username: str, *roles: Role, member_of: Organisation | None = None) -> Operator:
    """A person with roles; without roles, a person who may do nothing."""
    home = member_of or organisation()
    person = Operator.objects.create(username=username, home=home)
    for role in roles:
        Membership.objects.create(operator=person, organisation=home, role=role)
    return person


def spacecraft(name: str = "DD-1", **fields) -> Spacecraft:
    values = {
        "ccsds_id": 0x42,
        "phase": Spacecraft.Phase.NOMINAL,
        "organisation": organisation(),
        "link_profile": {"kind": "space_packets"},
        "cfdp_profile": {},
        "telemetry_dictionary": "",
        **fields,
    }
    return Spacecraft.objects.create(name=name, **values)


def ground_station(name: str = "Svalbard", **fields) -> GroundStation:
    values = {
        "title": name,
        "latitude_deg": 78.2297,
        "longitude_deg": 15.3975,
        "height_m": 500.0,
        "mask_deg": 5.0,
        "owner": organisation(),
        **fields,
    }
    return GroundStation.objects.create(name=name, **values)


def antenna(station: GroundStation, name: str = "", **fields) -> Antenna:
    values = {"link_url": "simulator", "setup_s": 60, "teardown_s": 60, **fields}
    return Antenna.objects.create(station=station, name=name or f"{station.name}-1", **values)


def mission_profile(craft: Spacecraft, **fields) -> MissionProfile:
    values = {"pre_pass_s": 120, "post_pass_s": 60, "minimum_contact_s": 180, **fields}
    return MissionProfile.objects.create(
        name=f"{craft.name.lower()}-standard", spacecraft=craft, **values
    )


# Sentinel-1A, 2026-08-10: a real dawn-dusk orbit at 693 km.
LINE1 = "1 39634U 14016A   26222.94956331  .00000094  00000+0  29506-4 0  9999"
LINE2 = "2 39634  98.1588 229.6426 0001380  84.5680 275.5677 14.59380144658007"
EPOCH = datetime(2026, 8, 10, 22, 47, 22, tzinfo=UTC)


def ephemeris(craft: Spacecraft, **fields) -> Ephemeris:
    values = {
        "kind": Ephemeris.Kind.TLE,
        "name": "SENTINEL-1A",
        "line1": LINE1,
        "line2": LINE2,
        "epoch": EPOCH,
        "loaded_at": EPOCH,
        **fields,
    }
    return Ephemeris.objects.create(spacecraft=craft, **values)


def contact(
    craft: Spacecraft, on: Antenna, profile: MissionProfile, *, aos: datetime = AT, **fields
) -> Contact:
    values = {
        "tca": aos + timedelta(minutes=5),
        "los": aos + timedelta(minutes=10),
        "max_elevation_deg": 45.0,
        "aos_azimuth_deg": 10.0,
        "los_azimuth_deg": 170.0,
        "pre_pass_s": profile.pre_pass_s,
        "post_pass_s": profile.post_pass_s,
        "booked_at": aos - timedelta(hours=1),
        **fields,
    }
    return Contact.objects.create(spacecraft=craft, antenna=on, profile=profile, aos=aos, **values)
