from __future__ import annotations

from missioncontrol.accounts.policy import CONCERNS, TAKES_CONFIRMATION, Action, Role
from missioncontrol.console.presentation.rights import ACTION_WORDS, ROLE_WORDS, scope_groups


class TestWords:
    def test_stand_beside_every_right(self):
        assert set(ACTION_WORDS) == set(Action)
        assert len(set(ACTION_WORDS.values())) == len(Action)

    def test_stand_beside_every_role(self):
        assert set(ROLE_WORDS) == set(Role)


class TestScopeGroups:
    def test_hold_each_right_once_with_those_of_the_same_concern(self):
        groups = scope_groups(set(Action), [])
        names = [choice.name for group in groups for choice in group.choices]
        assert sorted(names) == sorted(Action)
        for group in groups:
            assert len({CONCERNS[Action(choice.name)] for choice in group.choices}) == 1

    def test_leave_out_what_there_is_no_right_to(self):
        [group] = scope_groups({Action.JOB_VIEW, Action.JOB_SUBMIT}, ["job.view"])
        assert [(each.name, each.chosen) for each in group.choices] == [
            ("job.view", True),
            ("job.submit", False),
        ]

    def test_mark_what_takes_a_fresh_proof(self):
        choices = [each for group in scope_groups(set(Action), []) for each in group.choices]
        marked = {each.name for each in choices if each.takes_confirmation}
        assert marked == set(TAKES_CONFIRMATION)
