"""The API's operations on organisations, accounts, tokens, webhooks and witnesses."""

from __future__ import annotations

from missioncontrol.accounts.policy import Action, Role
from missioncontrol.audit.merkle.keys import KeyType, SigningKey
from tests.integration.access.recipes import MEMBER, Ask, plain, recipe
from tests.integration.access.scene import Scene

_MEMBER = {"slug": MEMBER}
_AS_IT_IS = {"If-Match": "*"}
_ACCOUNT = "/api/v1/organisations/{slug}/accounts/{username}"
WEBHOOK = {"name": "results", "url": "https://hooks.example/", "types": ["job.*"]}
WITNESS = {
    "name": "laboratory-one",
    "organisation": MEMBER,
    "vkey": SigningKey(
        name="witness.example", type=KeyType.COSIGNATURE_V1, seed=bytes(32)
    ).verifier.to_vkey(),
    "url": "https://witness.example",
}

plain("GET /api/v1/me")
plain("GET /api/v1/organisations", Action.ORGANISATION_VIEW)


@recipe("GET /api/v1/organisations/{slug}", Action.ORGANISATION_VIEW)
def an_organisation(scene):
    return Ask(path=_MEMBER)


@recipe(
    "GET /api/v1/organisations/{slug}/single-sign-on",
    Action.SINGLE_SIGN_ON_MANAGE,
    of=MEMBER,
    confirmed=False,
)
def single_sign_on(scene):
    scene.single_sign_on()
    return Ask(path=_MEMBER)


@recipe("PUT /api/v1/organisations/{slug}/single-sign-on", Action.SINGLE_SIGN_ON_MANAGE, of=MEMBER)
def set_single_sign_on(scene):
    body = {
        "issuer": "https://login.invalid",
        "client_id": "mission-control",
        "client_secret": "secret",
    }
    return Ask(path=_MEMBER, json=body, headers={"If-None-Match": "*"})


@recipe(
    "DELETE /api/v1/organisations/{slug}/single-sign-on", Action.SINGLE_SIGN_ON_MANAGE, of=MEMBER
)
def remove_single_sign_on(scene):
    scene.single_sign_on()
    return Ask(path=_MEMBER, headers=_AS_IT_IS)


@recipe("GET /api/v1/organisations/{slug}/accounts", Action.ACCOUNT_VIEW, of=MEMBER)
def accounts(scene):
    return Ask(path=_MEMBER)


@recipe("POST /api/v1/organisations/{slug}/accounts", Action.ACCOUNT_MANAGE, of=MEMBER)
def make_an_account(scene):
    return Ask(path=_MEMBER, json={"username": "carol", "roles": [Role.AUDITOR]})


def of_a_person(scene: Scene, **more: str) -> dict[str, str]:
    scene.person("newcomer", Role.AUDITOR)
    return {**_MEMBER, "username": "newcomer", **more}


@recipe(f"GET {_ACCOUNT}", Action.ACCOUNT_VIEW, of=MEMBER)
def an_account(scene):
    return Ask(path=of_a_person(scene))


@recipe(f"POST {_ACCOUNT}/close", Action.ACCOUNT_MANAGE, of=MEMBER)
def close_an_account(scene):
    return Ask(path=of_a_person(scene), headers=_AS_IT_IS)


@recipe(f"POST {_ACCOUNT}/open", Action.ACCOUNT_MANAGE, of=MEMBER)
def open_an_account(scene):
    person = scene.person("newcomer")
    scene.close(person.pk)
    return Ask(path={**_MEMBER, "username": "newcomer"}, headers=_AS_IT_IS)


@recipe(f"PUT {_ACCOUNT}/roles/{{role}}", Action.ACCOUNT_MANAGE, of=MEMBER)
def grant_a_role(scene):
    return Ask(path=of_a_person(scene, role=Role.OPERATOR), headers=_AS_IT_IS)


@recipe(f"DELETE {_ACCOUNT}/roles/{{role}}", Action.ACCOUNT_MANAGE, of=MEMBER)
def revoke_a_role(scene):
    return Ask(path=of_a_person(scene, role=Role.AUDITOR), headers=_AS_IT_IS)


@recipe(f"POST {_ACCOUNT}/invitation", Action.ACCOUNT_MANAGE, of=MEMBER)
def invite(scene):
    return Ask(path=of_a_person(scene), json={})


