from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError

from missioncontrol.accounts.models import Organisation
from missioncontrol.accounts.policy import Role
from missioncontrol.audit.models import AuditEntry
from missioncontrol.fleet import selectors, services
from missioncontrol.fleet.models import (
    Antenna,
    Ephemeris,
    GroundStation,
    Mission,
    MissionProfile,
    Spacecraft,
)
from missioncontrol.kernel import clock
from missioncontrol.kernel.errors import NotPermittedError
from missioncontrol.kernel.models import ClockAnchor
from tests import factories
from tests.unit.missioncontrol.fleet.demo_mission import DICTIONARY, FOLDER, document, parse

AT = datetime(2026, 12, 1, 12, tzinfo=UTC)
LATER = AT + timedelta(hours=1)

pytestmark = pytest.mark.django_db


def load(changed=None, at=AT):
    return services.load_mission(mission=parse(changed or document()), actor="process:test", at=at)


def counts():
    models = (Organisation, GroundStation, Antenna, Spacecraft, Ephemeris, MissionProfile, Mission)
    return {model.__name__: model.objects.count() for model in models}


class TestLoadMission:
    def test_creates_everything_the_file_names(self):
        report = load()
        assert counts() == {
            "Organisation": 24,
            "GroundStation": 8,
            "Antenna": 9,
            "Spacecraft": 1,
            "Ephemeris": 1,
            "MissionProfile": 1,
            "Mission": 1,
        }
        assert len(report.created) == 45
        assert report.changed == []
        craft = selectors.get_spacecraft(name="DD-1")
        assert craft.ccsds_id == 171
        assert craft.organisation.slug == "operator"
        assert craft.link_profile["tc"]["fop"] == {
            "window": 10,
            "timer_s": 30,
            "transmission_limit": 5,
        }
        assert craft.link_profile["packet_time"]["epoch"] == "2000-01-01T00:00:00Z"
        assert craft.cfdp_profile["segment_octets"] == 800
        assert craft.telemetry_dictionary == DICTIONARY
        assert craft.telecommands[2]["arguments"][1]["values"] == {"OFF": 0, "ON": 1}

    def test_writes_one_audit_entry(self):
        load()
        [entry] = AuditEntry.objects.all()
        assert (entry.action, entry.subject, entry.at) == ("mission.load", "mission:demo", AT)

    def test_changes_nothing_the_second_time_and_says_so(self):
        load()
        before = counts()
        report = load(at=LATER)
        assert not report
        assert report.lines() == ["Mission demo is loaded already; nothing changed."]
        assert counts() == before
        assert AuditEntry.objects.count() == 1
        assert Mission.objects.get().loaded_at == AT

    def test_updates_and_lists_the_fields_that_differ(self):
        load()
        changed = document()
        changed["stations"][0]["mask_deg"] = 7
        changed["spacecraft"][0]["link_profile"]["tc"]["fop"]["window"] = 12
        changed["spacecraft"][0]["telecommands"][1]["arguments"][0]["max"] = 30
        report = load(changed, at=LATER)
        lines = {str(change) for change in report.changed}
        assert "ground station KASHI: mask_deg: 5.0 -> 7.0" in lines
        assert "spacecraft DD-1: link_profile.tc.fop.window: 10 -> 12" in lines
        assert (
            "spacecraft DD-1: telecommands[SET_TM_RATE].arguments[PERIOD_S].max: 60 -> 30" in lines
        )
        assert report.created == []
        assert selectors.get_station(name="KASHI").mask_deg == 7
        assert AuditEntry.objects.count() == 2
        assert Mission.objects.get().loaded_at == LATER

    def test_retires_what_the_file_no_longer_names(self):
        load()
        changed = document()
        del changed["stations"][7]
        report = load(changed, at=LATER)
        assert "antenna PUNTA-ARENAS-1: active: True -> False" in map(str, report.changed)
        assert [s.name for s in selectors.stations_in_service()] == [
            "INUVIK", "KASHI", "MIYUN", "MOHE", "SANYA", "SVALBARD", "TROLL",
        ]  # fmt: skip
        load(at=LATER + timedelta(hours=1))
        assert Antenna.objects.get(name="PUNTA-ARENAS-1").active

    def test_sets_who_may_serve_whom_as_a_relay(self):
        changed = document()
        dd1 = changed["spacecraft"][0]
        profile = {**dd1["mission_profiles"][0], "name": "relay-standard"}
        relay = {**dd1, "name": "RELAY-1", "ccsds_id": 172, "mission_profiles": [profile]}
        changed["spacecraft"].append(relay)
        load(changed)
        dd1["relays"], relay["relay_links"] = ["RELAY-1"], 2
        report = load(changed, at=LATER)
        assert selectors.get_spacecraft(name="RELAY-1").relay_links == 2
        assert any("spacecraft DD-1: relays" in str(change) for change in report.changed)
        craft = selectors.get_spacecraft(name="DD-1")
        assert [one.name for one in craft.relays.all()] == ["RELAY-1"]
        assert not load(changed, at=LATER)
        dd1["relays"] = []
        load(changed, at=LATER)
        assert not craft.relays.exists()

    def test_is_one_transaction(self, monkeypatch):
        def broken(**_kwargs):
            raise RuntimeError("the log is away")

        monkeypatch.setattr(services, "append_entry", broken)
        with pytest.raises(RuntimeError):
            load()
        assert set(counts().values()) == {0}
        assert not ClockAnchor.objects.exists()

    def test_refuses_a_person_without_the_right(self):
        alice = factories.operator("alice", Role.OPERATOR)
        with pytest.raises(NotPermittedError, match=r"mission\.load"):
            services.load_mission(mission=parse(document()), actor=alice, at=AT)
        assert GroundStation.objects.count() == 0

    def test_is_open_to_an_administrator(self):
        carol = factories.operator("carol", Role.ADMINISTRATOR)
        assert services.load_mission(mission=parse(document()), actor=carol, at=AT)
        assert AuditEntry.objects.get().actor == "operator:carol"

    def test_starts_the_clock_once_and_never_sets_it_again(self):
        load()
        assert clock.factor() == 30
        assert timedelta(0) <= clock.now() - AT < timedelta(minutes=5)
        clock.set_clock(mission_time=LATER, factor=1)
        changed = document()
        changed["clock"]["factor"] = 60
        load(changed, at=LATER)
        assert clock.factor() == 1
        assert clock.now() >= LATER
        assert Mission.objects.get().clock_factor == 60


