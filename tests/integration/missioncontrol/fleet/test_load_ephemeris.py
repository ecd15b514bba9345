from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command

from missioncontrol.accounts.policy import Role
from missioncontrol.audit.models import AuditEntry
from missioncontrol.fleet import selectors, services
from missioncontrol.fleet.models import Ephemeris, Spacecraft
from missioncontrol.kernel import clock
from missioncontrol.kernel.errors import NotPermittedError
from missioncontrol.orbits.elements import ElementsError
from tests import factories
from tests.unit.missioncontrol.orbits.ephemeris_messages import kvn, table_of, xml
from tests.vectors.contact_windows import load_reference

pytestmark = pytest.mark.django_db

AT = datetime(2026, 8, 12, tzinfo=UTC)
OMM = {
    "OBJECT_NAME": "DD-1",
    "OBJECT_ID": "2026-001A",
    "EPOCH": "2026-08-11T03:35:03.190272",
    "MEAN_MOTION": 14.59380144,
    "ECCENTRICITY": 0.000138,
    "INCLINATION": 98.1588,
    "RA_OF_ASC_NODE": 229.6426,
    "ARG_OF_PERICENTER": 84.568,
    "MEAN_ANOMALY": 275.5677,
    "NORAD_CAT_ID": 100001,
}


@pytest.fixture
def craft():
    return factories.spacecraft()


@pytest.fixture(scope="module")
def sentinel():
    return load_reference().named("SENTINEL-2A")


def load(text, **fields):
    return services.load_ephemeris(
        spacecraft="DD-1", text=text, actor="process:test", at=AT, **fields
    )


class TestLoadEphemeris:
    def test_takes_every_format(self, craft, sentinel):
        table = table_of(sentinel, AT, AT + timedelta(minutes=10))
        for text, kind in (
            ("\n".join((sentinel.name, *sentinel.tle_lines())), "TLE"),
            (json.dumps([OMM]), "OMM"),
            ("CCSDS_OMM_VERS = 2.0\n" + "\n".join(f"{k} = {v}" for k, v in OMM.items()), "OMM"),
            (kvn(table), "OEM"),
            (xml(table), "OEM"),
        ):
            ephemeris = load(text)
            assert (ephemeris.kind, ephemeris.spacecraft) == (kind, craft)
            stored = selectors.trajectory(Ephemeris.objects.get(pk=ephemeris.pk))
            assert ephemeris.epoch == stored.epoch
            assert ephemeris.name == stored.name
        with pytest.raises(ElementsError, match="has no mean elements"):
            selectors.mean_elements(ephemeris)

    def test_puts_it_in_force_by_priority_and_expiry(self, craft, sentinel):
        text = "\n".join(sentinel.tle_lines())
        first = load(text)
        second = load(text, priority=3, expires_at=AT + timedelta(days=1))
        assert selectors.ephemeris_in_force(craft, AT) == second
        assert selectors.ephemeris_in_force(craft, AT + timedelta(days=2)) == first

    def test_is_in_the_log_and_has_the_windows_recomputed(
        self, craft, sentinel, django_capture_on_commit_callbacks, monkeypatch
    ):
        sent = []
        monkeypatch.setattr(
            "missioncontrol.kernel.dispatch.current_app.send_task",
            lambda name, **_options: sent.append(name),
        )
        with django_capture_on_commit_callbacks(execute=True):
            ephemeris = load("\n".join(sentinel.tle_lines()), priority=2)
        entry = AuditEntry.objects.get(action="ephemeris.load")
        assert (entry.subject, entry.at) == (f"ephemeris:{ephemeris.pk}", AT)
        assert "missioncontrol.contacts.tasks.keep_horizon" in sent

    def test_takes_an_administrator(self, craft, sentinel):
        operator = factories.operator("alice", Role.OPERATOR)
        with pytest.raises(NotPermittedError, match=r"mission\.load"):
            services.load_ephemeris(
                spacecraft="DD-1",
                text="\n".join(sentinel.tle_lines()),
                actor=operator,
                at=AT,
            )
        assert not Ephemeris.objects.exists()

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "the text holds 0 sets of elements; give one"),
            (json.dumps([OMM, OMM]), "the text holds 2 sets of elements; give one"),
            (json.dumps({**OMM, "ECCENTRICITY": 2}), "DD-1: The eccentricity of DD-1 is 2.0"),
            ("<html/>", "holds no OMM and no OEM"),
        ],
    )
    def test_refuses_what_is_not_one_set(self, craft, text, message):
        with pytest.raises(services.EphemerisRefusedError, match=message):
            load(text)
        assert not Ephemeris.objects.exists()

    def test_refuses_an_unknown_spacecraft(self):
        with pytest.raises(Spacecraft.DoesNotExist):
            load(json.dumps(OMM))


class TestCommand:
    def test_loads_a_file_and_says_what_it_was(self, craft, tmp_path, capsys, monkeypatch):
        monkeypatch.setattr(clock, "now", lambda: AT)
        file = tmp_path / "dd1.json"
        file.write_text(json.dumps(OMM))
        call_command("load_ephemeris", "DD-1", file, "--priority", "4", "--expires", "2026-09-01")
        said = capsys.readouterr().out
        assert said == "Loaded the OMM of DD-1, epoch 2026-08-11 03:35Z, priority 4.\n"
        row = Ephemeris.objects.get()
        assert (row.priority, row.expires_at) == (4, datetime(2026, 9, 1, tzinfo=UTC))

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("DD-1", "nowhere.tle"), "nowhere.tle cannot be read"),
            (("DD-9", "empty"), "There is no spacecraft DD-9"),
            (("DD-1", "empty"), "holds 0 sets"),
            (("DD-1", "empty", "--expires", "soon"), "'soon' is no ISO 8601 time"),
        ],
    )
    def test_says_what_was_wrong(self, craft, tmp_path, monkeypatch, arguments, message):
        monkeypatch.chdir(tmp_path)
        (tmp_path / "empty").write_text("")
        with pytest.raises(CommandError, match=message):
            call_command("load_ephemeris", *arguments)
