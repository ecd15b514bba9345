from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from missioncontrol.contacts import selectors, services, tasks
from missioncontrol.contacts.models import ContactWindow, RelayPath, WindowHorizon
from missioncontrol.fleet.models import Ephemeris
from missioncontrol.kernel import clock
from missioncontrol.scheduling import tasks as scheduling_tasks
from missioncontrol.scheduling.models import Contact
from tests import factories
from tests.unit.missioncontrol.orbits.ephemeris_messages import kvn, table_of
from tests.vectors.contact_windows import load_reference

pytestmark = pytest.mark.django_db

START = datetime(2026, 8, 12, tzinfo=UTC)
DAY = timedelta(days=1)
COLUMNS = ("aos", "tca", "los", "max_elevation_deg", "aos_azimuth_deg", "clipped_start")


@pytest.fixture(scope="module")
def reference():
    return load_reference()


@pytest.fixture
def craft():
    craft = factories.spacecraft()
    factories.ephemeris(craft)
    factories.antenna(factories.ground_station())
    return craft


def load_elements(craft, elements, **fields) -> Ephemeris:
    line1, line2 = elements.tle_lines()
    return factories.ephemeris(
        craft, name=elements.name, line1=line1, line2=line2, epoch=elements.epoch, **fields
    )


@pytest.fixture
def geostationary(reference):
    """A spacecraft that Weilheim always sees."""
    craft = factories.spacecraft("GEO-1", ccsds_id=0x43)
    load_elements(craft, reference.named("METEOSAT"))
    station = factories.ground_station(
        "Weilheim", latitude_deg=47.88, longitude_deg=11.08, height_m=605.0
    )
    factories.antenna(station)
    return craft


def recompute(craft, start=START, end=START + DAY, at=START):
    return services.recompute_windows(spacecraft=craft, start=start, horizon=end - start, at=at)


def stored(craft=None):
    windows = ContactWindow.objects.order_by("spacecraft", "station", "aos")
    if craft is not None:
        windows = windows.filter(spacecraft=craft)
    return list(windows.values_list(*COLUMNS))


def assert_same_windows(ours, theirs):
    assert len(ours) == len(theirs) > 0
    for one, other in zip(ours, theirs, strict=True):
        for a, b in zip(one[:3], other[:3], strict=True):
            assert abs(a - b) < timedelta(milliseconds=0.05)
        assert one[3:5] == pytest.approx(other[3:5], abs=1e-5)
        assert one[5] == other[5]


class TestRecomputeWindows:
    def test_stores_the_windows_of_a_real_orbit(self, craft):
        windows = recompute(craft)
        # Orekit's first pass of this orbit over Svalbard on that day (see the reference file).
        expected = datetime(2026, 8, 12, 1, 30, 20, 955_000, tzinfo=UTC)
        assert abs((windows[0].aos - expected).total_seconds()) < 0.01
        assert ContactWindow.objects.count() == len(windows) > 8
        first = windows[0]
        assert (first.spacecraft, first.station.name) == (craft, "Svalbard")
        assert (first.ephemeris, first.computed_at) == (craft.ephemerides.get(), START)
        assert first.aos < first.tca < first.los
        assert first.max_elevation_deg == pytest.approx(10.4713, abs=2e-4)
        assert (first.clipped_start, first.clipped_end) == (False, False)

    def test_replaces_itself_when_it_runs_twice(self, craft, geostationary):
        for one in (craft, geostationary):
            recompute(one)
        once = stored()
        for one in (craft, geostationary):
            recompute(one)
        assert stored() == once

    @pytest.mark.parametrize("inside_a_pass", [True, False])
    def test_joins_a_rolling_horizon_without_a_seam(self, craft, inside_a_pass):
        recompute(craft, end=START + 2 * DAY)
        whole = stored()
        ContactWindow.objects.all().delete()
        cut = whole[3][0] + timedelta(seconds=100 if inside_a_pass else -100)
        recompute(craft, end=cut)
        recompute(craft, start=cut, end=START + 2 * DAY, at=cut)
        assert_same_windows(stored(), whole)

    def test_lets_a_window_that_is_open_for_days_go_on(self, geostationary):
        for day in range(3):
            start = START + day * DAY
            recompute(geostationary, start=start, end=start + 2 * DAY, at=start)
        [window] = ContactWindow.objects.filter(station__name="Weilheim")
        assert window.aos == START
        assert window.clipped_start
        assert window.clipped_end
        assert window.los == START + 4 * DAY + timedelta(hours=1)

    def test_begins_such_a_window_anew_with_other_elements(self, geostationary, reference):
        recompute(geostationary)
        load_elements(geostationary, reference.named("METEOSAT"), priority=1)
        later = START + timedelta(hours=8)
        recompute(geostationary, start=later, end=later + DAY, at=later)
        [window] = ContactWindow.objects.filter(station__name="Weilheim")
        assert (window.aos, window.clipped_start) == (later, True)

    def test_keeps_what_lies_outside_the_interval(self, craft):
        recompute(craft, end=START + 2 * DAY)
        before = stored()
        recompute(craft, start=START + DAY, end=START + 1.5 * DAY, at=START + DAY)
        assert_same_windows(stored(), before)

    def test_refuses_a_spacecraft_without_elements(self, craft):
        craft.ephemerides.update(enabled=False)
        with pytest.raises(services.NoEphemerisError, match="no enabled, unexpired"):
            recompute(craft)

    def test_keeps_the_reason_when_the_elements_are_too_old(self, craft):
        recompute(craft)
        late = START + timedelta(days=400)
        assert recompute(craft, start=late, end=late + DAY, at=late) == []
        assert "Load newer elements" in WindowHorizon.objects.get().refusal

    def test_uses_the_enabled_unexpired_ephemeris_of_highest_priority(self, craft, reference):
        iss = reference.named("ISS")
        for fields in (
            {"priority": 9, "enabled": False},
            {"priority": 8, "expires_at": START},
            {"priority": 0},
        ):
            load_elements(craft, iss, **fields)
        best = factories.ephemeris(craft, priority=5, loaded_at=START - 2 * DAY)
        latest = factories.ephemeris(craft, priority=5, loaded_at=START - DAY)
        recompute(craft)
        assert {one.ephemeris for one in ContactWindow.objects.all()} == {latest}
        latest.enabled = False
        latest.save()
        recompute(craft)
        assert {one.ephemeris for one in ContactWindow.objects.all()} == {best}


