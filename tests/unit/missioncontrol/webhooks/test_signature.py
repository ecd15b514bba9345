"""Signatures against the vectors of Standard Webhooks and its own library."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from missioncontrol.webhooks.signature import (
    SECRET_OCTETS,
    SecretError,
    read_secret,
    signature,
    write_secret,
)

SECRETS = st.binary(min_size=24, max_size=64).map(write_secret)
IDS = st.from_regex(r"[a-z]{3}_[0-9a-z_]{1,40}", fullmatch=True)
BODIES = st.dictionaries(st.text(max_size=8), st.integers() | st.text(max_size=20), max_size=4)


def now_s():
    """Return the time of the call: the official library reads the clock itself."""
    return int(datetime.now(UTC).timestamp())


def headers(message_id, timestamp_s, *signatures):
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": " ".join(signatures),
    }


def test_is_the_published_one():
    """libraries/*/tests of the specification's repository: "sign function works"."""
    assert (
        signature(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
            timestamp_s=1614265330,
            body=b'{"test": 2432232314}',
        )
        == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


class TestOfficialLibrary:
    @given(SECRETS, IDS, st.integers(0, 4_000_000_000), st.binary(max_size=200))
    def test_signs_the_same(self, secret, message_id, timestamp_s, body):
        text = body.decode("latin-1")
        at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=timestamp_s)
        assert signature(
            secret, message_id=message_id, timestamp_s=timestamp_s, body=text.encode()
        ) == Webhook(secret).sign(message_id, at, text)

    @given(SECRETS, SECRETS, IDS)
    def test_takes_a_message_with_either_of_two_secrets(self, old, new, message_id):
        at_s, body = now_s(), b'{"id":1}'
        both = [
            signature(each, message_id=message_id, timestamp_s=at_s, body=body)
            for each in (new, old)
        ]
        for secret in (old, new):
            assert Webhook(secret).verify(body, headers(message_id, at_s, *both)) == {"id": 1}

    @given(SECRETS, IDS, st.binary(min_size=1, max_size=40))
    def test_refuses_what_was_changed(self, secret, message_id, more):
        at_s, body = now_s(), b"{}"
        own = signature(secret, message_id=message_id, timestamp_s=at_s, body=body)
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body + more.hex().encode(), headers(message_id, at_s, own))


class TestSecret:
    @given(st.binary(min_size=24, max_size=64))
    def test_reads_back_as_it_was(self, octets):
        shown = write_secret(octets)
        assert shown.startswith("whsec_")
        assert read_secret(shown) == read_secret(shown.removeprefix("whsec_")) == octets

    @pytest.mark.parametrize(
        ("secret", "says"),
        [
            ("whsec_not base64!", "whsec_ and base64"),
            (write_secret(b"x" * 23), "23 octets; a webhook's has 24 to 64"),
            (write_secret(b"x" * 65), "65 octets"),
            ("", "0 octets"),
        ],
    )
    def test_is_refused_without_being_repeated(self, secret, says):
        with pytest.raises(SecretError, match=says) as caught:
            read_secret(secret)
        assert not secret or secret not in str(caught.value)

    def test_of_ours_is_as_long_as_the_standard_asks(self):
        assert 24 <= SECRET_OCTETS <= 64
