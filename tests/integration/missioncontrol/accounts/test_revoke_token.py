from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from missioncontrol.accounts.policy import Role
from missioncontrol.accounts.selectors import token_in_force
from missioncontrol.accounts.services import create_token
from missioncontrol.audit.models import AuditEntry
from missioncontrol.kernel import clock
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def made():
    member = factories.organisation()
    alice = factories.operator("alice", Role.OPERATOR)
    return create_token(operator=alice, organisation=member, name="pipeline", at=clock.now())


class TestRevokeToken:
    def test_ends_the_token_and_logs_it(self, made):
        token, secret = made
        assert token_in_force(secret, at=clock.now()) == token
        call_command("revoke_token", token.prefix)
        assert token_in_force(secret, at=clock.now()) is None
        assert AuditEntry.objects.filter(action="token.revoke").count() == 1

    def test_names_the_tokens_in_force_when_it_knows_none_of_that_prefix(self, made):
        token, _secret = made
        with pytest.raises(CommandError, match=f"In force: {token.prefix}"):
            call_command("revoke_token", "0000000000")
