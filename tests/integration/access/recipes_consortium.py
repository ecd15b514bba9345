"""The console's pages of the organisations, and what people do with their own account there."""

from __future__ import annotations

from missioncontrol.accounts.policy import Action, Role
from tests.integration.access.cast import Subject
from tests.integration.access.recipes import MEMBER, Ask, holds_a_role, nobody, plain, recipe
from tests.integration.access.scene import Scene

_MEMBER = {"slug": MEMBER}

plain("GET /account/")
plain("GET /consortium/", Action.ORGANISATION_VIEW)


@recipe("POST /account/sessions/{session_id}/end/")
def end_a_session_of_ones_own(scene):
    def own(subject: Subject) -> dict[str, object]:
        if subject.operator is None:
            return {"session_id": 0}
        sessions = subject.operator.usersession_set
        return {"session_id": sessions.get(session_key=subject.session_key).pk}

    return Ask(path=own)


@recipe("POST /account/sessions/{session_id}/end/ of-another", meant=nobody)
def end_a_session_of_another(scene):
    browser = scene.signed_in(scene.person("newcomer"))
    return Ask(path={"session_id": browser.usersession_set.get().pk})


@recipe("POST /account/sessions/end-others/")
def end_ones_other_sessions(scene):
    for subject in scene.cast.people():
        scene.signed_in(subject.operator)
    return Ask()


# A token belongs to an organisation: who has no role there has none to do with.
@recipe("GET /account/tokens/new/", meant=holds_a_role)
def the_page_for_a_token_of_ones_own(scene):
    return Ask()


@recipe("POST /account/tokens/new/", meant=holds_a_role, confirmed=True)
def make_a_token_of_ones_own(scene):
    return Ask(form={"name": "nightly", "days": "7", "scope": [Action.AUDIT_VIEW]})


@recipe("POST /account/tokens/{token_id}/revoke/", meant=holds_a_role)
def revoke_a_token_of_ones_own(scene):
    return Ask(path=lambda subject: {"token_id": subject.token.pk if subject.token else 0})


@recipe("POST /account/tokens/{token_id}/revoke/ of-another", meant=nobody)
def revoke_a_token_of_another_as_ones_own(scene):
    return Ask(path={"token_id": scene.token().pk})


plain("GET /account/confirm/single-sign-on/")


# Who has none is led back to the account.
@recipe("POST /account/confirm/single-sign-on/")
def confirm_by_a_provider_that_one_has_not(scene):
    return Ask(logged=False)


@recipe("GET /consortium/{slug}/", Action.ACCOUNT_VIEW, of=MEMBER)
def an_organisation(scene):
    return Ask(path=_MEMBER)


# Only what is posted takes a fresh proof.
@recipe("GET /consortium/{slug}/accounts/new/", Action.ACCOUNT_MANAGE, of=MEMBER, confirmed=False)
def the_page_for_an_account(scene):
    return Ask(path=_MEMBER)


@recipe("POST /consortium/{slug}/accounts/new/", Action.ACCOUNT_MANAGE, of=MEMBER)
def make_an_account(scene):
    return Ask(path=_MEMBER, form={"username": "carol", "kind": "person"})


def of_a_person(scene: Scene) -> dict[str, object]:
    return {**_MEMBER, "account_id": scene.person("newcomer", Role.AUDITOR).pk}


@recipe("GET /consortium/{slug}/accounts/{account_id}/", Action.ACCOUNT_VIEW, of=MEMBER)
def an_account(scene):
    return Ask(path=of_a_person(scene))


@recipe("POST /consortium/{slug}/accounts/{account_id}/invite/", Action.ACCOUNT_MANAGE, of=MEMBER)
def invite(scene):
    return Ask(path=of_a_person(scene))


@recipe("POST /consortium/{slug}/accounts/{account_id}/close/", Action.ACCOUNT_MANAGE, of=MEMBER)
def close_an_account(scene):
    return Ask(path=of_a_person(scene))


# A role given to somebody else's person makes nobody their keeper.
@recipe("POST /consortium/{slug}/accounts/{account_id}/close/ of-a-guest", meant=nobody)
def close_an_account_that_another_keeps(scene):
    return Ask(path={**_MEMBER, "account_id": scene.guest().pk}, done=frozenset())


@recipe("POST /consortium/{slug}/accounts/{account_id}/open/", Action.ACCOUNT_MANAGE, of=MEMBER)
def open_an_account(scene):
    path = of_a_person(scene)
    scene.close(path["account_id"])
    return Ask(path=path)


@recipe(
    "POST /consortium/{slug}/accounts/{account_id}/second-factor/remove/",
    Action.ACCOUNT_MANAGE,
    of=MEMBER,
)
def take_a_second_factor(scene):
    path = of_a_person(scene)
    scene.give_codes(path["account_id"])
    return Ask(path=path)


@recipe(
    "GET /consortium/{slug}/accounts/{account_id}/tokens/new/",
    Action.TOKEN_MANAGE,
    of=MEMBER,
    confirmed=False,
)
def the_page_for_a_token(scene):
    return Ask(path=of_a_person(scene))


@recipe(
    "POST /consortium/{slug}/accounts/{account_id}/tokens/new/", Action.TOKEN_MANAGE, of=MEMBER
)
def make_a_token(scene):
    form = {"name": "nightly", "days": "7", "scope": [Action.AUDIT_VIEW]}
    return Ask(path=of_a_person(scene), form=form)


@recipe("POST /consortium/{slug}/roles/grant/", Action.ACCOUNT_MANAGE, of=MEMBER)
def grant_a_role(scene):
    scene.person("newcomer")
    return Ask(path=_MEMBER, form={"username": "newcomer", "role": Role.AUDITOR})


@recipe("POST /consortium/{slug}/roles/revoke/", Action.ACCOUNT_MANAGE, of=MEMBER)
def revoke_a_role(scene):
    scene.person("newcomer", Role.AUDITOR)
    return Ask(path=_MEMBER, form={"username": "newcomer", "role": Role.AUDITOR})


@recipe("POST /consortium/{slug}/tokens/{token_id}/revoke/", Action.TOKEN_MANAGE, of=MEMBER)
def revoke_a_token(scene):
    return Ask(path={**_MEMBER, "token_id": scene.token().pk})


@recipe("GET /consortium/{slug}/single-sign-on/", Action.SINGLE_SIGN_ON_MANAGE, of=MEMBER)
def single_sign_on(scene):
    return Ask(path=_MEMBER)


@recipe("POST /consortium/{slug}/single-sign-on/", Action.SINGLE_SIGN_ON_MANAGE, of=MEMBER)
def set_single_sign_on(scene):
    form = {
        "issuer": "https://login.invalid",
        "client_id": "mission-control",
        "client_secret": "secret",
    }
    return Ask(path=_MEMBER, form=form)


@recipe("POST /consortium/{slug}/single-sign-on/try/", Action.SINGLE_SIGN_ON_MANAGE, of=MEMBER)
def try_single_sign_on(scene):
    scene.single_sign_on()
    return Ask(path=_MEMBER, logged=False)


@recipe("POST /consortium/{slug}/single-sign-on/remove/", Action.SINGLE_SIGN_ON_MANAGE, of=MEMBER)
def remove_single_sign_on(scene):
    scene.single_sign_on()
    return Ask(path=_MEMBER)