class TestEphemerisInForce:
    NEWER = (
        "1 99001U 26301A   26336.00000000  .00000000  00000-0  20000-4 0  9997",
        "2 99001  98.3940 339.8728 0001000  90.0000 137.5394 14.42577000    17",
    )

    def with_elements(self, **fields):
        changed = document()
        entry = {"kind": "TLE", "name": "DD-1", "line1": self.NEWER[0], "line2": self.NEWER[1]}
        changed["spacecraft"][0]["ephemerides"].append({**entry, **fields})
        return changed

    def in_force(self, at):
        return selectors.ephemeris_in_force(Spacecraft.objects.get(), at).line1

    def test_is_the_one_of_highest_priority(self):
        load(self.with_elements(priority=9))
        assert "26335" in self.in_force(AT)
        load(self.with_elements(priority=11), at=LATER)
        assert "26336" in self.in_force(LATER)
        assert Ephemeris.objects.count() == 2

    def test_is_the_one_loaded_last_on_a_tie(self):
        load()
        load(self.with_elements(priority=10), at=LATER)
        assert "26336" in self.in_force(LATER)

    def test_is_never_disabled_or_expired(self):
        load(self.with_elements(priority=20, expires_at=LATER))
        assert "26336" in self.in_force(LATER - timedelta(seconds=1))
        assert "26335" in self.in_force(LATER)
        load(self.with_elements(priority=20, enabled=False), at=LATER)
        assert "26335" in self.in_force(AT)

    def test_can_be_none(self):
        craft = factories.spacecraft()
        assert selectors.ephemeris_in_force(craft, AT) is None

    def test_and_station_are_what_orbits_takes(self):
        load()
        row = selectors.ephemeris_in_force(Spacecraft.objects.get(), AT)
        assert selectors.mean_elements(row).epoch == row.epoch
        site = selectors.site(selectors.get_station(name="SVALBARD"))
        assert site.horizon_mask[2] == (85, 8)


class TestDemoMissionFile:
    def test_is_given_while_the_demo_is_in_force(self):
        assert selectors.demo_mission_file() is None
        load()
        assert selectors.demo_mission_file() == FOLDER / "demo.yaml"
        changed = document()
        changed["mission"]["name"] = "another"
        load(changed, at=LATER)
        assert selectors.demo_mission_file() is None


class TestTheDatabase:
    def test_refuses_a_station_off_the_globe(self):
        with pytest.raises(IntegrityError, match="latitude_in_range"):
            factories.ground_station(latitude_deg=90.5)


class TestCommand:
    @pytest.fixture
    def folder(self, tmp_path):
        shutil.copy(FOLDER / "demo.yaml", tmp_path / "demo.yaml")
        (tmp_path / "dd1.xtce.xml").write_text(DICTIONARY, encoding="utf-8")
        return tmp_path

    def test_loads_and_reports(self, folder, capsys):
        call_command("load_mission", folder / "demo.yaml")
        assert "Mission demo: 45 created, 0 changed." in capsys.readouterr().out
        assert Mission.objects.get().loaded_at == AT
        call_command("load_mission", folder / "demo.yaml")
        assert "is loaded already; nothing changed" in capsys.readouterr().out

    def test_names_the_wrong_fields_and_changes_nothing(self, folder):
        text = (folder / "demo.yaml").read_text(encoding="utf-8")
        (folder / "demo.yaml").write_text(text.replace("height_m: 430", "height_m: 43000"))
        with pytest.raises(CommandError, match=r"stations\[3\]\.height_m: 43000; allowed: -500"):
            call_command("load_mission", folder / "demo.yaml")
        assert set(counts().values()) == {0}

    def test_says_that_a_file_cannot_be_read(self, tmp_path):
        with pytest.raises(CommandError, match="cannot be read"):
            call_command("load_mission", tmp_path / "none.yaml")


def test_the_demo_mission_loads_with_its_own_dictionary(capsys):
    call_command("load_mission", FOLDER / "demo.yaml")
    assert "45 created" in capsys.readouterr().out
    dictionary = selectors.get_spacecraft(name="DD-1").telemetry_dictionary
    assert dictionary == (FOLDER / "dd1.xtce.xml").read_text(encoding="utf-8")


def test_a_mission_without_a_clock_flies_on_utc():
    in_flight = {key: value for key, value in document().items() if key != "clock"}
    load(in_flight)
    assert not ClockAnchor.objects.exists()
    assert Mission.objects.get().clock_start is None
