from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from missioncontrol.accounts.models import ApiToken, Membership, Operator, Organisation
from missioncontrol.accounts.policy import Action, Role
from missioncontrol.accounts.principals import (
    CONFIRMED_FOR,
    ConfirmationNeededError,
    Principal,
)
from missioncontrol.kernel.errors import NotPermittedError

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
OURS = Organisation(pk=1, slug="ours", name="Ours", kind="operator")
THEIRS = Organisation(pk=2, slug="theirs", name="Theirs", kind="insurer")
BOB = Operator(pk=1, username="bob")


def held(role: Role, organisation: Organisation = OURS) -> Membership:
    return Membership(operator=BOB, organisation=organisation, role=role)


def person(*memberships: Membership, confirmed_at: datetime | None = None) -> Principal:
    return Principal(operator=BOB, memberships=memberships, confirmed_at=confirmed_at)


def token(*memberships: Membership, scopes: list[str]) -> Principal:
    row = ApiToken(operator=BOB, organisation=memberships[0].organisation, scopes=scopes)
    return Principal(operator=BOB, memberships=memberships, token=row, confirmed_at=NOW)


class TestOrganisations:
    def test_come_once_each_by_name(self):
        both = person(held(Role.AUDITOR, THEIRS), held(Role.OPERATOR), held(Role.APPROVER))
        assert both.organisations == [OURS, THEIRS]
        assert both.organisations_with(Action.TELECOMMAND_SUBMIT) == [OURS]


class TestToken:
    def test_may_what_the_role_grants_and_the_scope_names(self):
        made = token(held(Role.OPERATOR), scopes=["job.view"])
        assert made.may(Action.JOB_VIEW, OURS)
        assert not made.may(Action.JOB_SUBMIT, OURS)
        assert not made.may(Action.JOB_VIEW, THEIRS)

    def test_loses_with_the_role_what_the_scope_still_names(self):
        made = token(held(Role.AUDITOR), scopes=["job.submit", "job.view"])
        assert not made.may(Action.JOB_SUBMIT, OURS)

    @pytest.mark.parametrize(
        ("action", "organisation", "said"),
        [
            (Action.JOB_SUBMIT, OURS, "has the scopes job.view; job.submit is none of them"),
            (Action.JOB_VIEW, THEIRS, "acts for Ours; job.view for Theirs takes a token for"),
            (Action.ACCOUNT_MANAGE, OURS, "It takes the role administrator"),
        ],
    )
    def test_is_told_what_is_missing(self, action, organisation, said):
        made = token(held(Role.OPERATOR), scopes=["job.view"])
        with pytest.raises(NotPermittedError, match=said):
            made.require(action, organisation)


class TestConfirmation:
    def test_is_needed_for_what_the_table_says_only(self):
        stale = person(held(Role.APPROVER), confirmed_at=NOW - timedelta(hours=2))
        stale.require_confirmed(Action.JOB_VIEW, wall_at=NOW)
        with pytest.raises(ConfirmationNeededError, match="last 5 minutes"):
            stale.require_confirmed(Action.TELECOMMAND_APPROVE, wall_at=NOW)

    @pytest.mark.parametrize(
        ("age", "fresh"),
        [
            (timedelta(0), True),
            (CONFIRMED_FOR - timedelta(microseconds=1), True),
            (CONFIRMED_FOR, False),
        ],
    )
    def test_is_fresh_for_five_minutes(self, age, fresh):
        assert person(confirmed_at=NOW - age).is_confirmed(wall_at=NOW) is fresh

    def test_is_not_had_by_a_session_without_any_proof(self):
        assert not person(confirmed_at=None).is_confirmed(wall_at=NOW)
