from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command

from missioncontrol.accounts import services
from missioncontrol.accounts.models import ApiToken, Membership, Operator
from missioncontrol.accounts.policy import Role
from missioncontrol.accounts.selectors import (
    get_operator,
    organisations_of,
    token_in_force,
)
from missioncontrol.audit.models import AuditEntry
from missioncontrol.kernel import clock
from tests import factories

pytestmark = pytest.mark.django_db

AT = datetime(2026, 12, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def laboratory(db):
    return factories.organisation("ai-laboratory-1")


@pytest.fixture
def pipeline(laboratory):
    return factories.operator("pipeline", Role.PAYLOAD_MEMBER, member_of=laboratory)


def token(pipeline, laboratory, **fields):
    values = {"operator": pipeline, "organisation": laboratory, "name": "nightly", "at": AT}
    return services.create_token(**{**values, **fields})


def operator(username="dave", password="correct horse battery", **fields):
    values = {
        "username": username,
        "display_name": "Dave",
        "organisation": factories.organisation(),
        "roles": [Role.OPERATOR],
        "password": password,
        "at": AT,
        "actor": "process:test",
    }
    return services.create_operator(**{**values, **fields})


class TestCreateOperator:
    def test_makes_an_account_that_can_sign_in(self):
        dave = operator(roles=[Role.OPERATOR, Role.APPROVER])
        assert get_operator(username="dave").check_password("correct horse battery")
        assert {row.role for row in dave.memberships.all()} == {"operator", "approver"}
        assert organisations_of(dave) == [factories.organisation()]
        entry = AuditEntry.objects.get()
        assert (entry.action, entry.subject) == ("operator.create", "operator:dave")
        assert b"correct horse" not in bytes(entry.entry)

    def test_makes_a_service_account_that_cannot(self):
        assert not operator(password=None).has_usable_password()

    @pytest.mark.parametrize("password", ["short", "", "password1234"])
    def test_refuses_a_weak_password(self, password):
        with pytest.raises(services.AccountRefusedError, match="password"):
            operator(password=password)
        assert not Operator.objects.exists()

    def test_refuses_a_name_that_is_taken(self):
        operator()
        with pytest.raises(services.AccountRefusedError, match="'dave' is taken"):
            operator()

    @pytest.mark.parametrize("username", ["", "two words", "line\nbreak", "x" * 151, "a:b"])
    def test_refuses_what_is_no_name(self, username):
        with pytest.raises(services.AccountRefusedError, match="was not made"):
            operator(username)
        assert not Membership.objects.exists()


class TestTokens:
    def test_opens_with_the_secret_that_was_shown(self, pipeline, laboratory):
        made, secret = token(pipeline, laboratory)
        assert secret.startswith(f"mc_{made.prefix}_")
        found = token_in_force(secret, at=AT + DAY)
        assert (found, found.operator, found.organisation) == (made, pipeline, laboratory)

    def test_stores_no_secret_anywhere(self, pipeline, laboratory):
        _, secret = token(pipeline, laboratory)
        key = secret.split("_", 2)[2]
        stored = str(ApiToken.objects.values_list()[0])
        assert key not in stored
        assert key.encode() not in bytes(AuditEntry.objects.get().entry)

    def test_expires(self, pipeline, laboratory):
        _, secret = token(pipeline, laboratory, lifetime=DAY)
        assert token_in_force(secret, at=AT + DAY - timedelta(microseconds=1)) is not None
        assert token_in_force(secret, at=AT + DAY) is None

    def test_ends_when_it_is_revoked(self, pipeline, laboratory):
        made, secret = token(pipeline, laboratory)
        for _ in range(2):
            services.revoke_token(token_id=made.pk, actor=pipeline, at=AT + DAY)
        assert token_in_force(secret, at=AT) is None
        made.refresh_from_db()
        assert made.revoked_at == AT + DAY
        assert AuditEntry.objects.filter(action="token.revoke").count() == 1

    def test_ends_with_its_account(self, pipeline, laboratory):
        _, secret = token(pipeline, laboratory)
        Operator.objects.update(is_active=False)
        assert token_in_force(secret, at=AT) is None

    def test_does_not_open_with_anything_else(self, pipeline, laboratory):
        made, secret = token(pipeline, laboratory)
        other, _ = token(pipeline, laboratory, name="other")
        wrong = [
            "",
            "mc",
            "mc_",
            f"mc_{made.prefix}",
            f"mc_{made.prefix}_",
            secret[:-1],
            secret + "x",
            secret.upper(),
            "xx" + secret[2:],
            secret.replace(made.prefix, other.prefix),
            secret.replace(made.prefix, "0000000000"),
            f"mc_{made.prefix}_{made.digest}",
            f"mc_{made.prefix}_é☃",
        ]
        assert [one for one in wrong if token_in_force(one, at=AT)] == []

    def test_two_tokens_share_nothing(self, pipeline, laboratory):
        secrets = {token(pipeline, laboratory)[1] for _ in range(20)}
        assert len({secret.split("_", 2)[2] for secret in secrets}) == 20

    @pytest.mark.parametrize("lifetime", [timedelta(0), -DAY, timedelta(days=366)])
    def test_refuses_a_lifetime_outside_its_limits(self, pipeline, laboratory, lifetime):
        with pytest.raises(services.AccountRefusedError, match="more than 0 and at most 365"):
            token(pipeline, laboratory, lifetime=lifetime)

    @pytest.mark.parametrize("name", ["", "x" * 81])
    def test_refuses_a_name_that_does_not_fit(self, pipeline, laboratory, name):
        with pytest.raises(services.AccountRefusedError, match="1 to 80"):
            token(pipeline, laboratory, name=name)

    def test_refuses_an_organisation_that_one_is_no_member_of(self, pipeline):
        with pytest.raises(services.AccountRefusedError, match="holds no role for Elsewhere"):
            token(pipeline, factories.organisation("elsewhere"))

    def test_raises_on_an_unknown_token(self, pipeline):
        with pytest.raises(ApiToken.DoesNotExist):
            services.revoke_token(token_id=404, actor=pipeline, at=AT)


class TestCreateTokenCommand:
    @pytest.fixture(autouse=True)
    def _clock(self, db):
        clock.set_clock(mission_time=AT, factor=1)

    def test_prints_a_secret_that_opens(self, pipeline, laboratory, capsys):
        call_command("create_token", "pipeline", "--days", "2", "--name", "ci")
        made = token_in_force(capsys.readouterr().out.strip(), at=AT + DAY)
        assert (made.name, made.organisation) == ("ci", laboratory)
        entry = AuditEntry.objects.get()
        assert json.loads(bytes(entry.entry))["details"]["name"] == "ci"

    def test_asks_which_organisation_is_meant(self, pipeline, capsys):
        other = factories.organisation("chip-producer-1")
        Membership.objects.create(operator=pipeline, organisation=other, role=Role.AUDITOR)
        with pytest.raises(CommandError, match="ai-laboratory-1, chip-producer-1"):
            call_command("create_token", "pipeline")
        call_command("create_token", "pipeline", "--organisation", "chip-producer-1")
        assert ApiToken.objects.get().organisation == other

    def test_says_that_an_account_has_no_role(self):
        with pytest.raises(CommandError, match="nobody has roles for: none"):
            call_command("create_token", "nobody")

    def test_says_why_a_token_is_refused(self, pipeline):
        with pytest.raises(CommandError, match="at most 365"):
            call_command("create_token", "pipeline", "--days", "400")
