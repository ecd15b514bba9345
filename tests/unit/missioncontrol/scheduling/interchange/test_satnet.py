from __future__ import annotations

import pytest

from missioncontrol.scheduling.interchange.satnet import Maintenance, SatNetError, read_satnet
from missioncontrol.scheduling.plan_verifier import verify_plan
from missioncontrol.scheduling.solver.document import plan_document
from missioncontrol.scheduling.solver.planning import make_plan
from tests.unit.missioncontrol.scheduling.solver.problems import search

HOUR_S = 3600


def track(track_id, views, **changes):
    """Return one request in SatNet's own form."""
    return {
        "subject": 7,
        "user": "7_0",
        "week": 10,
        "year": 2018,
        "duration": 4.0,
        "duration_min": 2.0,
        "resources": [[name] for name in views],
        "track_id": track_id,
        "setup_time": 60,
        "teardown_time": 15,
        "time_window_start": 0,
        "time_window_end": 48 * HOUR_S,
        "resource_vp_dict": {
            name: [
                {"RISE": begins, "SET": ends, "TRX ON": begins, "TRX OFF": ends}
                for begins, ends in periods
            ]
            for name, periods in views.items()
        },
        **changes,
    }


def planned(requests, maintenance=()):
    problem = read_satnet(requests, maintenance)
    plan = make_plan(problem, search())
    verify_plan(plan_document(problem, plan))
    return {one.request: one for one in plan.contacts}


class TestReadSatnet:
    def test_gives_each_track_its_longest_duration_where_there_is_room(self):
        contacts = planned([track("t1", {"DSS-14": [(0, 10 * HOUR_S)]})])
        assert contacts["t1"].duration_s == 4 * HOUR_S

    def test_shortens_tracks_that_share_an_antenna_and_counts_set_up(self):
        views = {"DSS-14": [(2 * HOUR_S, 9 * HOUR_S)]}
        contacts = planned([track("t1", views), track("t2", views)])
        first, second = sorted(contacts.values(), key=lambda one: one.begins)
        pause_s = (second.begins - first.ends).total_seconds()
        assert pause_s >= 75 * 60
        assert first.duration_s + second.duration_s == 5.75 * HOUR_S

    def test_occupies_every_antenna_of_an_array(self):
        contacts = planned(
            [
                track("array", {"DSS-34_DSS-35": [(0, 5 * HOUR_S)]}),
                track("single", {"DSS-35": [(0, 3 * HOUR_S)]}),
            ]
        )
        assert set(contacts) == {"array"}
        assert contacts["array"].path == ("DSS-34", "DSS-35")

    def test_keeps_clear_of_maintenance(self):
        contacts = planned(
            [track("t1", {"DSS-14": [(0, 10 * HOUR_S)]})],
            [
                Maintenance(antenna="DSS-14", begins_s=2 * HOUR_S, ends_s=4 * HOUR_S),
                Maintenance(antenna="DSS-43", begins_s=0, ends_s=1),
            ],
        )
        assert contacts["t1"].begins.hour >= 5

    @pytest.mark.parametrize(
        ("requests", "message"),
        [
            ([], "There are no requests"),
            ([{"track_id": "t"}], "Request 0 cannot be read: KeyError"),
            ([track("t", {}), track("u", {}, duration="long")], "Request 1 cannot be read"),
            ([track("t", {"DSS-14": [(0, float("nan"))]})], "Request 0 cannot be read"),
        ],
    )
    def test_refuses(self, requests, message):
        with pytest.raises(SatNetError, match=message):
            read_satnet(requests)
