from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from missioncontrol.fleet.mission_changes import FieldChange, MissionLoad, differences

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)


class TestDifferences:
    def test_names_the_innermost_field(self):
        old = {"tc": {"fop": {"window": 10, "timer_s": 30}, "map_id": 0}}
        new = {"tc": {"fop": {"window": 12, "timer_s": 30}, "map_id": 0}}
        assert list(differences("link", old, new)) == [
            FieldChange("link.tc.fop.window", "10", "12")
        ]

    def test_names_rows_of_a_list_by_their_name(self):
        old = [{"name": "PING", "apid": 200}, {"name": "OLD", "apid": 1}]
        new = [{"name": "PING", "apid": 210}, {"name": "NEW", "apid": 2}]
        changes = {c.path: (c.old, c.new) for c in differences("telecommands", old, new)}
        assert changes == {
            "telecommands[NEW]": ("absent", "{'name': 'NEW', 'apid': 2}"),
            "telecommands[OLD]": ("{'name': 'OLD', 'apid': 1}", "absent"),
            "telecommands[PING].apid": ("200", "210"),
        }

    def test_notices_another_order(self):
        rows = [{"name": "A"}, {"name": "B"}]
        assert list(differences("t", rows, rows[::-1])) == [FieldChange("t", "A B", "B A")]

    def test_shows_a_long_text_as_a_digest(self):
        [change] = differences("dictionary", "", "x" * 10_000)
        assert change.new.startswith("(10000 characters, SHA-256 ")

    @given(old=json_values, new=json_values)
    def test_is_empty_exactly_for_equal_values(self, old, new):
        assert (list(differences("x", old, new)) == []) == (old == new)


class TestMissionLoad:
    def test_says_that_nothing_changed(self):
        load = MissionLoad("demo")
        assert not load
        assert load.lines() == ["Mission demo is loaded already; nothing changed."]

    def test_lists_what_changed(self):
        load = MissionLoad("demo", ["antenna A"], [FieldChange("x", "1", "2")])
        assert load.lines() == [
            "Mission demo: 1 created, 1 changed.",
            "  created antenna A",
            "  changed x: 1 -> 2",
        ]
