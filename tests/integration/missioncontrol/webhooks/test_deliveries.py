"""Events to a real receiver that takes them, or does not."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from missioncontrol.audit.models import AuditEntry
from missioncontrol.audit.selectors import entry_content
from missioncontrol.webhooks import outbox, services
from missioncontrol.webhooks.models import Delivery, Webhook
from tests.integration.missioncontrol.webhooks.conftest import AT, TIMEOUT_S
from tests.integration.missioncontrol.webhooks.receiver import receiving


def deliveries(webhook, **fields):
    return list(Delivery.objects.filter(webhook=webhook, **fields).order_by("log_index"))


class TestMessage:
    def test_is_the_event_signed_in_the_standard_form(self, make, tell, sender, receiver, lab):
        _, secret = make(lab, ["job.*"])
        [index] = tell("job.complete")
        sender.run()
        [message] = receiver.got
        assert message.path == "/hook"
        assert message.headers["content-type"] == "application/json"
        assert message.headers["host"] == receiver.url.split("/")[2]
        [event] = receiver.verified(secret)
        assert event == {
            "id": index,
            "type": "job.complete",
            "timestamp": "2026-12-01T00:00:00.000000Z",
            "data": {
                "subject": "job:7",
                "actor": "process:test",
                "organisation": "lab",
                "details": {},
            },
        }
        entry = AuditEntry.objects.get(log_index=index)
        assert message.id == f"evt_{index}_{bytes(entry.leaf_hash[:8]).hex()}"
        assert event["data"]["subject"] == entry_content(entry)["subject"]

    def test_has_two_signatures_while_the_secret_is_changed(
        self, make, tell, sender, receiver, lab
    ):
        webhook, old = make(lab, ["job.*"])
        _, new = services.rotate_secret(
            webhook_id=webhook.pk, actor="process:test", at=AT, wall_at=sender.wall_at
        )
        tell("job.submit")
        sender.run()
        assert receiver.verified(old) == receiver.verified(new)
        receiver.got.clear()
        sender.wall_at += services.SECRETS_OVERLAP
        tell("job.complete")
        sender.run()
        [message] = receiver.got
        assert " " not in message.headers["webhook-signature"]

    def test_has_the_time_of_its_attempt(self, make, tell, sender, receiver, lab):
        make(lab, ["job.*"])
        receiver.mood = 500
        tell("job.submit")
        sender.run()
        sender.wait(seconds=10)
        first, second = (int(each.headers["webhook-timestamp"]) for each in receiver.got)
        assert second - first == 10
        assert first == pytest.approx(time.time(), abs=5)


class TestWhatGoes:
    def test_is_what_was_asked_for_in_order_and_once(self, make, tell, sender, receiver, lab):
        webhook, _ = make(lab, ["job.*", "contact.book"])
        tell("job.submit", "contact.book", "contact.cancel", "job.complete", "token.create")
        sender.run()
        tell("job.submit")
        sender.run()
        sender.run()
        assert receiver.types == ["job.submit", "contact.book", "job.complete", "job.submit"]
        assert len(set(receiver.ids)) == 4
        assert {each.state for each in deliveries(webhook)} == {"DELIVERED"}

    def test_concerns_its_own_organisation(self, make, tell, sender, receiver, lab):
        make(lab)
        tell("job.submit", organisation="lab")
        tell("job.submit", organisation="rival")
        tell("clock.set", organisation="")
        sender.run()
        assert [each.event["data"]["organisation"] for each in receiver.got] == ["lab", "lab"]
        assert receiver.types == ["webhook.create", "job.submit"]

    def test_is_everything_for_who_operates_the_mission(
        self, make, tell, sender, receiver, operating
    ):
        make(operating, ["job.*", "clock.*"])
        tell("job.submit", organisation="lab")
        tell("job.submit", organisation="rival")
        tell("clock.set", organisation="")
        sender.run()
        assert receiver.types == ["job.submit", "job.submit", "clock.set"]

    def test_begins_when_it_is_made(self, make, tell, sender, receiver, lab):
        tell("job.submit")
        make(lab, ["job.*"])
        tell("job.complete")
        sender.run()
        assert receiver.types == ["job.complete"]

    def test_waits_until_it_is_published(self, make, sender, receiver, lab, tell):
        make(lab, ["webhook.*"])
        sender.run()
        assert receiver.got == []  # the entry of its making waits for the sequencer
        tell("job.submit")
        sender.run()
        assert receiver.types == ["webhook.create"]

    def test_is_a_ping_whatever_was_asked_for(self, make, tell, sender, receiver, lab):
        webhook, secret = make(lab, ["job.*"])
        other, _ = make(lab, ["job.*"])
        services.ping_webhook(webhook_id=webhook.pk, actor="process:test", at=AT)
        tell("contact.book")
        sender.run()
        [event] = receiver.verified(secret)
        assert (event["type"], event["data"]["subject"]) == (
            "webhook.ping",
            f"webhook:{webhook.pk}",
        )
        assert deliveries(other) == []

    @pytest.mark.parametrize("lines", ["kept", "closed", "dropped"])
    def test_arrives_once_and_in_order_whatever_becomes_of_the_connection(
        self, make, tell, sender, receiver, lab, lines
    ):
        webhook, _ = make(lab, ["job.*"])
        receiver.lines = lines
        numbers = tell(*["job.submit"] * 50)
        sender.run(within_s=60)
        assert [each.event["id"] for each in receiver.got] == numbers
        assert {(each.state, each.attempts) for each in deliveries(webhook)} == {("DELIVERED", 1)}

    def test_waits_in_the_log_where_there_is_much_of_it(
        self, make, tell, sender, receiver, lab, monkeypatch
    ):
        monkeypatch.setattr(outbox, "MAX_WAITING", 4)
        monkeypatch.setattr(outbox, "CHUNK", 3)
        webhook, _ = make(lab, ["job.*"])
        numbers = tell(*["job.submit"] * 20)
        receiver.mood = 500
        sender.run()
        assert len(deliveries(webhook)) < 4 + 3
        receiver.mood = 200
        sender.wait(hours=1)
        assert sorted({each.event["id"] for each in receiver.got}) == numbers
        assert {each.state for each in deliveries(webhook)} == {"DELIVERED"}


class TestFailure:
    @pytest.mark.parametrize(
        ("mood", "says"),
        [
            (500, "It answers 500; only 200 to 299"),
            (404, "It answers 404"),
            (302, "redirects are not followed"),
            ("reset", "It cannot be reached"),
            ("rubbish", "It cannot be reached"),
            ("hang", f"no answer within {TIMEOUT_S:g} s"),
            ("drip", f"no answer within {TIMEOUT_S:g} s"),
        ],
    )
    def test_is_noted_and_tried_again_under_the_same_id(
        self, make, tell, sender, receiver, lab, mood, says
    ):
        webhook, _ = make(lab, ["job.*"])
        receiver.mood = mood
        receiver.answer_headers = {"Location": "http://127.0.0.1:1/elsewhere"}
        tell("job.submit")
        begun = time.monotonic()
        sender.run()
        assert time.monotonic() - begun < 3
        [delivery] = deliveries(webhook)
        assert (delivery.state, delivery.attempts) == ("WAITING", 1)
        assert says in delivery.fault
        assert delivery.response_status == (mood if isinstance(mood, int) else None)
        until_next = delivery.next_attempt_at - sender.wall_at
        assert timedelta(seconds=2) < until_next <= timedelta(seconds=6)
        receiver.mood = 200
        sender.wait(seconds=10)
        [delivery] = deliveries(webhook)
        assert (delivery.state, delivery.attempts, delivery.fault) == ("DELIVERED", 2, "")
        assert len(receiver.got) == 2
        assert len(set(receiver.ids)) == 1

    def test_of_a_receiver_that_is_away_is_noted_too(self, make, tell, sender, receiver, lab):
        with receiving() as gone:
            url = gone.url
        webhook, _ = make(lab, ["job.*"], url=url)
        tell("job.submit")
        sender.run()
        [delivery] = deliveries(webhook)
        assert "It cannot be reached" in delivery.fault
        assert "refused" in delivery.fault.lower() or "failed" in delivery.fault

    def test_shows_the_begin_of_the_answer_and_no_more(self, make, tell, sender, receiver, lab):
        webhook, _ = make(lab, ["job.*"])
        receiver.mood, receiver.text = 400, b"no such\x00job\n\xff" + b"x" * 100_000
        tell("job.submit")
        sender.run()
        [delivery] = deliveries(webhook)
        assert delivery.response_excerpt.startswith("no such job \ufffdxxx")
        assert len(delivery.response_excerpt) == 500

    def test_of_an_endless_answer_is_none(self, make, tell, sender, receiver, lab):
        webhook, _ = make(lab, ["job.*"])
        receiver.mood = "flood"
        tell("job.submit")
        sender.run()
        [delivery] = deliveries(webhook)
        assert (delivery.state, delivery.response_status) == ("DELIVERED", 200)

    def test_holds_up_no_other_event(self, make, tell, sender, receiver, lab):
        webhook, _ = make(lab, ["job.*"])
        receiver.mood = lambda message: 500 if message.event["type"] == "job.submit" else 200
        tell("job.submit", "job.complete", "job.cancel")
        sender.run()
        assert receiver.types == ["job.submit", "job.complete", "job.cancel"]
        states = [each.state for each in deliveries(webhook)]
        assert states == ["WAITING", "DELIVERED", "DELIVERED"]

    def test_holds_up_no_other_webhook(self, make, tell, sender, receiver, lab, rival):
        receiver.mood = "hang"
        make(lab, ["job.*"])
        with receiving() as good:
            make(rival, ["job.*"], url=good.url)
            tell("job.submit", organisation="lab")
            tell(*["job.submit"] * 5, organisation="rival")
            begun = time.monotonic()
            while len(good.got) < 5:
                sender.dispatcher.step(at=AT, wall_at=sender.wall_at)
                sender.dispatcher.wait(0.01)
                assert time.monotonic() - begun < 5
            assert sender.dispatcher.is_busy  # the other one still hangs
            sender.run()

    def test_sends_one_message_at_a_time_to_each(self, make, tell, sender, receiver, lab):
        under_way, most = [0], [0]

        def mood(_message):
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
            time.sleep(0.02)
            under_way[0] -= 1
            return 200

        receiver.mood = mood
        make(lab, ["job.*"])
        tell(*["job.submit"] * 10)
        sender.run()
        assert len(receiver.got) == 10
        assert most == [1]


class TestSchedule:
    def test_gives_up_after_a_day_and_says_so_where_others_arrive(
        self, make, tell, sender, receiver, lab
    ):
        webhook, _ = make(lab, ["job.*"])
        receiver.mood = lambda message: 500 if message.event["type"] == "job.submit" else 200
        tell("job.submit")
        sender.run()
        for hours in (0.01, 0.2, 1, 3, 7, 12, 12):
            tell("job.complete")
            sender.wait(hours=hours)
        [given_up] = deliveries(webhook, event_type="job.submit")
        assert (given_up.state, given_up.attempts) == ("FAILED", 8)
        assert given_up.next_attempt_at is None
        webhook.refresh_from_db()
        assert webhook.state == "ENABLED"
        assert receiver.types.count("job.submit") == 8

    def test_rests_as_long_as_the_receiver_asks(self, make, tell, sender, receiver, lab):
        make(lab, ["job.*"])
        receiver.mood, receiver.answer_headers = 429, {"Retry-After": "120"}
        tell("job.submit", "job.complete")
        sender.run()
        assert len(receiver.got) == 1  # the second one waits too
        sender.wait(seconds=100)
        assert len(receiver.got) == 1
        receiver.mood = 200
        sender.wait(seconds=30)
        assert receiver.types == ["job.submit", "job.submit", "job.complete"]

    def test_sends_at_once_what_waits_when_an_outage_is_over(
        self, make, tell, sender, receiver, lab
    ):
        webhook, _ = make(lab, ["job.*"])
        receiver.mood = 500
        tell(*["job.submit"] * 5)
        for minutes in (0, 1, 10, 60):
            sender.wait(minutes=minutes)
        assert {each.state for each in deliveries(webhook)} == {"WAITING"}
        receiver.mood = 200
        receiver.got.clear()
        tell("job.complete")
        sender.run()
        assert receiver.types == ["job.complete", *["job.submit"] * 5]
        assert [each.event["id"] for each in receiver.got[1:]] == sorted(
            each.event["id"] for each in receiver.got[1:]
        )

    def test_of_one_that_fails_is_its_own_while_others_arrive(
        self, make, tell, sender, receiver, lab
    ):
        """Its attempts are not used up by each success of another event."""
        webhook, _ = make(lab, ["job.*"])
        receiver.mood = lambda message: 500 if message.event["type"] == "job.submit" else 200
        tell("job.submit")
        sender.run()
        for _ in range(20):
            tell("job.complete")
            sender.run()
        [waiting] = deliveries(webhook, state="WAITING")
        assert waiting.attempts == 1


class TestDisabling:
    def test_comes_at_once_where_the_receiver_is_gone(self, make, tell, sender, receiver, lab):
        webhook, _ = make(lab, ["job.*"])
        receiver.mood = 410
        tell("job.submit", "job.complete")
        sender.run()
        webhook.refresh_from_db()
        assert webhook.state == "DISABLED"
        assert "410 Gone" in webhook.disabled_reason
        entry = AuditEntry.objects.get(action="webhook.disable")
        assert (entry.subject, entry.actor, entry.organisation) == (
            f"webhook:{webhook.pk}",
            "process:webhook-deliveries",
            "lab",
        )
        assert "410" in entry_content(entry)["details"]["reason"]
        sender.wait(days=2)
        assert len(receiver.got) == 1

    def test_comes_after_a_day_without_an_arrival(self, make, tell, sender, receiver, lab):
        webhook, _ = make(lab, ["job.*"])
        receiver.mood = 500
        tell("job.submit")
        sender.run()
        for hours in (0.01, 0.2, 1, 3, 7, 12):
            tell("job.complete")
            sender.wait(hours=hours)
        webhook.refresh_from_db()
        assert webhook.state == "ENABLED"
        sender.wait(hours=12)
        webhook.refresh_from_db()
        assert webhook.state == "DISABLED"
        assert "Nothing has arrived there since" in webhook.disabled_reason
        assert "after 8 attempts; the last one got answer 500" in webhook.disabled_reason

    def test_loses_nothing(self, make, tell, sender, receiver, lab, mei):
        webhook, _ = make(lab, ["job.*"])
        receiver.mood = 410
        numbers = tell("job.submit", "job.complete")
        sender.run()
        numbers += tell("job.cancel", "job.submit")
        sender.run()
        receiver.mood = 200
        services.change_webhook(
            webhook_id=webhook.pk,
            changes=services.Changes(state="ENABLED"),
            actor=mei,
            at=AT,
            wall_at=sender.wall_at,
        )
        receiver.got.clear()
        sender.run()
        assert [each.event["id"] for each in receiver.got] == numbers

    def test_is_no_end_for_deliveries_of_others(self, make, tell, sender, receiver, lab, rival):
        make(lab, ["job.*"])
        receiver.mood = 410
        with receiving() as good:
            make(rival, ["job.*"], url=good.url)
            tell("job.submit", organisation="lab")
            tell("job.submit", organisation="rival")
            sender.run()
            assert len(good.got) == 1


class TestPause:
    def test_loses_nothing(self, make, tell, sender, receiver, lab, mei):
        webhook, _ = make(lab, ["job.*"])
        numbers = tell("job.submit")
        sender.run()

        def become(state):
            services.change_webhook(
                webhook_id=webhook.pk,
                changes=services.Changes(state=state),
                actor=mei,
                at=AT,
                wall_at=sender.wall_at,
            )

        become("PAUSED")
        numbers += tell("job.submit", "job.complete")
        sender.run()
        assert len(receiver.got) == 1
        become("ENABLED")
        sender.run()
        assert [each.event["id"] for each in receiver.got] == numbers

    def test_stops_what_waits_too(self, make, tell, sender, receiver, lab, mei):
        webhook, _ = make(lab, ["job.*"])
        receiver.mood = 500
        tell("job.submit")
        sender.run()
        services.change_webhook(
            webhook_id=webhook.pk,
            changes=services.Changes(state="PAUSED"),
            actor=mei,
            at=AT,
            wall_at=sender.wall_at,
        )
        sender.wait(days=1)
        assert len(receiver.got) == 1


class TestClaim:
    def test_lets_one_process_send_each_message(self, make, tell, sender, receiver, lab):
        """Two dispatchers at once, as two processes on one database."""
        from tests.integration.missioncontrol.webhooks.conftest import Sender

        make(lab, ["job.*"])
        numbers = tell(*["job.submit"] * 10)
        other = Sender(["127.0.0.1"])
        try:
            deadline = time.monotonic() + 10
            while len(receiver.got) < 10 and time.monotonic() < deadline:
                for each in (sender, other):
                    each.dispatcher.step(at=AT, wall_at=each.wall_at)
                other.dispatcher.wait(0.01)
            sender.run()
            other.run()
        finally:
            other.courier.stop()
        assert [each.event["id"] for each in receiver.got] == numbers

    def test_of_a_process_that_died_runs_out(self, make, tell, sender, receiver, lab):
        webhook, _ = make(lab, ["job.*"])
        tell("job.submit")
        now = sender.wall_at
        outbox.take_events(published=10**6, wall_at=now)
        [lost] = outbox.claim_due(wall_at=now)
        sender.run()
        assert receiver.got == []
        sender.wait(seconds=outbox.CLAIM.total_seconds() + 1)
        assert len(receiver.got) == 1
        # Whoever was only slow and comes back now changes nothing any more.
        outbox.note_outcomes(
            lost, [outbox.Outcome(fault="late")], chance=0, at=AT, wall_at=sender.wall_at
        )
        [delivery] = deliveries(webhook)
        assert (delivery.state, delivery.attempts) == ("DELIVERED", 1)

    def test_of_a_webhook_that_was_deleted_meanwhile_does_no_harm(
        self, make, tell, sender, receiver, lab
    ):
        webhook, _ = make(lab, ["job.*"])
        tell("job.submit")
        now = sender.wall_at
        outbox.take_events(published=10**6, wall_at=now)
        [run] = outbox.claim_due(wall_at=now)
        services.delete_webhook(webhook_id=webhook.pk, actor="process:test", at=AT)
        outbox.note_outcomes(run, [outbox.Outcome(status=200)], chance=0, at=AT, wall_at=now)
        assert not Webhook.objects.exists()
        assert not Delivery.objects.exists()


class TestForgetting:
    def test_takes_what_ended_long_ago_and_nothing_that_waits(
        self, make, tell, sender, receiver, lab
    ):
        webhook, _ = make(lab, ["job.*"])
        receiver.mood = lambda message: 500 if message.event["type"] == "job.submit" else 200
        tell("job.submit", "job.complete")
        sender.run()
        now = sender.wall_at
        assert outbox.forget_finished(wall_at=now + timedelta(days=29)) == 0
        assert outbox.forget_finished(wall_at=now + timedelta(days=31)) == 1
        [left] = deliveries(webhook)
        assert left.state == "WAITING"


def test_a_secret_that_cannot_be_read_is_told_of(make, tell, sender, receiver, lab, settings):
    webhook, _ = make(lab, ["job.*"])
    tell("job.submit")
    settings.SECRET_KEY = "another one, as long as the first was, and as random as that"
    sender.run()
    [delivery] = deliveries(webhook)
    assert "sealed with another SECRET_KEY" in delivery.fault
    assert receiver.got == []


def test_a_host_that_is_no_longer_allowed_is_told_of(make, tell, sender, receiver, lab, settings):
    webhook, _ = make(lab, ["job.*"])
    tell("job.submit")
    settings.WEBHOOK_ALLOWED_HOSTS = []
    sender.run()
    [delivery] = deliveries(webhook)
    assert "no webhook leads to" in delivery.fault
    assert receiver.got == []
