from __future__ import annotations

from datetime import timedelta

import pytest

from missioncontrol.accounts.models import ApiToken
from missioncontrol.accounts.policy import Role
from missioncontrol.audit.models import AuditEntry
from missioncontrol.webhooks.models import Delivery, Webhook
from tests import factories
from tests.integration.missioncontrol.api.conftest import (
    assert_problem,
    assert_wrong_field,
    token_of,
)
from tests.signing_in import signed_in

BODY = {"name": "results", "url": "https://hook.example/in", "types": ["job.*"]}


@pytest.fixture
def webhook(pipeline):
    answer = pipeline.post("/webhooks", BODY)
    assert answer.status_code == 201, answer.content
    return Webhook.objects.get(pk=answer.json()["id"])


@pytest.fixture
def delivery(webhook):
    return Delivery.objects.create(
        webhook=webhook,
        log_index=7,
        event_type="job.submit",
        message_id="evt_7_00",
        state="FAILED",
        attempts=8,
        created_at=webhook.created_at,
        response_status=500,
        response_excerpt="oops",
        fault="It answers 500.",
        took_ms=12,
    )


class TestMaking:
    def test_answers_with_the_secret_once(self, pipeline):
        answer = pipeline.post("/webhooks", BODY)
        made = answer.json()
        assert answer.status_code == 201
        assert answer["Location"] == f"/api/v1/webhooks/{made['id']}"
        assert made["secret"].startswith("whsec_")
        assert (made["organisation"], made["state"]) == ("ai-laboratory-1", "ENABLED")
        found = pipeline.get(f"/webhooks/{made['id']}").json()
        assert found == {name: value for name, value in made.items() if name != "secret"}
        assert pipeline.get("/webhooks").json()["items"] == [found]

    @pytest.mark.parametrize(
        ("changed", "field", "allowed"),
        [
            ({"url": "http://hook.example/"}, "body.url", "give an https:// address"),
            ({"url": "https://127.0.0.1/"}, "body.url", "WEBHOOK_ALLOWED_HOSTS"),
            ({"types": ["job"]}, "body.types", "no event type"),
            ({"types": []}, "body.types", "at least 1 item"),
            ({"name": ""}, "body.name", "at least 1 character"),
            ({"secret": "whsec_mine"}, "body.secret", "not permitted"),
        ],
    )
    def test_names_the_wrong_field(self, pipeline, changed, field, allowed):
        assert_wrong_field(pipeline.post("/webhooks", {**BODY, **changed}), field, allowed)
        assert not Webhook.objects.exists()

    def test_takes_a_fresh_proof_of_identity(self, pipeline):
        ApiToken.objects.update(
            created_at=ApiToken.objects.get().created_at - timedelta(minutes=6)
        )
        answer = pipeline.post("/webhooks", BODY)
        assert_problem(answer, 403, "confirmation-needed", "webhook.manage")

    def test_takes_the_role(self, laboratory):
        auditor = factories.operator("auditor", Role.AUDITOR, member_of=laboratory)
        api = token_of(auditor, laboratory)
        assert_problem(api.post("/webhooks", BODY), 403, "not-permitted", "payload member")
        assert api.get("/webhooks").status_code == 200

    def test_is_refused_beyond_the_limit(self, pipeline):
        for _ in range(20):
            assert pipeline.post("/webhooks", BODY).status_code == 201
        assert_problem(pipeline.post("/webhooks", BODY), 409, "refused", "20 webhooks")


class TestChanging:
    def test_changes_what_is_given(self, pipeline, webhook):
        answer = pipeline.patch(f"/webhooks/{webhook.pk}", {"state": "PAUSED", "types": ["*"]})
        assert answer.status_code == 200
        assert answer.json()["state"] == "PAUSED"
        assert answer.json()["types"] == ["*"]
        assert answer.json()["name"] == "results"

    def test_names_the_wrong_field(self, pipeline, webhook):
        address = f"/webhooks/{webhook.pk}"
        assert_wrong_field(
            pipeline.patch(address, {"url": "https://[::1]/"}), "body.url", "loopback"
        )
        assert_wrong_field(pipeline.patch(address, {"state": "DISABLED"}), "body.state", "PAUSED")

    def test_changes_what_was_seen(self, pipeline, webhook):
        address = f"/webhooks/{webhook.pk}"
        answer = pipeline.patch(address, {"state": "PAUSED"}, **pipeline.seen(address))
        assert (answer.status_code, answer.json()["state"]) == (200, "PAUSED")
        assert answer["ETag"] == pipeline.get(address)["ETag"]

    def test_is_not_refused_for_a_delivery_in_between(self, pipeline, webhook, delivery):
        address = f"/webhooks/{webhook.pk}"
        seen = pipeline.seen(address)
        delivery.delete()
        Webhook.objects.update(position=webhook.position + 1, failing_since=webhook.created_at)
        assert pipeline.patch(address, {"types": ["*"]}, **seen).status_code == 200

    def test_leaves_what_somebody_else_has_changed(self, pipeline, webhook):
        address = f"/webhooks/{webhook.pk}"
        seen = pipeline.seen(address)
        assert pipeline.patch(address, {"types": ["*"]}).status_code == 200
        answer = pipeline.patch(address, {"types": ["contact.*"]}, **seen)
        assert_problem(answer, 412, "precondition-failed", "Read it again")
        webhook.refresh_from_db()
        assert webhook.types == ["*"]

    def test_rotates_the_secret(self, pipeline, webhook):
        answer = pipeline.post(f"/webhooks/{webhook.pk}/rotate-secret").json()
        assert answer["secret"].startswith("whsec_")
        assert answer["previous_secret_until"] is not None

    def test_deletes(self, pipeline, webhook, delivery):
        answer = pipeline.delete(f"/webhooks/{webhook.pk}")
        assert (answer.status_code, answer.content) == (204, b"")
        assert_problem(pipeline.get(f"/webhooks/{webhook.pk}"), 404, "not-found")
        assert not Delivery.objects.exists()

    def test_pings(self, pipeline, webhook):
        assert pipeline.post(f"/webhooks/{webhook.pk}/ping").status_code == 200
        entry = AuditEntry.objects.latest("pk")
        assert (entry.action, entry.subject) == ("webhook.ping", f"webhook:{webhook.pk}")


