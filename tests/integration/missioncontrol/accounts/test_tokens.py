from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command

from missioncontrol.accounts import services
from missioncontrol.accounts.models import ApiToken, Membership, Operator
from missioncontrol.accounts.policy import TAKES_CONFIRMATION, Action, Role, actions_of
from missioncontrol.accounts.selectors import token_in_force
from missioncontrol.audit.models import AuditEntry
from missioncontrol.kernel import clock
from missioncontrol.kernel.errors import NotPermittedError
from tests import factories

pytestmark = pytest.mark.django_db

AT = datetime(2026, 12, 1, tzinfo=UTC)
MADE = datetime(2026, 11, 25, 9, tzinfo=UTC)  # on the machine's clock
DAY = timedelta(days=1)


@pytest.fixture
def laboratory(db):
    return factories.organisation("ai-laboratory-1")


@pytest.fixture
def pipeline(laboratory):
    return factories.operator("pipeline", Role.PAYLOAD_MEMBER, member_of=laboratory)


@pytest.fixture
def token(pipeline, laboratory):
    def make(**fields):
        values = {
            "operator": pipeline,
            "organisation": laboratory,
            "name": "nightly",
            "at": AT,
            "wall_at": MADE,
        }
        return services.create_token(**{**values, **fields})

    return make


def revoke(made, actor, wall_at=MADE + DAY):
    return services.revoke_token(token_id=made.pk, actor=actor, at=AT, wall_at=wall_at)


class TestCreateToken:
    def test_opens_with_the_secret_that_was_shown(self, token, pipeline, laboratory):
        made, secret = token()
        assert secret.startswith(f"mc_{made.prefix}_")
        found = token_in_force(secret, wall_at=MADE + DAY)
        assert (found, found.operator, found.organisation) == (made, pipeline, laboratory)

    def test_stores_no_secret_anywhere(self, token):
        _, secret = token()
        key = secret.split("_", 2)[2]
        assert key not in str(ApiToken.objects.values_list()[0])
        assert key.encode() not in bytes(AuditEntry.objects.get().entry)

    def test_is_counted_on_the_machines_clock(self, token):
        made, secret = token(lifetime=DAY)
        last = MADE + DAY - timedelta(microseconds=1)
        assert token_in_force(secret, wall_at=last) == made
        assert token_in_force(secret, wall_at=MADE + DAY) is None

    def test_ends_with_its_account(self, token):
        _, secret = token()
        Operator.objects.update(is_active=False)
        assert token_in_force(secret, wall_at=MADE) is None

    def test_does_not_open_with_anything_else(self, token):
        made, secret = token()
        other, _ = token(name="other")
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
        assert [one for one in wrong if token_in_force(one, wall_at=MADE)] == []

    def test_shares_nothing_with_another(self, token):
        secrets = {token()[1] for _ in range(20)}
        assert len({secret.split("_", 2)[2] for secret in secrets}) == 20

    @pytest.mark.parametrize("lifetime", [timedelta(0), -DAY, timedelta(days=366)])
    def test_refuses_a_lifetime_outside_its_limits(self, token, lifetime):
        with pytest.raises(services.AccountRefusedError, match="more than 0 and at most 365"):
            token(lifetime=lifetime)

    @pytest.mark.parametrize("name", ["", "x" * 81])
    def test_refuses_a_name_that_does_not_fit(self, token, name):
        with pytest.raises(services.AccountRefusedError, match="1 to 80"):
            token(name=name)

    def test_refuses_an_organisation_that_the_account_is_no_member_of(self, token):
        with pytest.raises(services.AccountRefusedError, match="holds no role for Elsewhere"):
            token(organisation=factories.organisation("elsewhere"))

    def test_is_made_for_others_by_their_administrator_only(self, token, laboratory):
        ada = factories.operator("ada", Role.ADMINISTRATOR, member_of=laboratory)
        token(actor=ada)
        eve = factories.operator(
            "eve", Role.ADMINISTRATOR, member_of=factories.organisation("elsewhere")
        )
        with pytest.raises(NotPermittedError, match=r"token\.manage"):
            token(actor=eve)
        entry = json.loads(bytes(AuditEntry.objects.get(action="token.create").entry))
        assert entry["actor"] == "operator:ada"
        assert entry["details"]["account"] == "pipeline"


