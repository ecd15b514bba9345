from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from missioncontrol.contacts import selectors, services, tasks
from missioncontrol.contacts.models import ContactWindow, WindowHorizon
from missioncontrol.kernel import clock
from tests import factories

pytestmark = pytest.mark.django_db

START = datetime(2026, 8, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def craft():
    craft = factories.spacecraft()
    factories.ephemeris(craft)
    factories.antenna(factories.ground_station())
    return craft


def stored():
    return list(ContactWindow.objects.values_list("aos", "los", "max_elevation_deg"))


class TestRecomputeWindows:
    def test_stores_the_windows_of_a_real_orbit(self, craft):
        windows = services.recompute_windows(spacecraft=craft, start=START, horizon=DAY, at=START)
        # Orekit's first pass of this orbit over Svalbard on that day (see the reference file).
        expected = datetime(2026, 8, 12, 1, 30, 20, 955_000, tzinfo=UTC)
        assert abs((windows[0].aos - expected).total_seconds()) < 0.01
        assert ContactWindow.objects.count() == len(windows) > 8

    def test_replaces_itself_when_it_runs_twice(self, craft):
        services.recompute_windows(spacecraft=craft, start=START, horizon=DAY, at=START)
        once = stored()
        services.recompute_windows(spacecraft=craft, start=START, horizon=DAY, at=START)
        assert stored() == once

    def test_joins_a_rolling_horizon_without_a_seam(self, craft):
        services.recompute_windows(spacecraft=craft, start=START, horizon=2 * DAY, at=START)
        whole = stored()
        ContactWindow.objects.all().delete()
        # The cut goes through the middle of a pass.
        cut = whole[3][0] + (whole[3][1] - whole[3][0]) / 2
        services.recompute_windows(spacecraft=craft, start=START, horizon=cut - START, at=START)
        services.recompute_windows(
            spacecraft=craft, start=cut, horizon=START + 2 * DAY - cut, at=START
        )
        joined = stored()
        assert len(joined) == len(whole)
        for ours, theirs in zip(joined, whole, strict=True):
            assert abs((ours[0] - theirs[0]).total_seconds()) < 0.001
            assert abs((ours[1] - theirs[1]).total_seconds()) < 0.001

    def test_refuses_a_spacecraft_without_elements(self, craft):
        craft.ephemerides.update(enabled=False)
        with pytest.raises(services.NoEphemerisError, match="no enabled, unexpired"):
            services.recompute_windows(spacecraft=craft, start=START, horizon=DAY, at=START)

    def test_keeps_the_reason_when_the_elements_are_too_old(self, craft):
        late = START + timedelta(days=400)
        assert services.recompute_windows(spacecraft=craft, start=late, horizon=DAY, at=late) == []
        assert "Load newer elements" in WindowHorizon.objects.get().refusal


class TestKeepHorizon:
    def test_computes_once_and_then_has_nothing_to_do(self, craft, monkeypatch):
        monkeypatch.setattr(clock, "now", lambda: START)
        assert tasks.keep_horizon() == 1
        assert tasks.keep_horizon() == 0

    def test_computes_anew_with_newer_elements(self, craft, monkeypatch):
        monkeypatch.setattr(clock, "now", lambda: START)
        tasks.keep_horizon()
        factories.ephemeris(craft, priority=1)
        assert [short.pk for short in selectors.spacecraft_short_of_windows(at=START, keep=DAY)]
        assert tasks.keep_horizon() == 1
