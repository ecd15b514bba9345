"""A receiver's check: the published vectors, every octet changed, every header left out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from missioncontrol.client.webhooks import TOLERANCE, WebhookRefusedError, verify_webhook
from missioncontrol.webhooks.signature import SecretError, signature, write_secret

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'
AT = datetime.fromtimestamp(1614265330, UTC)
HEADERS = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
OTHER = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc="


def verify(*, secret=SECRET, body=BODY, now=AT, **changed):
    headers = HEADERS | {name.replace("_", "-"): value for name, value in changed.items()}
    return verify_webhook(secret, headers, body, now=now)


class TestTaken:
    def test_is_the_published_message(self):
        received = verify()
        assert received.id == HEADERS["webhook-id"]
        assert received.sent_at == AT
        assert received.event == {"test": 2432232314}

    def test_are_header_names_in_any_case(self):
        shouted = {name.upper(): value for name, value in HEADERS.items()}
        assert verify_webhook(SECRET, shouted, BODY, now=AT).event["test"] == 2432232314

    def test_is_a_message_with_several_signatures_if_one_holds(self):
        own = HEADERS["webhook-signature"]
        for several in (f"{OTHER} {own}", f"{own} {OTHER}", f"{OTHER} v2,x {own} v1a,y"):
            assert verify(webhook_signature=several).id == HEADERS["webhook-id"]

    @pytest.mark.parametrize("late", [TOLERANCE, -TOLERANCE])
    def test_is_one_of_five_minutes_ago_or_ahead(self, late):
        assert verify(now=AT + late).sent_at == AT

    @given(st.binary(min_size=24, max_size=64), st.dictionaries(st.text(), st.text()))
    def test_is_what_the_official_library_signs(self, key, content):
        import json

        body = json.dumps(content)
        now = datetime.now(UTC).replace(microsecond=0)
        headers = {
            "webhook-id": "evt_1",
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(write_secret(key)).sign("evt_1", now, body),
        }
        received = verify_webhook(write_secret(key), headers, body.encode(), now=now)
        assert received.event == content


class TestRefused:
    @pytest.mark.parametrize("name", list(HEADERS))
    def test_is_a_message_without_a_header(self, name):
        with pytest.raises(WebhookRefusedError, match=f"no header {name}"):
            verify(**{name.replace("-", "_"): ""})

    @given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
    def test_is_a_message_that_was_changed_in_any_octet(self, place, by):
        changed = bytearray(BODY)
        changed[place] ^= by
        with pytest.raises(WebhookRefusedError, match="not signed with this secret"):
            verify(body=bytes(changed))

    @pytest.mark.parametrize(
        "changed",
        [
            {"webhook_id": "msg_other"},
            {"webhook_timestamp": "1614265331"},
            {"webhook_signature": OTHER},
            {"webhook_signature": HEADERS["webhook-signature"][:-1]},
            {"webhook_signature": HEADERS["webhook-signature"].removeprefix("v1,")},
            {"webhook_signature": "v1,"},
            {"webhook_signature": "v1,ä"},
            {"secret": write_secret(b"another secret, as long")},
        ],
    )
    def test_is_what_the_secret_did_not_sign(self, changed):
        if "secret" in changed:
            changed = {"secret": write_secret(b"another secret that is long")}
        with pytest.raises(WebhookRefusedError, match="not signed with this secret"):
            verify(**changed)

    @pytest.mark.parametrize("late", [TOLERANCE, -TOLERANCE])
    def test_is_a_copy_of_an_old_message(self, late):
        beyond = late + timedelta(seconds=1 if late > timedelta(0) else -1)
        with pytest.raises(WebhookRefusedError, match="5 minutes are allowed"):
            verify(now=AT + beyond)

    @pytest.mark.parametrize("timestamp", ["hello", "-1", "1e9", "\uff19", "1" * 40])
    def test_is_a_time_that_is_none(self, timestamp):
        with pytest.raises(WebhookRefusedError, match="no POSIX time"):
            verify(webhook_timestamp=timestamp)

    def test_is_a_secret_that_is_none(self):
        with pytest.raises(SecretError):
            verify(secret="whsec_")


def test_sender_and_receiver_agree_on_every_message():
    secret = write_secret(bytes(range(32)))
    own = signature(secret, message_id="evt_7_00", timestamp_s=1614265330, body=b'{"id":7}')
    headers = HEADERS | {"webhook-id": "evt_7_00", "webhook-signature": own}
    assert verify_webhook(secret, headers, b'{"id":7}', now=AT).event == {"id": 7}