class TestEphemerisMessages:
    def test_a_table_of_states_gives_the_windows_of_its_orbit(self, craft, reference):
        recompute(craft)
        expected = stored()
        text = kvn(table_of(reference.named("SENTINEL-1A"), START - DAY, START + 2 * DAY))
        table = factories.ephemeris(
            craft, kind=Ephemeris.Kind.OEM, line1="", line2="", oem=text, priority=1
        )
        recompute(craft)
        assert {one.ephemeris for one in ContactWindow.objects.all()} == {table}
        for one, other in zip(stored(), expected, strict=True):
            assert abs(one[0] - other[0]) < timedelta(milliseconds=2)
            assert abs(one[2] - other[2]) < timedelta(milliseconds=2)
        assert WindowHorizon.objects.get().refusal == ""

    def test_what_it_does_not_cover_is_told(self, craft, reference):
        text = kvn(table_of(reference.named("SENTINEL-1A"), START - DAY, START + DAY / 2))
        factories.ephemeris(
            craft, kind=Ephemeris.Kind.OEM, line1="", line2="", oem=text, priority=1
        )
        windows = recompute(craft)
        assert max(one.los for one in windows) <= START + DAY / 2
        assert "Load one that covers it" in WindowHorizon.objects.get().refusal


class TestGroups:
    @pytest.fixture
    def fleet(self, craft):
        crafts = [craft]
        for number in range(1, 5):
            other = factories.spacecraft(f"DD-{number + 1}", ccsds_id=0x50 + number)
            factories.ephemeris(other)
            crafts.append(other)
        factories.spacecraft("WITHOUT-ELEMENTS", ccsds_id=0x60)
        return crafts

    def test_store_the_same_as_each_spacecraft_alone(self, fleet):
        count = services.recompute_group(
            spacecraft_ids=[one.pk for one in fleet], start=START, horizon=DAY, at=START
        )
        together = {one.pk: stored(one) for one in fleet}
        assert count == ContactWindow.objects.count() == 5 * len(together[fleet[0].pk])
        for one in fleet:
            recompute(one)
            assert_same_windows(stored(one), together[one.pk])
        assert WindowHorizon.objects.count() == 5

    def test_many_spacecraft_are_split_into_groups_that_go_to_the_workers(
        self, fleet, monkeypatch
    ):
        monkeypatch.setattr(clock, "now", lambda: START)
        monkeypatch.setattr(services, "GROUP_SIZE", 2)
        sent = []
        monkeypatch.setattr(
            services, "send_after_commit", lambda name, **kwargs: sent.append((name, kwargs))
        )
        assert tasks.keep_horizon() == 5
        assert [name for name, _ in sent] == ["missioncontrol.contacts.tasks.recompute_group"] * 3
        assert not ContactWindow.objects.exists()
        for _, kwargs in sent:
            tasks.recompute_group(**kwargs)
        assert {one.spacecraft for one in ContactWindow.objects.all()} == set(fleet)
        assert tasks.keep_horizon() == 0


