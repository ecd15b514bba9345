from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from missioncontrol.accounts.policy import Role
from missioncontrol.audit.models import AuditEntry
from missioncontrol.audit.selectors import entry_content
from missioncontrol.kernel.errors import NotPermittedError
from missioncontrol.webhooks import selectors, services
from missioncontrol.webhooks.message import secrets_of
from missioncontrol.webhooks.models import Delivery, Webhook
from missioncontrol.webhooks.signature import read_secret
from tests import factories
from tests.integration.missioncontrol.webhooks.conftest import AT

URL = "https://hook.example/in?token=of-the-receiver"
NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)


def create(organisation, actor="process:test", **changed):
    values = {"name": "hook", "url": URL, "types": ["job.*"], **changed}
    return services.create_webhook(
        organisation=organisation, actor=actor, at=AT, wall_at=NOW, **values
    )


def change(webhook, actor="process:test", **changes):
    return services.change_webhook(
        webhook_id=webhook.pk,
        changes=services.Changes(**changes),
        actor=actor,
        at=AT,
        wall_at=NOW,
    )


def last_entry():
    return AuditEntry.objects.latest("pk")


class TestCreate:
    def test_stores_the_secret_sealed_and_shows_it_once(self, lab):
        webhook, secret = create(lab)
        assert len(read_secret(secret)) == 32
        assert secret not in str(Webhook.objects.values().get())
        assert secrets_of(webhook, wall_at=NOW) == [secret]
        _, other = create(lab)
        assert other != secret

    def test_is_logged_without_its_address(self, lab, mei):
        webhook, secret = create(lab, mei)
        entry = last_entry()
        assert (entry.action, entry.subject, entry.actor, entry.organisation) == (
            "webhook.create",
            f"webhook:{webhook.pk}",
            "operator:mei",
            "lab",
        )
        assert entry_content(entry)["details"] == {"types": ["job.*"]}
        octets = bytes(entry.entry).decode()
        assert "hook.example" not in octets
        assert secret not in octets

    @pytest.mark.parametrize(
        ("changed", "says"),
        [
            ({"url": "http://hook.example/"}, "give an https:// address"),
            ({"url": "https://10.0.0.1/"}, "no webhook leads to"),
            ({"types": []}, "1 to 50 are allowed"),
            ({"types": ["job"]}, "no event type"),
            ({"name": ""}, "1 to 80 are allowed"),
            ({"name": "x" * 81}, "81 characters"),
        ],
    )
    def test_refuses_what_cannot_be(self, lab, changed, says):
        with pytest.raises(services.WebhookRefusedError, match=says):
            create(lab, **changed)
        assert not Webhook.objects.exists()

    def test_refuses_the_twenty_first(self, lab, rival):
        for _ in range(services.MAX_WEBHOOKS):
            create(lab)
        with pytest.raises(services.WebhookRefusedError, match="20 webhooks, which is the limit"):
            create(lab)
        create(rival)


class TestRights:
    @pytest.fixture(params=[Role.ADMINISTRATOR, Role.PAYLOAD_MEMBER])
    def entitled(self, request, lab):
        return factories.operator("entitled", request.param, member_of=lab)

    @pytest.fixture(params=[*sorted(set(Role) - {Role.ADMINISTRATOR, Role.PAYLOAD_MEMBER}), None])
    def other(self, request, lab):
        roles = [] if request.param is None else [request.param]
        return factories.operator("other", *roles, member_of=lab)

    def acts(self, webhook, delivery, actor):
        return [
            lambda: change(webhook, actor, name="another"),
            lambda: services.rotate_secret(webhook_id=webhook.pk, actor=actor, at=AT, wall_at=NOW),
            lambda: services.ping_webhook(webhook_id=webhook.pk, actor=actor, at=AT),
            lambda: services.redeliver(delivery_id=delivery.pk, actor=actor, at=AT, wall_at=NOW),
            lambda: services.delete_webhook(webhook_id=webhook.pk, actor=actor, at=AT),
        ]

    def test_are_those_of_the_table(self, lab, entitled):
        webhook, _ = create(lab, entitled)
        for act in self.acts(webhook, delivered(webhook), entitled):
            act()
        assert not Webhook.objects.exists()

    def test_of_others_are_refused(self, lab, other):
        webhook, _ = create(lab)
        entries = AuditEntry.objects.count()
        delivery = delivered(webhook)
        for act in self.acts(webhook, delivery, other):
            with pytest.raises(NotPermittedError):
                act()
        with pytest.raises(NotPermittedError):
            create(lab, other)
        assert AuditEntry.objects.count() == entries

    def test_of_another_members_administrator_are_refused(self, lab, rival):
        webhook, _ = create(lab)
        stranger = factories.operator("stranger", Role.ADMINISTRATOR, member_of=rival)
        for act in self.acts(webhook, delivered(webhook), stranger):
            with pytest.raises(NotPermittedError):
                act()


def delivered(webhook, **fields):
    values = {
        "log_index": 7,
        "event_type": "job.submit",
        "message_id": "evt_7_00",
        "state": "DELIVERED",
        "attempts": 3,
        "created_at": NOW,
        **fields,
    }
    return Delivery.objects.create(webhook=webhook, **values)


