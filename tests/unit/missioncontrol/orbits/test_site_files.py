from __future__ import annotations

import json

import pytest

from missioncontrol.orbits.site_files import SitesError, read_sites

SVALBARD = {"name": "Svalbard", "lat_deg": 78.2297, "lon_deg": 15.3975, "alt_m": 500.0}


def sites(*entries, **options):
    return read_sites(json.dumps(entries), **options)


def test_a_station_has_the_mask_of_the_file_else_five_degrees():
    plain, masked, horizon = sites(
        SVALBARD,
        {**SVALBARD, "mask_deg": 10},
        {**SVALBARD, "horizon_mask": [[0, 3], [180, 12.5]]},
    )
    assert (plain.name, plain.latitude_deg, plain.longitude_deg) == ("Svalbard", 78.2297, 15.3975)
    assert (plain.height_m, plain.mask_deg, plain.horizon_mask) == (500.0, 5.0, ())
    assert masked.mask_deg == 10.0
    assert horizon.horizon_mask == ((0.0, 3.0), (180.0, 12.5))


def test_a_mask_given_apart_stands_instead_of_all():
    for one in sites(
        SVALBARD,
        {**SVALBARD, "mask_deg": 10},
        {**SVALBARD, "horizon_mask": [[0, 3], [180, 12.5]]},
        mask_deg=20.0,
    ):
        assert (one.mask_deg, one.horizon_mask) == (20.0, ())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "no JSON"),
        ("{}", "no list"),
        ("[]", "list of stations is empty"),
        ("[3]", "Station 1 is 3"),
        (json.dumps([{**SVALBARD, "lat_deg": 95}]), "Station Svalbard: The latitude of Svalbard"),
        (json.dumps([{**SVALBARD, "lat_deg": "north"}]), "Station Svalbard: could not convert"),
        (json.dumps([{**SVALBARD, "lat_deg": None}]), "Station Svalbard: float"),
        (json.dumps([{**SVALBARD, "horizon_mask": [1, 2]}]), "Station Svalbard"),
        (
            json.dumps([{key: SVALBARD[key] for key in ("lat_deg", "name")}]),
            "Station Svalbard: the field 'lon_deg' is missing",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_station(text, message):
    with pytest.raises(SitesError, match=message):
        read_sites(text)
