from __future__ import annotations


def test_the_clock_tells_mission_time(pipeline):
    assert pipeline.get("/clock").json() == {
        "mission_time": "2026-12-01T12:00:00Z",
        "factor": 30.0,
        "frozen": True,
    }


def test_lists_the_spacecraft(pipeline, dd1):
    assert pipeline.get("/spacecraft").json() == {
        "items": [
            {
                "name": "DD-1",
                "ccsds_id": dd1.ccsds_id,
                "phase": "NOMINAL",
                "organisation": "operator",
                "elements_epoch": "2026-12-01T00:00:00Z",
            }
        ],
        "next": None,
    }


def test_lists_the_stations_with_their_antennas(pipeline):
    stations = {each["name"]: each for each in pipeline.get("/stations").json()["items"]}
    assert stations["KASHI"] == {
        "name": "KASHI",
        "title": "Kashi",
        "latitude_deg": 39.505,
        "longitude_deg": 75.929,
        "height_m": 1320.0,
        "mask_deg": 5.0,
        "owner": "operator",
        "leased": False,
        "antennas": ["KASHI-1"],
    }
    assert list(stations) == sorted(stations)


def test_answers_are_not_kept_by_caches(pipeline):
    assert pipeline.get("/clock")["Cache-Control"] == "private, no-store"
