from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from missioncontrol.accounts import services
from missioncontrol.accounts.models import ApiToken, Membership, Operator
from missioncontrol.accounts.policy import Role
from missioncontrol.accounts.selectors import accounts_of, get_operator
from missioncontrol.audit.models import AuditEntry
from missioncontrol.kernel.errors import NotPermittedError
from tests import factories
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db

AT = datetime(2026, 12, 1, tzinfo=UTC)


@pytest.fixture
def ours():
    return factories.organisation("ours")


@pytest.fixture
def ada(ours):
    """Our administrator."""
    return factories.operator("ada", Role.ADMINISTRATOR, member_of=ours)


def make(username="dave", password="correct horse battery", **fields):
    values = {
        "username": username,
        "display_name": "Dave",
        "organisation": factories.organisation("ours"),
        "roles": [Role.OPERATOR],
        "password": password,
        "at": AT,
        "actor": "process:test",
    }
    return services.create_operator(**{**values, **fields})


def logged(action):
    return [
        json.loads(bytes(entry.entry))
        for entry in AuditEntry.objects.filter(action=action).order_by("pk")
    ]


class TestCreateOperator:
    def test_makes_an_account_that_can_sign_in(self, ours):
        dave = make(roles=[Role.OPERATOR, Role.APPROVER])
        assert get_operator(username="dave").check_password("correct horse battery")
        assert {row.role for row in dave.memberships.all()} == {"operator", "approver"}
        assert dave.home == ours
        [entry] = logged("operator.create")
        assert (entry["subject"], entry["organisation"]) == ("operator:dave", "ours")
        assert "correct horse" not in str(entry)

    def test_makes_an_account_whose_person_chooses_a_password_later(self):
        dave = make(password=None)
        assert not dave.has_usable_password()
        assert not dave.is_service_account

    def test_makes_a_service_account_that_has_none(self):
        pipeline = make(is_service_account=True)
        assert pipeline.is_service_account
        assert not pipeline.has_usable_password()

    @pytest.mark.parametrize("password", ["short", "", "password1234"])
    def test_refuses_a_weak_password(self, password):
        with pytest.raises(services.AccountRefusedError, match="password"):
            make(password=password)
        assert not Operator.objects.exists()

    def test_refuses_a_name_that_is_taken(self):
        make()
        with pytest.raises(services.AccountRefusedError, match="'dave' is taken"):
            make()

    @pytest.mark.parametrize("username", ["", "two words", "line\nbreak", "x" * 151, "a:b"])
    def test_refuses_what_is_no_name(self, username):
        with pytest.raises(services.AccountRefusedError, match="was not made"):
            make(username)
        assert not Membership.objects.exists()

    def test_lets_an_administrator_of_the_organisation_make_it(self, ada):
        assert make(actor=ada).home == ada.home

    def test_refuses_everybody_else(self):
        theirs = factories.organisation("theirs")
        eve = factories.operator("eve", Role.ADMINISTRATOR, member_of=theirs)
        bob = factories.operator("bob", Role.OPERATOR, member_of=factories.organisation("ours"))
        for actor in (eve, bob):
            with pytest.raises(NotPermittedError, match=r"account\.manage for Ours"):
                make(actor=actor)
        assert not Operator.objects.filter(username="dave").exists()


class TestCloseAccount:
    def close(self, operator, actor):
        services.close_account(operator=operator, actor=actor, at=AT, wall_at=AT)
        operator.refresh_from_db()

    def test_ends_sessions_and_tokens_at_once(self, ada, ours):
        bob = factories.operator("bob", Role.OPERATOR, member_of=ours)
        browser = signed_in(bob)
        services.create_token(operator=bob, organisation=ours, name="ci", at=AT, wall_at=AT)
        self.close(bob, ada)
        assert not bob.is_active
        assert browser.get("/").status_code == 401
        assert ApiToken.objects.get().revoked_at == AT
        assert [entry["actor"] for entry in logged("operator.close")] == ["operator:ada"]

    def test_twice_changes_nothing(self, ada, ours):
        bob = factories.operator("bob", Role.OPERATOR, member_of=ours)
        self.close(bob, ada)
        self.close(bob, ada)
        assert len(logged("operator.close")) == 1

    def test_refuses_the_last_administrator(self, ada):
        with pytest.raises(services.AccountRefusedError, match="last administrator of Ours"):
            self.close(ada, ada)

    def test_counts_neither_pipelines_nor_closed_accounts_as_administrators(self, ada, ours):
        robot = factories.operator("robot", Role.ADMINISTRATOR, member_of=ours)
        Operator.objects.filter(pk=robot.pk).update(is_service_account=True)
        gone = factories.operator("gone", Role.ADMINISTRATOR, member_of=ours)
        Operator.objects.filter(pk=gone.pk).update(is_active=False)
        with pytest.raises(services.AccountRefusedError, match="last administrator"):
            self.close(ada, ada)

    def test_belongs_to_the_organisation_that_keeps_the_account(self, ada):
        theirs = factories.organisation("theirs")
        guest = factories.operator("guest", Role.OPERATOR, member_of=theirs)
        Membership.objects.create(operator=guest, organisation=ada.home, role=Role.AUDITOR)
        with pytest.raises(NotPermittedError, match="for Theirs"):
            self.close(guest, ada)

    def test_is_undone_by_opening_but_for_the_tokens(self, ada, ours):
        bob = factories.operator("bob", Role.OPERATOR, member_of=ours)
        services.create_token(operator=bob, organisation=ours, name="ci", at=AT, wall_at=AT)
        self.close(bob, ada)
        services.open_account(operator=bob, actor=ada, at=AT + timedelta(hours=1))
        services.open_account(operator=bob, actor=ada, at=AT + timedelta(hours=1))
        bob.refresh_from_db()
        assert bob.is_active
        assert len(logged("operator.open")) == 1
        assert ApiToken.objects.get().revoked_at is not None


class TestAccountsOf:
    def test_are_those_that_it_keeps_and_those_that_hold_its_roles(self, ada, ours):
        theirs = factories.organisation("theirs")
        guest = factories.operator("guest", Role.OPERATOR, member_of=theirs)
        Membership.objects.create(operator=guest, organisation=ours, role=Role.AUDITOR)
        newcomer = factories.operator("newcomer", member_of=ours)
        factories.operator("stranger", Role.OPERATOR, member_of=theirs)
        assert accounts_of(ours) == [ada, guest, newcomer]