class TestScopes:
    def test_are_all_rights_that_take_no_confirmation_unless_named(self, token, laboratory):
        approver = factories.operator("approver", Role.APPROVER, member_of=laboratory)
        made, _ = token(operator=approver)
        rights = actions_of([Role.APPROVER])
        assert set(made.scopes) == rights - TAKES_CONFIRMATION
        assert Action.TELECOMMAND_APPROVE in rights - set(made.scopes)

    def test_can_be_fewer(self, token):
        made, _ = token(scopes=[Action.JOB_VIEW])
        assert made.scopes == ["job.view"]

    def test_never_go_beyond_the_accounts_own_rights(self, token):
        with pytest.raises(services.AccountRefusedError) as refusal:
            token(scopes=[Action.JOB_VIEW, Action.TELECOMMAND_SUBMIT])
        assert "may not do telecommand.submit for Ai-Laboratory-1" in str(refusal.value)
        assert "job.submit" in str(refusal.value)  # says what can be had

    def test_cannot_be_none(self, token):
        with pytest.raises(services.AccountRefusedError, match="without a scope"):
            token(scopes=[])


class TestRevokeToken:
    def test_ends_it_once(self, token, pipeline):
        made, secret = token()
        for _ in range(2):
            revoke(made, pipeline)
        assert token_in_force(secret, wall_at=MADE) is None
        made.refresh_from_db()
        assert made.revoked_at == MADE + DAY
        assert AuditEntry.objects.filter(action="token.revoke").count() == 1

    def test_is_for_its_account_and_its_administrator(self, token, laboratory):
        made, _ = token()
        other = factories.operator("other", Role.PAYLOAD_MEMBER, member_of=laboratory)
        with pytest.raises(NotPermittedError):
            revoke(made, other)
        ada = factories.operator("ada", Role.ADMINISTRATOR, member_of=laboratory)
        assert revoke(made, ada).revoked_at is not None

    def test_raises_on_an_unknown_token(self, pipeline):
        with pytest.raises(ApiToken.DoesNotExist):
            services.revoke_token(token_id=404, actor=pipeline, at=AT, wall_at=MADE)


class TestNoteTokenUse:
    def test_writes_once_a_minute_at_most(self, token):
        made, _ = token()
        services.note_token_use(token=made, wall_at=MADE)
        made.refresh_from_db()
        services.note_token_use(token=made, wall_at=MADE + timedelta(seconds=59))
        made.refresh_from_db()
        assert made.last_used_at == MADE
        services.note_token_use(token=made, wall_at=MADE + timedelta(seconds=61))
        made.refresh_from_db()
        assert made.last_used_at == MADE + timedelta(seconds=61)


class TestCreateTokenCommand:
    @pytest.fixture(autouse=True)
    def _clock(self, db):
        clock.set_clock(mission_time=AT, factor=1)

    def test_prints_a_secret_that_opens(self, pipeline, laboratory, capsys):
        call_command("create_token", "pipeline", "--days", "2", "--name", "ci")
        secret = capsys.readouterr().out.strip()
        made = token_in_force(secret, wall_at=clock.wall_now() + DAY)
        assert (made.name, made.organisation) == ("ci", laboratory)
        assert token_in_force(secret, wall_at=clock.wall_now() + 2 * DAY) is None

    def test_gives_the_scopes_that_are_named(self, pipeline):
        call_command("create_token", "pipeline", "--scope", "job.view", "--scope", "job.submit")
        assert ApiToken.objects.get().scopes == ["job.submit", "job.view"]

    def test_asks_which_organisation_is_meant(self, pipeline):
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


class TestRevokeTokenCommand:
    def test_ends_the_token(self, token):
        made, secret = token()
        call_command("revoke_token", made.prefix)
        assert token_in_force(secret, wall_at=MADE) is None

    def test_names_the_tokens_in_force_when_it_knows_none_of_that_prefix(self, token):
        made, _ = token()
        with pytest.raises(CommandError, match=f"In force: {made.prefix}"):
            call_command("revoke_token", "0000000000")
