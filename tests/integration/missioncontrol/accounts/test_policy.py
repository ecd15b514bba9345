from __future__ import annotations

import pytest

from missioncontrol.accounts import policy
from missioncontrol.accounts.policy import (
    CONCERNS,
    GRANTED_TO,
    TAKES_CONFIRMATION,
    Action,
    Concern,
    Role,
    actions_of,
    may,
    require,
)
from missioncontrol.kernel.errors import NotPermittedError
from tests import factories

pytestmark = pytest.mark.django_db

OPERATOR, APPROVER, FLIGHT_DYNAMICS, MEMBER, PROVIDER, AUDITOR, ADMINISTRATOR = Role

# The table once more, by what must not be: whoever changes it changes both.
ONLY = {
    Action.TELEMETRY_VIEW: {OPERATOR, APPROVER, FLIGHT_DYNAMICS},
    Action.ALARM_ACKNOWLEDGE: {OPERATOR},
    Action.CONTACT_CANCEL: {OPERATOR, FLIGHT_DYNAMICS},
    Action.CONTACT_WINDOW_RECOMPUTE: {OPERATOR, FLIGHT_DYNAMICS},
    Action.CONTACT_REQUEST_VIEW: {OPERATOR, APPROVER, FLIGHT_DYNAMICS, MEMBER, AUDITOR},
    Action.CONTACT_REQUEST_MANAGE: {OPERATOR, FLIGHT_DYNAMICS, MEMBER},
    Action.OUTAGE_DECLARE: {OPERATOR, FLIGHT_DYNAMICS, PROVIDER},
    Action.RESERVATION_VIEW: {OPERATOR, APPROVER, FLIGHT_DYNAMICS, PROVIDER, AUDITOR},
    Action.RESERVATION_GIVE_BACK: {OPERATOR, FLIGHT_DYNAMICS},
    Action.PLAN_VIEW: {OPERATOR, APPROVER, FLIGHT_DYNAMICS, AUDITOR},
    Action.PLAN_PROPOSE: {OPERATOR, FLIGHT_DYNAMICS},
    Action.PLAN_APPROVE: {OPERATOR, APPROVER},
    Action.PLAN_PUBLISH: {OPERATOR, FLIGHT_DYNAMICS},
    Action.TELECOMMAND_VIEW: {OPERATOR, APPROVER, FLIGHT_DYNAMICS, AUDITOR},
    Action.TELECOMMAND_SUBMIT: {OPERATOR},
    Action.TELECOMMAND_APPROVE: {OPERATOR, APPROVER},
    Action.TRANSFER_CANCEL: {OPERATOR},
    Action.JOB_VIEW: {OPERATOR, APPROVER, MEMBER, AUDITOR},
    Action.JOB_SUBMIT: {OPERATOR, MEMBER},
    Action.JOB_CANCEL: {OPERATOR, MEMBER},
    Action.OPENING_VIEW: {OPERATOR, APPROVER, MEMBER, AUDITOR, ADMINISTRATOR},
    Action.OPENING_ERASE: {ADMINISTRATOR},
    Action.ACCOUNT_VIEW: {AUDITOR, ADMINISTRATOR},
    Action.ACCOUNT_MANAGE: {ADMINISTRATOR},
    Action.TOKEN_VIEW: {AUDITOR, ADMINISTRATOR},
    Action.TOKEN_MANAGE: {ADMINISTRATOR},
    Action.WEBHOOK_VIEW: {OPERATOR, MEMBER, AUDITOR, ADMINISTRATOR},
    Action.WEBHOOK_MANAGE: {MEMBER, ADMINISTRATOR},
    Action.SINGLE_SIGN_ON_MANAGE: {ADMINISTRATOR},
    Action.CLOCK_SET: {OPERATOR},
    Action.LOG_VERIFY: {OPERATOR, AUDITOR, ADMINISTRATOR},
    Action.MISSION_LOAD: {ADMINISTRATOR},
    Action.PROCESS_VIEW: {OPERATOR, APPROVER, FLIGHT_DYNAMICS, ADMINISTRATOR},
    Action.WITNESS_MANAGE: {ADMINISTRATOR},
}


