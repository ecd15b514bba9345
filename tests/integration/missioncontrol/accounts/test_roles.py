from __future__ import annotations

from datetime import UTC, datetime

import pytest

from missioncontrol.accounts import services
from missioncontrol.accounts.models import Membership
from missioncontrol.accounts.policy import Action, Role, may
from missioncontrol.audit.models import AuditEntry
from missioncontrol.kernel import live
from missioncontrol.kernel.errors import NotPermittedError
from tests import factories

pytestmark = pytest.mark.django_db

AT = datetime(2026, 12, 1, tzinfo=UTC)


@pytest.fixture
def ours():
    return factories.organisation("ours")


@pytest.fixture
def ada(ours):
    return factories.operator("ada", Role.ADMINISTRATOR, member_of=ours)


@pytest.fixture
def bob(ours):
    return factories.operator("bob", Role.AUDITOR, member_of=ours)


def grant(operator, organisation, role, actor):
    services.grant_role(
        operator=operator, organisation=organisation, role=role, at=AT, actor=actor
    )


def revoke(operator, organisation, role, actor):
    services.revoke_role(
        operator=operator, organisation=organisation, role=role, at=AT, actor=actor
    )


def actions():
    return list(AuditEntry.objects.order_by("pk").values_list("action", "subject"))


class TestOpenConsoles:
    def test_are_told_once_it_is_so(
        self, ada, bob, ours, django_capture_on_commit_callbacks, monkeypatch
    ):
        told = []
        monkeypatch.setattr(live, "publish", told.append)
        with django_capture_on_commit_callbacks(execute=True):
            grant(bob, ours, Role.OPERATOR, ada)
            assert told == []
        with django_capture_on_commit_callbacks(execute=True):
            revoke(bob, ours, Role.OPERATOR, ada)
            services.close_account(operator=bob, actor=ada, at=AT, wall_at=AT)
        assert told == [{"type": "refresh", "part": "accounts"}] * 3


class TestGrantRole:
    def test_holds_from_now_on_and_is_logged_once(self, ada, bob, ours):
        for _ in range(2):
            grant(bob, ours, Role.OPERATOR, ada)
        assert may(bob, Action.TELECOMMAND_SUBMIT, ours)
        assert actions() == [("operator.grant", "operator:bob")]

    def test_may_go_to_an_account_that_another_organisation_keeps(self, ada, ours):
        guest = factories.operator("guest", member_of=factories.organisation("theirs"))
        grant(guest, ours, Role.PAYLOAD_MEMBER, ada)
        assert may(guest, Action.JOB_SUBMIT, ours)

    def test_is_refused_to_who_administers_another_organisation(self, bob, ours):
        theirs = factories.organisation("theirs")
        eve = factories.operator("eve", Role.ADMINISTRATOR, member_of=theirs)
        with pytest.raises(NotPermittedError):
            grant(bob, ours, Role.ADMINISTRATOR, eve)
        with pytest.raises(NotPermittedError):
            grant(bob, ours, Role.ADMINISTRATOR, bob)


class TestRevokeRole:
    def test_ends_the_right(self, ada, bob, ours):
        revoke(bob, ours, Role.AUDITOR, ada)
        assert not may(bob, Action.AUDIT_VIEW)
        assert actions() == [("operator.revoke", "operator:bob")]

    def test_refuses_a_role_that_is_not_held(self, ada, bob, ours):
        with pytest.raises(services.AccountRefusedError, match="bob is not operator for Ours"):
            revoke(bob, ours, Role.OPERATOR, ada)

    def test_refuses_to_leave_an_organisation_without_administrator(self, ada, ours):
        with pytest.raises(services.AccountRefusedError, match="last administrator"):
            revoke(ada, ours, Role.ADMINISTRATOR, ada)
        factories.operator("second", Role.ADMINISTRATOR, member_of=ours)
        revoke(ada, ours, Role.ADMINISTRATOR, ada)
        assert not Membership.objects.filter(operator=ada).exists()

    def test_is_refused_to_everybody_else(self, ada, bob, ours):
        with pytest.raises(NotPermittedError):
            revoke(ada, ours, Role.ADMINISTRATOR, bob)
