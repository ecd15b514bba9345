from __future__ import annotations

import pytest

from missioncontrol.accounts.policy import POLICY, Action, Role, may, require
from missioncontrol.kernel.errors import NotPermittedError
from tests import factories

pytestmark = pytest.mark.django_db

# The table once more, by what must not be: whoever changes it changes both.
ONLY = {
    Action.TELEMETRY_VIEW: {Role.OPERATOR, Role.APPROVER, Role.FLIGHT_DYNAMICS},
    Action.ALARM_ACKNOWLEDGE: {Role.OPERATOR},
    Action.CONTACT_CANCEL: {Role.OPERATOR, Role.FLIGHT_DYNAMICS},
    Action.TELECOMMAND_SUBMIT: {Role.OPERATOR},
    Action.TELECOMMAND_APPROVE: {Role.OPERATOR, Role.APPROVER},
    Action.TRANSFER_CANCEL: {Role.OPERATOR},
    Action.JOB_SUBMIT: {Role.OPERATOR, Role.PAYLOAD_MEMBER},
    Action.JOB_CANCEL: {Role.OPERATOR, Role.PAYLOAD_MEMBER},
    Action.CLOCK_SET: {Role.OPERATOR},
    Action.MISSION_LOAD: {Role.ADMINISTRATOR},
    Action.TOKEN_CREATE: {Role.ADMINISTRATOR},
    Action.ACCOUNT_MANAGE: {Role.ADMINISTRATOR},
}


class TestPolicy:
    def test_has_a_line_for_every_role(self):
        assert set(POLICY) == set(Role)

    @pytest.mark.parametrize("action", Action)
    def test_somebody_may_do_everything(self, action):
        assert [role for role, actions in POLICY.items() if action in actions]

    @pytest.mark.parametrize("action", ONLY)
    def test_nobody_else_may(self, action):
        assert {role for role, actions in POLICY.items() if action in actions} == ONLY[action]

    @pytest.mark.parametrize("role", Role)
    def test_everybody_may_read_the_log_and_the_contacts(self, role):
        assert {Action.AUDIT_VIEW, Action.CONTACT_VIEW} <= POLICY[role]

    def test_names_are_for_people(self):
        assert Role.FLIGHT_DYNAMICS.label == "flight dynamics"


class TestMay:
    def test_asks_for_the_role_in_the_organisation_whose_object_it_is(self):
        ours, theirs = factories.organisation("ours"), factories.organisation("theirs")
        alice = factories.operator("alice", Role.OPERATOR, member_of=ours)
        assert may(alice, Action.TELECOMMAND_SUBMIT, ours)
        assert not may(alice, Action.TELECOMMAND_SUBMIT, theirs)
        assert may(alice, Action.TELECOMMAND_SUBMIT)  # somewhere: show the menu entry

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