class TestTheTable:
    @pytest.mark.parametrize("action", Action)
    def test_grants_everything_to_somebody_and_no_more_than_is_meant(self, action):
        assert GRANTED_TO[action] == ONLY.get(action, set(Role))

    def test_leaves_to_everybody_what_all_members_may_see(self):
        everybodys = {action for action in Action if action not in ONLY}
        assert {action for action in everybodys if CONCERNS[action] is not Concern.ANYBODY} == {
            Action.CALENDAR_FEED_MANAGE
        }

    def test_takes_a_confirmation_for_approvals_plans_keys_and_roles(self):
        assert {
            Action.TELECOMMAND_APPROVE,
            Action.PLAN_APPROVE,
            Action.PLAN_PUBLISH,
            Action.OPENING_ERASE,
            Action.ACCOUNT_MANAGE,
            Action.TOKEN_MANAGE,
            Action.WEBHOOK_MANAGE,
            Action.SINGLE_SIGN_ON_MANAGE,
            Action.MISSION_LOAD,
            Action.WITNESS_MANAGE,
        } == TAKES_CONFIRMATION

    def test_names_roles_for_people(self):
        assert Role.FLIGHT_DYNAMICS.label == "flight dynamics"

    def test_adds_up_what_several_roles_grant(self):
        assert actions_of([AUDITOR, ADMINISTRATOR]) == actions_of([AUDITOR]) | actions_of(
            [ADMINISTRATOR]
        )

    @pytest.mark.parametrize(
        ("spoilt", "complaint"),
        [
            (lambda text: text.replace("OPE  APP", "APP  OPE"), "not the roles in their order"),
            (lambda text: text.replace("job.view ", "job.look "), "job.look"),
            (lambda text: "\n".join(text.splitlines()[:-1]), "one line"),
            (lambda text: text.replace("x    x   -", "x   -", 1), "argument"),
        ],
    )
    def test_is_refused_when_it_is_not_whole(self, spoilt, complaint):
        with pytest.raises(ValueError, match=complaint):
            policy._read_table(spoilt(policy._TABLE))


class TestMay:
    def test_asks_for_the_role_in_the_organisation_whose_object_it_is(self):
        ours, theirs = factories.organisation("ours"), factories.organisation("theirs")
        alice = factories.operator("alice", Role.OPERATOR, member_of=ours)
        assert may(alice, Action.TELECOMMAND_SUBMIT, ours)
        assert not may(alice, Action.TELECOMMAND_SUBMIT, theirs)
        assert may(alice, Action.TELECOMMAND_SUBMIT)  # somewhere: show the menu entry

    def test_lets_only_who_operates_the_mission_act_on_the_mission(self):
        insurer = factories.organisation("insurer", kind="insurer")
        eve = factories.operator("eve", Role.OPERATOR, Role.ADMINISTRATOR, member_of=insurer)
        alice = factories.operator("alice", Role.OPERATOR)
        for action in (Action.CLOCK_SET, Action.PROCESS_VIEW):
            assert may(alice, action)
            assert not may(eve, action)
            assert not may(eve, action, insurer)
        assert not may(eve, Action.MISSION_LOAD, factories.organisation())

    def test_shows_every_member_what_concerns_anybody(self):
        ours, theirs = factories.organisation("ours"), factories.organisation("theirs")
        alice = factories.operator("alice", Role.STATION_PROVIDER, member_of=ours)
        assert may(alice, Action.CONTACT_VIEW, theirs)

    def test_adds_the_roles_that_one_holds(self):
        both = factories.operator("both", Role.AUDITOR, Role.ADMINISTRATOR)
        assert may(both, Action.MISSION_LOAD, factories.organisation())
        assert may(both, Action.JOB_VIEW, factories.organisation())
        assert not may(both, Action.JOB_SUBMIT, factories.organisation())

    def test_gives_nothing_to_an_account_that_is_closed(self):
        alice = factories.operator("alice", Role.OPERATOR)
        alice.is_active = False
        assert not may(alice, Action.AUDIT_VIEW)

    def test_gives_nothing_to_a_superuser_without_a_role(self):
        root = factories.operator("root")
        root.is_superuser = root.is_staff = True
        assert not may(root, Action.AUDIT_VIEW)


class TestRequire:
    def test_names_who_could(self):
        carol = factories.operator("carol", Role.PAYLOAD_MEMBER)
        with pytest.raises(NotPermittedError) as refusal:
            require(carol, Action.TELECOMMAND_APPROVE, factories.organisation())
        assert str(refusal.value) == (
            "carol may not do telecommand.approve for Operations. "
            "It takes the role operator, approver; "
            "an administrator of the organisation can give it."
        )

    def test_is_silent_when_it_may_be(self):
        alice = factories.operator("alice", Role.OPERATOR)
        require(alice, Action.TELECOMMAND_APPROVE, factories.organisation())