@recipe("GET /api/v1/organisations/{slug}/tokens", Action.TOKEN_VIEW, of=MEMBER)
def tokens(scene):
    return Ask(path=_MEMBER)


@recipe("POST /api/v1/organisations/{slug}/tokens", Action.TOKEN_MANAGE, of=MEMBER)
def make_a_token(scene):
    scene.person("newcomer", Role.AUDITOR)
    return Ask(path=_MEMBER, json={"account": "newcomer", "name": "nightly"})


def of_a_token(scene: Scene) -> dict[str, str]:
    return {**_MEMBER, "prefix": scene.token().prefix}


@recipe("GET /api/v1/organisations/{slug}/tokens/{prefix}", Action.TOKEN_VIEW, of=MEMBER)
def a_token(scene):
    return Ask(path=of_a_token(scene))


@recipe("POST /api/v1/organisations/{slug}/tokens/{prefix}/revoke", Action.TOKEN_MANAGE, of=MEMBER)
def revoke_a_token(scene):
    return Ask(path=of_a_token(scene))


@recipe("GET /api/v1/webhooks", Action.WEBHOOK_VIEW, of=MEMBER)
def webhooks(scene):
    return Ask(shows=scene.webhook().url)


# A token makes one for its own organisation, whosever token it is.
@recipe(
    "POST /api/v1/webhooks",
    Action.WEBHOOK_MANAGE,
    meant=lambda subject, _scene: subject.may(Action.WEBHOOK_MANAGE, None),
)
def make_a_webhook(scene):
    return Ask(json=WEBHOOK)


def of_a_webhook(scene: Scene) -> dict[str, int]:
    return {"webhook_id": scene.webhook().pk}


@recipe("GET /api/v1/webhooks/{webhook_id}", Action.WEBHOOK_VIEW, of=MEMBER)
def a_webhook(scene):
    return Ask(path=of_a_webhook(scene))


@recipe("GET /api/v1/webhooks/{webhook_id}/progress", Action.WEBHOOK_VIEW, of=MEMBER)
def progress_of_a_webhook(scene):
    return Ask(path=of_a_webhook(scene))


@recipe("PATCH /api/v1/webhooks/{webhook_id}", Action.WEBHOOK_MANAGE, of=MEMBER)
def change_a_webhook(scene):
    return Ask(path=of_a_webhook(scene), json={"name": "another"})


@recipe("DELETE /api/v1/webhooks/{webhook_id}", Action.WEBHOOK_MANAGE, of=MEMBER)
def delete_a_webhook(scene):
    return Ask(path=of_a_webhook(scene))


@recipe("POST /api/v1/webhooks/{webhook_id}/rotate-secret", Action.WEBHOOK_MANAGE, of=MEMBER)
def rotate_a_secret(scene):
    return Ask(path=of_a_webhook(scene))


@recipe("POST /api/v1/webhooks/{webhook_id}/ping", Action.WEBHOOK_MANAGE, of=MEMBER)
def ping_a_webhook(scene):
    return Ask(path=of_a_webhook(scene))


@recipe("GET /api/v1/webhooks/{webhook_id}/deliveries", Action.WEBHOOK_VIEW, of=MEMBER)
def deliveries(scene):
    return Ask(path={"webhook_id": scene.delivery().webhook_id})


@recipe(
    "POST /api/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver",
    Action.WEBHOOK_MANAGE,
    of=MEMBER,
)
def redeliver(scene):
    delivery = scene.delivery()
    return Ask(path={"webhook_id": delivery.webhook_id, "delivery_id": delivery.pk})


plain("GET /api/v1/witnesses", Action.WITNESS_VIEW)


@recipe("POST /api/v1/witnesses", Action.WITNESS_MANAGE)
def register_a_witness(scene):
    return Ask(json=WITNESS)


@recipe("GET /api/v1/witnesses/{name}", Action.WITNESS_VIEW)
def a_witness(scene):
    return Ask(path={"name": scene.witness(**WITNESS).name})


@recipe("POST /api/v1/witnesses/{name}/retire", Action.WITNESS_MANAGE)
def retire_a_witness(scene):
    return Ask(path={"name": scene.witness(**WITNESS).name})
