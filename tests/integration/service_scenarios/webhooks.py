"""Webhooks and what is sent to them."""

from __future__ import annotations

from missioncontrol.webhooks import services
from missioncontrol.webhooks.models import Delivery
from missioncontrol.webhooks.services import rows
from tests import factories
from tests.factories import AT
from tests.integration.service_scenarios import scenario, unlogged

PROCESS = "process:test"
BY_PROCESS = {"actor": PROCESS, "at": AT}

unlogged(
    "finds and locks the row that the services which call it change, and log",
    rows.locked_webhook,
)


def asked_for():
    return {
        "organisation": factories.organisation(),
        "name": "results",
        "url": "https://hook.example/in",
        "types": ["job.*"],
        "wall_at": AT,
        **BY_PROCESS,
    }


def webhook():
    made, _ = services.create_webhook(**asked_for())
    return made


@scenario(services.create_webhook)
def create(call):
    call(**asked_for())


@scenario(services.change_webhook)
def change(call):
    changes = services.Changes(state="PAUSED")
    call(webhook_id=webhook().pk, changes=changes, wall_at=AT, **BY_PROCESS)


@scenario(services.delete_webhook)
def delete(call):
    call(webhook_id=webhook().pk, **BY_PROCESS)


@scenario(services.rotate_secret)
def rotate(call):
    call(webhook_id=webhook().pk, wall_at=AT, **BY_PROCESS)


@scenario(services.disable_webhook)
def disable(call):
    call(webhook=webhook(), reason="It has not answered for five days.", at=AT)


@scenario(services.ping_webhook)
def ping(call):
    call(webhook_id=webhook().pk, **BY_PROCESS)


@scenario(services.redeliver)
def redeliver(call):
    failed = Delivery.objects.create(
        webhook=webhook(),
        log_index=7,
        event_type="job.submit",
        message_id="evt_7_00",
        state=Delivery.State.FAILED,
        created_at=AT,
    )
    call(delivery_id=failed.pk, wall_at=AT, **BY_PROCESS)


@scenario(rows.log)
def log(call):
    call("webhook.change", webhook(), PROCESS, AT)
