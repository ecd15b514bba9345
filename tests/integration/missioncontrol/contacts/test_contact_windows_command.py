"""The command as a user runs it: a process, files, and no database anywhere."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.vectors.contact_windows import Reference, load_reference

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parents[4]
NUMBERS = {0: "39634", 4: "40697", 9: "25544", 10: "40732"}


@pytest.fixture(scope="module")
def reference() -> Reference:
    return load_reference()


@pytest.fixture(scope="module")
def folder(reference, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("windows")
    (folder / "elements.tle").write_text(
        "\n".join("\n".join((one.name, *one.tle_lines())) for one in reference.elements.values())
    )
    (folder / "stations.json").write_text(json.dumps(list(reference.stations.values())))
    return folder


def run(folder: Path, *arguments: str, elements="elements.tle", stations="stations.json"):
    environment = {
        **os.environ,
        "VAR_DIR": str(folder / "var"),
        "DATABASE_URL": f"sqlite:///{folder}/absent/mission.sqlite3",
    }
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    return subprocess.run(
        [
            sys.executable,
            str(ROOT / "manage.py"),
            "contact_windows",
            "--elements",
            str(folder / elements),
            "--stations",
            str(folder / stations),
            *arguments,
        ],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


SPAN = ("--start", "2026-08-12T00:00:00Z", "--end", "2026-08-14T00:00:00Z")
HOURS = ("--start", "2026-08-12T00:00:00Z", "--end", "2026-08-12T03:00:00Z")


def seconds(reference: Reference, text: str) -> float:
    assert text.endswith("Z")
    assert len(text.split(".")[1]) >= 5  # four decimals and the Z
    return (datetime.fromisoformat(text) - reference.start).total_seconds()


class TestJson:
    def test_holds_the_passes_of_the_reference(self, reference, folder):
        ran = run(folder, *SPAN, "--mask", "5", "--format", "json")
        assert (ran.returncode, ran.stderr) == (0, "")
        answer = json.loads(ran.stdout)
        assert set(answer) == {"passes", "refused"}
        assert answer["refused"] == []
        expected = [one for one in reference.passes if one["mask_deg"] == 5.0]
        assert len(answer["passes"]) == len(expected) == 537
        stations = {one["name"]: number for number, one in reference.stations.items()}
        satellites = {number: key for key, number in NUMBERS.items()}
        for ours in answer["passes"]:
            key = satellites[ours["satellite"]], stations[ours["station"]]
            middle = seconds(reference, ours["tca"])
            [wanted] = [
                one
                for one in expected
                if (one["sat"], one["station"]) == key
                and (one["aos_s"] or 0.0) - 0.01 <= middle <= (one["los_s"] or 172_800.0) + 0.01
            ]
            assert ours["clipped_start"] is (wanted["aos_s"] is None)
            assert ours["clipped_end"] is (wanted["los_s"] is None)
            if key[0] != 10 and wanted["aos_s"] is not None:
                assert abs(seconds(reference, ours["aos"]) - wanted["aos_s"]) < 0.05
            if key[0] != 10 and wanted["los_s"] is not None:
                assert abs(seconds(reference, ours["los"]) - wanted["los_s"]) < 0.05

    def test_has_exactly_the_fields_that_are_documented(self, folder):
        first = json.loads(run(folder, *HOURS).stdout)["passes"][0]
        assert list(first) == [
            "satellite",
            "station",
            "aos",
            "tca",
            "los",
            "max_elevation_deg",
            "aos_azimuth_deg",
            "los_azimuth_deg",
            "clipped_start",
            "clipped_end",
        ]
        assert (first["satellite"], first["station"]) == ("39634", "Svalbard")
        assert first["max_elevation_deg"] == pytest.approx(10.4713, abs=2e-4)

    def test_no_database_is_made(self, folder):
        assert run(folder, *HOURS).returncode == 0
        made = [path.name for path in (folder / "var").rglob("*")]
        assert [name for name in made if "sqlite" in name] == []
        assert not (folder / "absent").exists()

    def test_look_angles_and_eclipses_are_added_when_asked_for(self, folder):
        ran = run(folder, *HOURS, "--look-angles", "60", "--carrier", "2.2e9", "--eclipses")
        answer = json.loads(ran.stdout)
        one = next(
            one for one in answer["passes"] if not one["clipped_start"] and not one["clipped_end"]
        )
        angles = one["look_angles"]
        assert (angles[0]["at"], angles[-1]["at"]) == (one["aos"], one["los"])
        assert angles[0]["elevation_deg"] == pytest.approx(5.0, abs=1e-4)
        assert angles[0]["azimuth_deg"] == pytest.approx(one["aos_azimuth_deg"], abs=1e-4)
        assert angles[0]["range_rate_m_s"] < 0.0 < angles[0]["doppler_hz"]
        assert angles[0]["range_m"] > 500_000.0
        shadows = {(one["satellite"], one["shadow"]) for one in answer["eclipses"]}
        assert ("25544", "umbra") in shadows
        assert ("25544", "penumbra") in shadows

    def test_who_is_refused_is_named_with_the_reason(self, reference, folder):
        iss = reference.elements[9]
        line1, line2 = iss.tle_lines()
        (folder / "mixed.tle").write_text(
            "\n".join((iss.name, line1, line2, "BROKEN", line1[:-1] + "x", line2))
        )
        late = ("--start", "2026-09-12T00:00:00Z", "--end", "2026-09-12T03:00:00Z")
        answer = json.loads(run(folder, *late, elements="mixed.tle").stdout)
        assert answer["passes"] == []
        [stale, broken] = answer["refused"]
        assert stale["satellite"] == "25544"
        assert "the limit is 14 days" in stale["reason"]
        assert broken["satellite"] == "BROKEN"
        assert "checksum" in broken["reason"]
        accepted = run(folder, *late, "--max-age", "40", elements="mixed.tle")
        assert [one["satellite"] for one in json.loads(accepted.stdout)["refused"]] == ["BROKEN"]


class TestCsv:
    def test_says_the_same_as_json(self, folder):
        rows = list(csv.DictReader(io.StringIO(run(folder, *HOURS, "--format", "csv").stdout)))
        passes = json.loads(run(folder, *HOURS).stdout)["passes"]
        assert len(rows) == len(passes) > 20
        for row, one in zip(rows, passes, strict=True):
            assert row == {
                key: json.dumps(value) if not isinstance(value, str) else value
                for key, value in one.items()
            }

    def test_further_tables_follow_after_an_empty_line(self, folder):
        ran = run(folder, *HOURS, "--format", "csv", "--look-angles", "300", "--eclipses")
        passes, angles, eclipses = ran.stdout.split("\n\n")
        assert passes.startswith("satellite,station,aos,")
        assert angles.startswith("satellite,station,at,azimuth_deg,elevation_deg,range_m,")
        assert eclipses.startswith("satellite,shadow,entry,exit,")


class TestRefusedArguments:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("--start", "today", "--end", "2026-08-12"), "'today' is no ISO 8601 time"),
            (("--start", "2026-08-12", "--end", "2026-08-12"), "is not after start"),
            ((*HOURS, "--look-angles", "0"), "0 is not more than zero"),
        ],
    )
    def test_are_told(self, folder, arguments, message):
        ran = run(folder, *arguments)
        assert ran.returncode != 0
        assert message in ran.stderr
        assert "Traceback" not in ran.stderr

    def test_a_file_that_cannot_be_used_is_told(self, folder):
        (folder / "empty").write_text("")
        for options, message in (
            ({"elements": "nowhere"}, "nowhere cannot be read"),
            ({"elements": "empty"}, "empty holds no elements; give TLE, OMM or OEM"),
            ({"stations": "empty"}, "The stations are no JSON"),
        ):
            ran = run(folder, *HOURS, **options)
            assert ran.returncode == 1
            assert message in ran.stderr


def test_times_without_a_zone_are_utc(folder):
    with_zone = run(folder, *HOURS).stdout
    without = run(folder, "--start", "2026-08-12T00:00", "--end", "2026-08-12T03:00").stdout
    assert with_zone == without
    assert datetime.fromisoformat(json.loads(without)["passes"][0]["aos"]).tzinfo == UTC
