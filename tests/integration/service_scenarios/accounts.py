from __future__ import annotations

from allauth.mfa.totp.internal.auth import TOTP
from allauth.usersessions.models import UserSession
from django.utils.crypto import get_random_string

from missioncontrol.accounts import services
from missioncontrol.accounts.models import Operator
from missioncontrol.accounts.policy import Role
from missioncontrol.accounts.services import operators, rights, sessions, tokens
from tests import factories
from tests.factories import AT
from tests.integration.service_scenarios import scenario, unlogged
from tests.signing_in import signed_in

PROCESS = "process:test"

unlogged("when a token was used last is shown, and decides nothing", services.note_token_use)
unlogged(
    "a part of closing an account, which is logged",
    sessions.end_all_sessions,
    tokens.revoke_all_tokens,
)
unlogged("asks for a right and changes nothing", rights.require_of_people)
unlogged(
    "finds and locks the row that the services which call it change, and log",
    operators.kept_account,
)


def dave(*roles):
    return factories.operator("dave", *(roles or [Role.OPERATOR]))


def token():
    made, _ = services.create_token(
        operator=dave(), organisation=factories.organisation(), name="nightly", at=AT, wall_at=AT
    )
    return made


@scenario(services.create_operator)
def make_an_account(call):
    call(
        username="dave",
        display_name="Dave",
        organisation=factories.organisation(),
        roles=[Role.OPERATOR],
        password=None,
        at=AT,
        actor=PROCESS,
    )


@scenario(services.close_account)
def close(call):
    call(operator=dave(), actor=PROCESS, at=AT, wall_at=AT)


@scenario(services.open_account)
def open_again(call):
    closed = dave()
    services.close_account(operator=closed, actor=PROCESS, at=AT, wall_at=AT)
    call(operator=closed, actor=PROCESS, at=AT)


@scenario(services.grant_role)
def grant(call):
    organisation = factories.organisation()
    call(operator=dave(), organisation=organisation, role=Role.APPROVER, at=AT, actor=PROCESS)


@scenario(services.revoke_role)
def revoke(call):
    organisation = factories.organisation()
    call(operator=dave(), organisation=organisation, role=Role.OPERATOR, at=AT, actor=PROCESS)


@scenario(services.create_token)
def make_a_token(call):
    organisation = factories.organisation()
    call(operator=dave(), organisation=organisation, name="nightly", at=AT, wall_at=AT)


@scenario(services.revoke_token)
def revoke_a_token(call):
    call(token_id=token().pk, actor=PROCESS, at=AT, wall_at=AT)


@scenario(services.note_sign_in)
def sign_in(call):
    call(operator=dave(), method="password", at=AT)


@scenario(services.note_sign_out)
def sign_out(call):
    call(operator=dave(), at=AT)


@scenario(services.note_lockout)
def lock(call):
    call(username=dave().username, at=AT)


@scenario(services.note_password)
def change_the_password(call):
    call(operator=dave(), session_key="", at=AT)


@scenario(services.note_authenticator)
def add_a_passkey(call):
    call(operator=dave(), kind="webauthn", is_new=True, at=AT)


@scenario(services.end_session)
def end_a_session(call):
    operator = dave()
    signed_in(operator).get("/")
    session = UserSession.objects.filter(user=operator).get()
    call(operator=operator, session_id=session.pk, at=AT)


@scenario(services.end_other_sessions)
def end_the_others(call):
    operator = dave()
    signed_in(operator).get("/")
    call(operator=operator, session_key="", at=AT)


@scenario(services.invite)
def invite(call):
    call(operator=dave(), actor=PROCESS, at=AT)


@scenario(services.remove_authenticators)
def take_a_lost_second_factor_away(call):
    operator = dave()
    TOTP.activate(operator, "JBSWY3DPEHPK3PXP")
    call(operator=operator, actor=PROCESS, at=AT)


def single_sign_on():
    return {
        "organisation": factories.organisation(),
        "issuer": "https://login.member.example",
        "client_id": "mission-control",
        "client_secret": get_random_string(20),
        "actor": PROCESS,
        "at": AT,
    }


@scenario(services.set_single_sign_on)
def set_single_sign_on(call):
    call(**single_sign_on())


@scenario(services.remove_single_sign_on)
def remove_single_sign_on(call):
    services.set_single_sign_on(**single_sign_on())
    call(organisation=factories.organisation(), actor=PROCESS, at=AT)


@scenario(services.adopt_single_sign_on_account)
def adopt(call):
    organisation = factories.organisation()
    call(operator=Operator(), organisation=organisation, wanted_name="mei", at=AT)
