"""The console's pages of the log, of witnesses and of webhooks."""

from __future__ import annotations

import hashlib

from missioncontrol.accounts.policy import Action
from tests.integration.access.cast import Subject
from tests.integration.access.recipes import MEMBER, OPERATING, Ask, plain, recipe
from tests.integration.access.recipes_api_members import WEBHOOK, WITNESS, of_a_webhook

plain("GET /audit/export", Action.AUDIT_VIEW)
plain("GET /audit/witnesses/", Action.WITNESS_VIEW)


@recipe("GET /audit/{log_index}/", Action.AUDIT_VIEW)
def the_page_of_an_entry(scene):
    return Ask(path={"log_index": scene.entry.log_index})


@recipe("GET /audit/{log_index}/ private-part", Action.OPENING_VIEW, of=(MEMBER, OPERATING))
def the_private_part_of_an_entry(scene):
    return Ask(
        path={"log_index": scene.entry.log_index},
        shows=hashlib.sha256(b"what to digest").hexdigest(),
    )


@recipe("GET /audit/leaf/{leaf_hash}/", Action.AUDIT_VIEW)
def an_entry_by_its_leaf_hash(scene):
    return Ask(path={"leaf_hash": bytes(scene.entry.leaf_hash).hex()})


@recipe("GET /audit/{log_index}/opening", Action.OPENING_VIEW, of=(MEMBER, OPERATING))
def the_opening_of_an_entry(scene):
    return Ask(path={"log_index": scene.entry.log_index})


@recipe("POST /audit/{log_index}/erase/", Action.OPENING_ERASE, of=MEMBER)
def erase_an_opening(scene):
    return Ask(path={"log_index": scene.entry.log_index}, form={"reason": "it was asked for"})


@recipe("POST /audit/witnesses/register/", Action.WITNESS_MANAGE)
def register_a_witness(scene):
    return Ask(form=WITNESS)


@recipe("POST /audit/witnesses/retire/", Action.WITNESS_MANAGE)
def retire_a_witness(scene):
    return Ask(form={"name": scene.witness(**WITNESS).name})


@recipe("GET /webhooks/", Action.WEBHOOK_VIEW, of=MEMBER)
def webhooks(scene):
    return Ask(shows=scene.webhook().url)


@recipe("GET /webhooks/new/", Action.WEBHOOK_MANAGE, confirmed=False)
def the_form_of_a_webhook(scene):
    return Ask()


@recipe("POST /webhooks/new/", Action.WEBHOOK_MANAGE)
def make_a_webhook(scene):
    def form(_subject: Subject) -> dict[str, object]:
        return {**WEBHOOK, "types": " ".join(WEBHOOK["types"])}

    return Ask(form=form)


@recipe("GET /webhooks/{webhook_id}/", Action.WEBHOOK_VIEW, of=MEMBER)
def a_webhook(scene):
    return Ask(path=of_a_webhook(scene))


@recipe("GET /webhooks/{webhook_id}/change/", Action.WEBHOOK_MANAGE, of=MEMBER, confirmed=False)
def the_form_to_change_a_webhook(scene):
    return Ask(path=of_a_webhook(scene))


@recipe("POST /webhooks/{webhook_id}/change/", Action.WEBHOOK_MANAGE, of=MEMBER)
def change_a_webhook(scene):
    form = {**WEBHOOK, "name": "another", "types": " ".join(WEBHOOK["types"])}
    return Ask(path=of_a_webhook(scene), form=form)


@recipe("POST /webhooks/{webhook_id}/state/", Action.WEBHOOK_MANAGE, of=MEMBER)
def pause_a_webhook(scene):
    return Ask(path=of_a_webhook(scene), form={"state": "PAUSED"})


@recipe("POST /webhooks/{webhook_id}/rotate-secret/", Action.WEBHOOK_MANAGE, of=MEMBER)
def rotate_a_secret(scene):
    return Ask(path=of_a_webhook(scene))


@recipe("POST /webhooks/{webhook_id}/ping/", Action.WEBHOOK_MANAGE, of=MEMBER)
def ping_a_webhook(scene):
    return Ask(path=of_a_webhook(scene))


@recipe("POST /webhooks/{webhook_id}/delete/", Action.WEBHOOK_MANAGE, of=MEMBER)
def delete_a_webhook(scene):
    return Ask(path=of_a_webhook(scene))


@recipe(
    "POST /webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver/",
    Action.WEBHOOK_MANAGE,
    of=MEMBER,
)
def redeliver(scene):
    delivery = scene.delivery()
    return Ask(path={"webhook_id": delivery.webhook_id, "delivery_id": delivery.pk})