class TestKeepHorizon:
    @pytest.fixture(autouse=True)
    def at(self, monkeypatch):
        monkeypatch.setattr(clock, "now", lambda: START)

    def test_computes_once_and_then_has_nothing_to_do(self, craft):
        assert tasks.keep_horizon() == 1
        assert tasks.keep_horizon() == 0

    def test_computes_only_the_spacecraft_with_newer_elements(self, craft):
        other = factories.spacecraft("DD-2", ccsds_id=0x51)
        factories.ephemeris(other)
        assert tasks.keep_horizon() == 2
        kept = list(ContactWindow.objects.filter(spacecraft=other).values_list("pk", flat=True))
        factories.ephemeris(craft, priority=1)
        assert selectors.spacecraft_short_of_windows(at=START, keep=DAY) == [craft.pk]
        assert tasks.keep_horizon() == 1
        assert (
            list(ContactWindow.objects.filter(spacecraft=other).values_list("pk", flat=True))
            == kept
        )

    def test_goes_on_when_the_horizon_runs_short(self, craft, monkeypatch):
        tasks.keep_horizon()
        monkeypatch.setattr(clock, "now", lambda: START + timedelta(hours=25))
        assert tasks.keep_horizon() == 1
        horizon = WindowHorizon.objects.get()
        assert (horizon.start, horizon.end) == (START, START + timedelta(hours=73))


class TestDrift:
    def test_a_booked_contact_keeps_its_time_and_says_how_far_the_pass_moved(
        self, craft, monkeypatch
    ):
        monkeypatch.setattr(clock, "now", lambda: START)
        factories.mission_profile(craft)
        tasks.keep_horizon()
        scheduling_tasks.book_contacts()
        booked = Contact.objects.order_by("aos")[0]
        # The same orbit a little further on: mean anomaly 275.5677 -> 275.6177 degrees.
        old = craft.ephemerides.get()
        line2 = old.line2.replace("275.5677", "275.6177")
        checksum = sum(int(c) if c.isdigit() else c == "-" for c in line2[:-1]) % 10
        factories.ephemeris(craft, priority=1, line2=f"{line2[:-1]}{checksum}")
        tasks.keep_horizon()
        scheduling_tasks.book_contacts()
        again = Contact.objects.get(pk=booked.pk)
        assert (again.aos, again.los) == (booked.aos, booked.los)
        # 0.05 degrees of an orbit of 98.67 minutes are 0.82 s.
        assert again.drift_s == pytest.approx(-0.82, abs=0.05)


class TestRelayPaths:
    @pytest.fixture
    def pair(self, craft, geostationary):
        craft.relays.add(geostationary)
        return craft, geostationary

    def test_are_stored_beside_the_windows(self, pair):
        craft, relay = pair
        recompute(craft)
        paths = [
            one
            for one in selectors.paths_between(START, START + DAY)
            if one.station.name == "Weilheim"  # Svalbard hardly sees this relay
        ]
        assert 13 <= len(paths) <= 16
        assert {(one.spacecraft, one.relay) for one in paths} == {(craft, relay)}
        assert all(one.los - one.aos > timedelta(minutes=20) for one in paths)
        assert not ContactWindow.objects.filter(spacecraft=relay).exists()

    def test_are_opportunities_like_any_other(self, pair):
        craft, relay = pair
        recompute(craft)
        found = selectors.opportunities_between(START, START + DAY, spacecraft=craft)
        assert {one.relay for one in found} == {None, relay}
        assert [one.aos for one in found] == sorted(one.aos for one in found)
        windows = selectors.windows_between(START, START + DAY, spacecraft=craft)
        paths = selectors.paths_between(START, START + DAY, spacecraft=craft)
        assert len(found) == len(windows) + len(paths)

    def test_replace_themselves_and_join_without_a_seam(self, pair):
        craft, _ = pair
        recompute(craft, end=START + 2 * DAY)
        whole = list(RelayPath.objects.values_list("aos", "los", "clipped_start"))
        RelayPath.objects.all().delete()
        cut = whole[4][0] + timedelta(minutes=10)
        recompute(craft, end=cut)
        recompute(craft, start=cut, end=START + 2 * DAY, at=cut)
        joined = list(RelayPath.objects.values_list("aos", "los", "clipped_start"))
        assert len(joined) == len(whole)
        for one, other in zip(joined, whole, strict=True):
            assert abs(one[0] - other[0]) < timedelta(milliseconds=1)
            assert abs(one[1] - other[1]) < timedelta(milliseconds=1)
            assert one[2] == other[2]

    def test_are_computed_anew_when_the_relay_has_other_elements(self, pair, reference):
        craft, relay = pair
        both = [craft.pk, relay.pk]
        services.recompute_group(spacecraft_ids=both, start=START, horizon=2 * DAY, at=START)
        assert selectors.spacecraft_short_of_windows(at=START, keep=DAY) == []
        load_elements(relay, reference.named("METEOSAT"), priority=1)
        assert selectors.spacecraft_short_of_windows(at=START, keep=DAY) == sorted(both)

    def test_go_when_the_relay_may_no_longer_be_used(self, pair):
        craft, _ = pair
        recompute(craft)
        craft.relays.clear()
        assert selectors.spacecraft_short_of_windows(at=START, keep=timedelta(hours=1)) == [
            craft.pk
        ] + [one.pk for one in (pair[1],)]
        recompute(craft)
        assert not RelayPath.objects.exists()