class TestChange:
    def test_changes_what_is_given_and_logs_what_that_was(self, lab, mei):
        webhook, _ = create(lab)
        changed = change(webhook, mei, url="https://new.example/", types=["*"])
        assert (changed.name, changed.url, changed.types) == (
            "hook",
            "https://new.example/",
            ["*"],
        )
        entry = last_entry()
        assert (entry.action, entry.actor) == ("webhook.change", "operator:mei")
        assert entry_content(entry)["details"] == {
            "changed": ["url", "types"],
            "types": ["*"],
            "state": "ENABLED",
        }
        assert "new.example" not in bytes(entry.entry).decode()

    def test_of_nothing_is_no_entry(self, lab):
        webhook, _ = create(lab)
        before = AuditEntry.objects.count()
        change(webhook, name="hook", types=["job.*"])
        assert AuditEntry.objects.count() == before

    def test_refuses_all_of_it_where_a_part_cannot_be(self, lab):
        webhook, _ = create(lab)
        with pytest.raises(services.WebhookRefusedError):
            change(webhook, name="another", url="http://hook.example/")
        webhook.refresh_from_db()
        assert webhook.name == "hook"

    def test_knows_no_other_state_to_give(self, lab):
        webhook, _ = create(lab)
        with pytest.raises(services.WebhookRefusedError, match="ENABLED and PAUSED are"):
            change(webhook, state="DISABLED")

    def test_to_enabled_forgets_the_failures_and_begins_anew(self, lab):
        webhook, _ = create(lab)
        waiting = delivered(webhook, state="WAITING", attempts=8, next_attempt_at=None)
        services.disable_webhook(webhook=webhook, reason="It answered 410.", at=AT)
        Webhook.objects.update(failures=8, failing_since=NOW, resting_until=NOW)
        enabled = change(webhook, state="ENABLED")
        waiting.refresh_from_db()
        assert (enabled.failures, enabled.failing_since, enabled.resting_until) == (0, None, None)
        assert enabled.disabled_reason == ""
        assert (waiting.attempts, waiting.next_attempt_at) == (0, NOW)


class TestRotate:
    def test_lets_the_old_secret_sign_for_a_day(self, lab):
        webhook, old = create(lab)
        rotated, new = services.rotate_secret(
            webhook_id=webhook.pk, actor="process:test", at=AT, wall_at=NOW
        )
        almost = NOW + services.SECRETS_OVERLAP - timedelta(seconds=1)
        assert secrets_of(rotated, wall_at=almost) == [new, old]
        assert secrets_of(rotated, wall_at=NOW + services.SECRETS_OVERLAP) == [new]
        assert last_entry().action == "webhook.rotate_secret"

    def test_twice_leaves_the_last_two(self, lab):
        webhook, _ = create(lab)
        secrets = [
            services.rotate_secret(webhook_id=webhook.pk, actor="process:test", at=AT, wall_at=NOW)
            for _ in range(2)
        ]
        assert secrets_of(secrets[1][0], wall_at=NOW) == [secrets[1][1], secrets[0][1]]


class TestRedeliver:
    @pytest.mark.parametrize("state", Delivery.State.values)
    def test_gives_an_event_all_its_attempts_again(self, lab, mei, state):
        webhook, _ = create(lab)
        delivery = delivered(webhook, state=state, first_attempt_at=NOW)
        services.redeliver(delivery_id=delivery.pk, actor=mei, at=AT, wall_at=NOW)
        delivery.refresh_from_db()
        assert (delivery.state, delivery.attempts) == ("WAITING", 0)
        assert (delivery.next_attempt_at, delivery.first_attempt_at) == (NOW, None)
        assert delivery.message_id == "evt_7_00"
        entry = last_entry()
        assert (entry.action, entry_content(entry)["details"]) == (
            "webhook.redeliver",
            {"event": 7},
        )

    @pytest.mark.parametrize("state", ["PAUSED", "DISABLED"])
    def test_and_ping_wait_for_an_enabled_webhook(self, lab, state):
        webhook, _ = create(lab)
        delivery = delivered(webhook)
        Webhook.objects.update(state=state)
        for act in (
            lambda: services.redeliver(
                delivery_id=delivery.pk, actor="process:test", at=AT, wall_at=NOW
            ),
            lambda: services.ping_webhook(webhook_id=webhook.pk, actor="process:test", at=AT),
        ):
            with pytest.raises(services.WebhookRefusedError, match=f"is {state}. Enable it first"):
                act()


class TestSelectors:
    def test_show_a_members_own_with_their_counts(self, lab, rival):
        webhook, _ = create(lab)
        create(rival)
        for index, state in enumerate(["WAITING", "WAITING", "FAILED", "DELIVERED"]):
            delivered(webhook, log_index=index, state=state)
        [found] = selectors.webhooks_of([lab])
        assert (found, found.waiting, found.failed) == (webhook, 2, 1)
        assert [each.log_index for each in selectors.deliveries_of(found)] == [3, 2, 1, 0]
        assert [each.log_index for each in selectors.deliveries_of(found, state="FAILED")] == [2]
        with pytest.raises(Webhook.DoesNotExist):
            selectors.get_webhook(webhook.pk, of=[rival])
