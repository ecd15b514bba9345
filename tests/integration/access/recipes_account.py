"""Signing in and one's own account: no role matters there, only who one is."""

from __future__ import annotations

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str

from tests.integration.access.recipes import (
    Ask,
    anybody,
    nobody,
    plain,
    recipe,
    unlogged,
)
from tests.integration.access.sign_in_means import (
    code_now,
    give_codes,
    give_passkeys,
    passkey_of,
)
from tests.signing_in import PASSWORD

_NEW_PASSWORD = "another pass-phrase for the tests"
_SIGN_IN = "/signin/"

plain("GET /signin/", meant=anybody)
plain("GET /account/invitation/done/", meant=anybody)
plain("GET /account/second-factor/")
plain("GET /account/passkeys/")
plain("GET /account/single-sign-on/")
plain("GET /account/single-sign-on/login/cancelled/", meant=anybody)
plain("GET /account/confirm/")
plain("GET /account/password/")


@recipe("GET /account/single-sign-on/login/error/", meant=anybody)
def the_page_after_a_sign_in_that_failed(scene):
    return Ask(done=frozenset({401}))


@recipe("POST /signin/", meant=anybody)
def sign_in(scene):
    person = scene.person("newcomer")
    person.set_password(PASSWORD)
    person.save()
    # Who is signed in already is led on; nothing more happens.
    return Ask(form={"login": person.username, "password": PASSWORD}, logged=False)


@recipe("POST /signout/")
def sign_out(scene):
    return Ask(leads_to=_SIGN_IN)


@recipe("POST /account/confirm/")
def confirm_by_password(scene):
    return Ask(form={"password": PASSWORD}, logged=False)


@recipe("POST /account/password/")
def change_the_password(scene):
    form = {"oldpassword": PASSWORD, "password1": _NEW_PASSWORD, "password2": _NEW_PASSWORD}
    return Ask(form=form)


# For who has none yet; everybody here has one and is led to where it is changed.
plain("GET /account/password/set/", confirmed=True)
unlogged("POST /account/password/set/", confirmed=True)


def invitation_of_a_newcomer(scene):
    person = scene.person("newcomer")
    return {
        "uidb36": user_pk_to_url_str(person),
        "key": default_token_generator.make_token(person),
    }


@recipe("GET /account/invitation/{uidb36}-{key}/", meant=anybody)
def open_an_invitation(scene):
    return Ask(path=invitation_of_a_newcomer(scene))


@recipe("POST /account/invitation/{uidb36}-{key}/", meant=anybody)
def answer_an_invitation(scene):
    return Ask(path=invitation_of_a_newcomer(scene), logged=False)


# The second step of signing in: who is not in the middle of it is sent to its begin, or on.
plain("GET /account/second-factor/authenticate/")
unlogged("POST /account/second-factor/authenticate/")


@recipe("GET /account/second-factor/confirm/")
def the_page_to_confirm_by_code(scene):
    give_codes(scene)
    return Ask()


@recipe("POST /account/second-factor/confirm/")
def confirm_by_code(scene):
    give_codes(scene)
    return Ask(form={"code": code_now()}, logged=False)


plain("GET /account/second-factor/codes/add/", confirmed=True)
# A code of a secret that was not shown: the form comes again.
unlogged("POST /account/second-factor/codes/add/", confirmed=True)


@recipe("GET /account/second-factor/codes/remove/", confirmed=True)
def the_page_to_remove_codes(scene):
    give_codes(scene)
    return Ask()


@recipe("POST /account/second-factor/codes/remove/", confirmed=True)
def remove_codes(scene):
    give_codes(scene)
    return Ask()


@recipe("GET /account/second-factor/recovery/", confirmed=True)
def recovery_codes(scene):
    give_codes(scene)
    return Ask()


@recipe("GET /account/second-factor/recovery/new/", confirmed=True)
def the_page_for_new_recovery_codes(scene):
    give_codes(scene)
    return Ask()


@recipe("POST /account/second-factor/recovery/new/", confirmed=True)
def new_recovery_codes(scene):
    give_codes(scene)
    return Ask(logged=False)


plain("GET /account/passkeys/add/", confirmed=True)
# No passkey's answer: the form comes again.
unlogged("POST /account/passkeys/add/", confirmed=True)


@recipe("GET /account/passkeys/login/", meant=anybody)
def the_challenge_for_a_passkey(scene):
    return Ask(headers={"X-Requested-With": "XMLHttpRequest"})


@recipe("POST /account/passkeys/login/", meant=anybody)
def sign_in_by_a_passkey_that_is_none(scene):
    return Ask(leads_to=_SIGN_IN, logged=False)


@recipe("GET /account/passkeys/confirm/")
def the_page_to_confirm_by_passkey(scene):
    give_passkeys(scene)
    return Ask()


@recipe("POST /account/passkeys/confirm/")
def confirm_by_a_passkey_that_is_none(scene):
    give_passkeys(scene)
    return Ask(leads_to=_SIGN_IN, logged=False)


def of_ones_passkey(scene, **options):
    give_passkeys(scene)
    return Ask(path=lambda subject: {"pk": passkey_of(subject.operator)}, **options)


@recipe("GET /account/passkeys/{pk}/remove/", confirmed=True)
def the_page_to_remove_a_passkey(scene):
    return of_ones_passkey(scene)


@recipe("POST /account/passkeys/{pk}/remove/", confirmed=True)
def remove_a_passkey(scene):
    return of_ones_passkey(scene)


@recipe("GET /account/passkeys/{pk}/rename/", confirmed=True)
def the_page_to_rename_a_passkey(scene):
    return of_ones_passkey(scene)


@recipe("POST /account/passkeys/{pk}/rename/", confirmed=True)
def rename_a_passkey(scene):
    return of_ones_passkey(scene, form={"name": "another"}, logged=False)


# Its own tests talk to a provider; here the gate matters: a stranger is told 404, not 401.
@recipe("POST /account/single-sign-on/{provider_id}/login/", meant=nobody)
def go_to_a_provider_that_nobody_has(scene):
    return Ask(path={"provider_id": "no-such-member"})


@recipe("GET /account/single-sign-on/{provider_id}/login/callback/", meant=anybody)
def come_back_from_a_provider_without_having_been_there(scene):
    organisation = scene.single_sign_on().organisation
    return Ask(path={"provider_id": organisation.slug}, leads_to=_SIGN_IN)
