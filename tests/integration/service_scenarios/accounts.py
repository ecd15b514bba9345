from __future__ import annotations

from missioncontrol.accounts import services
from missioncontrol.accounts.policy import Role
from tests import factories
from tests.factories import AT
from tests.integration.service_scenarios import scenario, unlogged

unlogged("when a token was used last is shown, and decides nothing", services.note_token_use)


@scenario(services.create_operator)
def make_an_account(call):
    call(
        username="dave",
        display_name="Dave",
        organisation=factories.organisation(),
        roles=[Role.OPERATOR],
        password=None,
        at=AT,
        actor="process:test",
    )


@scenario(services.grant_role)
def grant(call):
    call(
        operator=factories.operator("dave"),
        organisation=factories.organisation(),
        role=Role.APPROVER,
        at=AT,
        actor="process:test",
    )


@scenario(services.create_token)
def make_a_token(call):
    dave = factories.operator("dave", Role.OPERATOR)
    call(operator=dave, organisation=factories.organisation(), name="nightly", at=AT)


@scenario(services.revoke_token)
def revoke(call):
    dave = factories.operator("dave", Role.OPERATOR)
    token, _ = services.create_token(
        operator=dave, organisation=factories.organisation(), name="nightly", at=AT
    )
    call(token_id=token.pk, actor=dave, at=AT)