class TestDeliveries:
    def test_tell_what_came_of_each(self, pipeline, webhook, delivery):
        [shown] = pipeline.get(f"/webhooks/{webhook.pk}/deliveries").json()["items"]
        assert shown == {
            "id": delivery.pk,
            "event": 7,
            "event_type": "job.submit",
            "webhook_id": "evt_7_00",
            "state": "FAILED",
            "attempts": 8,
            "created_at": shown["created_at"],
            "last_attempt_at": None,
            "next_attempt_at": None,
            "response_status": 500,
            "response_excerpt": "oops",
            "fault": "It answers 500.",
            "took_ms": 12,
        }

    def test_are_counted(self, pipeline, webhook, delivery):
        progress = pipeline.get(f"/webhooks/{webhook.pk}/progress").json()
        assert progress == {
            "after": webhook.position - 1,
            "waiting": 0,
            "failed": 1,
            "failing_since": None,
        }

    def test_come_by_state_and_in_pages(self, pipeline, webhook, delivery):
        address = f"/webhooks/{webhook.pk}/deliveries"
        assert pipeline.get(address, {"state": "WAITING"}).json()["items"] == []
        delivery.pk, delivery.log_index = None, 8
        delivery.save()
        first = pipeline.get(address, {"limit": 1}).json()
        second = pipeline.get(address, {"limit": 1, "cursor": first["next"]}).json()
        assert [first["items"][0]["event"], second["items"][0]["event"]] == [8, 7]
        assert second["next"] is None

    def test_can_be_sent_once_more(self, pipeline, webhook, delivery):
        answer = pipeline.post(f"/webhooks/{webhook.pk}/deliveries/{delivery.pk}/redeliver")
        assert answer.status_code == 200
        assert (answer.json()["state"], answer.json()["attempts"]) == ("WAITING", 0)

    def test_are_those_of_this_webhook(self, pipeline, webhook, delivery):
        other = pipeline.post("/webhooks", BODY).json()["id"]
        answer = pipeline.post(f"/webhooks/{other}/deliveries/{delivery.pk}/redeliver")
        assert_problem(answer, 404, "not-found", f"no delivery {delivery.pk}")


class TestOtherMembers:
    def test_see_nothing_of_it(self, rival, webhook, delivery):
        address = f"/webhooks/{webhook.pk}"
        assert rival.get("/webhooks").json()["items"] == []
        for answer in (
            rival.get(address),
            rival.get(f"{address}/deliveries"),
            rival.patch(address, {"name": "mine"}),
            rival.delete(address),
            rival.post(f"{address}/rotate-secret"),
            rival.post(f"{address}/ping"),
            rival.post(f"{address}/deliveries/{delivery.pk}/redeliver"),
        ):
            assert_problem(answer, 404, "not-found", "another member's")
        webhook.refresh_from_db()
        assert webhook.name == "results"

    def test_includes_who_operates_the_mission(self, alice, operating, webhook):
        factories.Membership.objects.create(
            operator=alice, organisation=operating, role=Role.ADMINISTRATOR
        )
        answer = token_of(alice, operating).get(f"/webhooks/{webhook.pk}")
        assert_problem(answer, 404, "not-found")


def test_a_session_reads_but_changes_nothing(laboratory, webhook):
    browser = signed_in(factories.operator("mei", Role.PAYLOAD_MEMBER, member_of=laboratory))
    assert browser.get(f"/api/v1/webhooks/{webhook.pk}").status_code == 200
    answer = browser.delete(f"/api/v1/webhooks/{webhook.pk}")
    assert answer.status_code == 401
    assert Webhook.objects.exists()
