from __future__ import annotations

from datetime import timedelta

from django.core import checks

from missioncontrol.kernel import clock
from missioncontrol.orbits.time_scale import earth_orientation


def warnings_at(at, monkeypatch):
    monkeypatch.setattr(clock, "wall_now", lambda: at)
    found = checks.run_checks(tags=["files"], include_deployment_checks=True)
    return [one for one in found if one.id == "contacts.W001"]


def test_old_earth_orientation_data_are_told_before_the_product_is_deployed(monkeypatch):
    last = earth_orientation(clock.wall_now()).last_observed
    assert warnings_at(last + timedelta(days=59), monkeypatch) == []
    [warning] = warnings_at(last + timedelta(days=70), monkeypatch)
    assert "70 days ago; the limit is 60" in warning.msg
